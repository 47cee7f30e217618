"""The steps of simulation-based inference: training, then coefficients of the events and their calibration."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from partonic.config.analysis import AnalysisConfig
from partonic.config.sbi import SbiConfig
from partonic.config.sbi.variants import SOURCE, variant_source
from partonic.errors import ConfigError, SchemaError
from partonic.progress import Progress
from partonic.workflow.places import (
    estimates_file,
    event_store,
    sbi_background_files,
    sbi_calibration,
    sbi_members,
    trained_backgrounds,
    trained_sbi,
)
from partonic.workflow.sections import needed
from partonic.workflow.step import Step

__all__ = ["SbiStep", "SbiTrainStep", "is_calibrated"]


@dataclass(frozen=True)
class SbiTrainStep:
    """The networks of the section `sbi`, or of one of its variants, trained on simulated events: one model folder.

    Attributes:
        variant: name in `sbi.also`; empty for the section itself.
    """

    variant: str = ""
    version: int = 1
    knows_its_work: bool = False

    @property
    def name(self) -> str:
        """``train_sbi``, or ``train_sbi.<variant>``."""
        return f"train_{variant_source(self.variant)}"

    def variants(self, config: AnalysisConfig) -> Sequence[Step]:
        """Return this step for the section and for each of its variants."""
        return tuple(SbiTrainStep(name) for name in _names(config))

    def applies(self, config: AnalysisConfig) -> bool:
        """Whether there is a section `sbi` with this variant, which names no model that is ready."""
        section = None if config.sbi is None else config.sbi.estimators.get(self.variant)
        return section is not None and section.model is None

    def settings(self, config: AnalysisConfig) -> Mapping[str, object]:
        """Return what the networks depend on, and the seed; the process is that of the events."""
        return {"sbi": self._section(config).learning(), "seed": config.seed}

    def inputs(self, config: AnalysisConfig) -> Sequence[Path]:
        """Return the event stores to train on, and the coefficients that are features."""
        stores = (*_stores(config, self.variant), *_background_stores(config, self.variant))
        return (*stores, *_feature_files(config, self.variant))

    def outputs(self, config: AnalysisConfig) -> Sequence[Path]:
        """Return the files of the model."""
        from partonic.trained.model_files import model_files

        return (*model_files(trained_sbi(config, self.variant)), *_classifier(config, self.variant))

    def run(self, config: AnalysisConfig, progress: Progress) -> str:
        """Train, going on at the last checkpoint of an interrupted run."""
        from partonic.sbi.train import train_sbi

        stores = _stores(config, self.variant)
        _check_process(stores, config, self.variant)
        section, files = self._section(config), _features(config, self.variant)
        line = str(train_sbi(stores, section, config.seed, trained_sbi(config, self.variant), progress, files))
        if not section.backgrounds:
            return line
        from partonic.sbi.background.train import train_backgrounds

        train_backgrounds(stores, section, config.seed, trained_backgrounds(config, self.variant), progress, files)
        return f"{line}; {', '.join(section.backgrounds)} told from the signal"

    def _section(self, config: AnalysisConfig) -> SbiConfig:
        return _section(config, self.variant)


@dataclass(frozen=True)
class SbiStep:
    """Coefficients of the events that the networks were not trained on, and the calibration of the coefficients.

    Attributes:
        variant: name in `sbi.also`; empty for the section itself.
    """

    variant: str = ""
    version: int = 1
    knows_its_work: bool = True

    @property
    def name(self) -> str:
        """``sbi``, or ``sbi.<variant>``."""
        return variant_source(self.variant)

    def variants(self, config: AnalysisConfig) -> Sequence[Step]:
        """Return this step for the section and for each of its variants."""
        return tuple(SbiStep(name) for name in _names(config))

    def applies(self, config: AnalysisConfig) -> bool:
        """Whether there is a section `sbi` with this variant."""
        return config.sbi is not None and self.variant in config.sbi.estimators

    def settings(self, config: AnalysisConfig) -> Mapping[str, object]:
        """Return what the coefficients depend on beside the trained networks, which are among the inputs."""
        section = _section(config, self.variant)
        if section.model is not None:
            return {"max_events": section.max_events}
        calibrated = is_calibrated(config, self.variant)
        kind = section.calibration if calibrated else None
        return {"max_events": section.max_events, "parts": section.parts(), "calibrated": calibrated, "kind": kind}

    def inputs(self, config: AnalysisConfig) -> Sequence[Path]:
        """Return the events, those that were trained on, and the files of the model.

        Raises:
            ConfigError: if no event is left for the fit.
            ModelError: if a model that the section names is not there.
        """
        from partonic.trained.model_files import model_files

        section, files = _section(config, self.variant), model_files(trained_sbi(config, self.variant))
        if section.model is not None:
            return (event_store(config), *_feature_files(config, self.variant), *files)
        if not section.stores and section.shares.fit == 0.0:
            message = (
                f"{_key(self.variant)}.shares.fit: no event is left for the fit; expected more than 0, or others in "
                f"`{_key(self.variant)}.stores`"
            )
            raise ConfigError(message)
        stores = (event_store(config), *_stores(config, self.variant), *_background_stores(config, self.variant))
        others = (*_classifier(config, self.variant), *_feature_files(config, self.variant))
        return tuple(dict.fromkeys((*stores, *others, *files)))

    def outputs(self, config: AnalysisConfig) -> Sequence[Path]:
        """Return coefficients, those of the members, and their calibration if one is made here; of all hypotheses."""
        made, own = self._calibration(config), estimates_file(config, self.name)
        under = [own.with_name(f"{name}.parquet") for name in _section(config, self.variant).backgrounds]
        simulated = [path for each in sbi_background_files(config, self.variant).values() for path in each.values()]
        return (own, sbi_members(config, self.variant), *([] if made is None else [made]), *under, *simulated)

    def run(self, config: AnalysisConfig, progress: Progress) -> str:
        """Make the coefficients, going on at the last batch of an interrupted run."""
        from partonic.sbi.run import SbiFiles, coefficients_and_calibration

        section = _section(config, self.variant)
        files = SbiFiles(
            model=trained_sbi(config, self.variant),
            store=event_store(config),
            trained_on=() if section.model is not None else _stores(config, self.variant),
            output=estimates_file(config, self.name),
            calibration=self._calibration(config),
            source=self.name,
            features=_features(config, self.variant),
            members=sbi_members(config, self.variant),
        )
        line = coefficients_and_calibration(files, section, progress)
        if not section.backgrounds:
            return line
        from partonic.sbi.background.run import BackgroundFiles, background_coefficients

        of_signal = {name: files.output.with_name(f"{name}.parquet") for name in section.backgrounds}
        others = BackgroundFiles(
            trained_backgrounds(config, self.variant), files.model, files.store, files.output, of_signal,
            sbi_background_files(config, self.variant), files.features, self.name,
        )  # fmt: skip
        return f"{line}; {background_coefficients(others, section, progress)}"

    def _calibration(self, config: AnalysisConfig) -> Path | None:
        """Return the file of the calibration that is made here; None if none is."""
        is_ready = _section(config, self.variant).model is not None
        return sbi_calibration(config, self.variant) if not is_ready and is_calibrated(config, self.variant) else None


def is_calibrated(config: AnalysisConfig, variant: str = "") -> bool:
    """Return whether learned coefficients are calibrated: by the events here, or by the file beside a ready model.

    Raises:
        ModelError: if a model that the section names is not there.
    """
    section = None if config.sbi is None else config.sbi.estimators.get(variant)
    if section is None:
        return False
    if section.model is not None:
        return sbi_calibration(config, variant).is_file()
    return bool(section.shares.calibration)


def _names(config: AnalysisConfig) -> tuple[str, ...]:
    return ("",) if config.sbi is None else tuple(config.sbi.estimators)


def _key(variant: str) -> str:
    """Return the key of the section, or of a variant of it."""
    return f"sbi.also.{variant}" if variant else "sbi"


def _section(config: AnalysisConfig, variant: str = "") -> SbiConfig:
    return needed(needed(config.sbi, "sbi", config).estimators.get(variant), _key(variant), config)


def _features(config: AnalysisConfig, variant: str) -> dict[str, tuple[Path, ...]]:
    """Return the files of coefficients that are features: those of the section, or of the step of that name.

    Raises:
        ConfigError: if the features are coefficients that are learned here.
        ModelError: if a model that the section names is not there, or damaged.
    """
    from partonic.sbi.stacking.names import sources_of

    section = _section(config, variant)
    found = dict(section.coefficients)
    for source in sources_of(_feature_names(config, variant)):
        if source == SOURCE and source not in found:
            message = (
                f"{_key(variant)}.features: `sbi:…` are the coefficients that are learned here; give those of another "
                f"training in `{_key(variant)}.coefficients` under a name of their own"
            )
            raise ConfigError(message)
        found.setdefault(source, (estimates_file(config, source),))
    return found


def _feature_names(config: AnalysisConfig, variant: str) -> Sequence[str]:
    """Return the names of the features: of the section, or of the model that it names."""
    section = _section(config, variant)
    if section.model is None:
        return section.features
    from partonic.trained.model_folder import load_record

    return [str(name) for name in load_record(trained_sbi(config, variant))["features"]]


def _feature_files(config: AnalysisConfig, variant: str) -> tuple[Path, ...]:
    return tuple(path for paths in _features(config, variant).values() for path in paths)


def _background_stores(config: AnalysisConfig, variant: str) -> tuple[Path, ...]:
    return tuple(each.store for each in _section(config, variant).backgrounds.values())


def _classifier(config: AnalysisConfig, variant: str) -> tuple[Path, ...]:
    """Return the files of the model of the backgrounds, if there are any."""
    from partonic.trained.model_files import model_files

    return model_files(trained_backgrounds(config, variant)) if _section(config, variant).backgrounds else ()


def _stores(config: AnalysisConfig, variant: str) -> tuple[Path, ...]:
    """Return the stores to train on.

    Raises:
        ConfigError: if `sbi.stores` names the events of this analysis, all of which would be fitted, too.
    """
    stores, fitted = _section(config, variant).stores, event_store(config)
    for path in stores:
        if path.resolve() == fitted.resolve():
            raise ConfigError(
                f"{_key(variant)}.stores: {path} holds the events of this analysis, all of which are fitted if others "
                "are trained on: leave the key out, and `shares` parts them; or name other events"
            )
    return stores or (fitted,)


def _check_process(stores: Sequence[Path], config: AnalysisConfig, variant: str) -> None:
    """Check, before any training, that the stores have the process of the analysis.

    Raises:
        SchemaError: naming the store with another one.
        EventFileError: if a store is damaged.
    """
    from partonic.events.store import EventStore

    for path in stores:
        if (found := EventStore.open(path).metadata.process) != config.process.name:
            raise SchemaError(
                f"{path} holds events of '{found}', but the analysis is of '{config.process.name}': mend the key "
                f"{_key(variant)}.stores"
            )
