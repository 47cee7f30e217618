"""The steps of simulation-based inference: training, then coefficients of the events and their calibration."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from partonic.config.analysis import AnalysisConfig
from partonic.config.sbi import SbiConfig
from partonic.errors import ConfigError, SchemaError
from partonic.processes.definition import definition_of
from partonic.progress import Progress
from partonic.workflow.places import (
    estimates_file,
    event_store,
    sbi_background_files,
    sbi_calibration,
    trained_backgrounds,
    trained_sbi,
)
from partonic.workflow.sections import needed

__all__ = ["SbiStep", "SbiTrainStep", "is_calibrated"]


@dataclass(frozen=True)
class SbiTrainStep:
    """The networks of the section `sbi`, trained on simulated events: one model folder."""

    name: str = "train_sbi"
    version: int = 1
    knows_its_work: bool = False

    def applies(self, config: AnalysisConfig) -> bool:
        """Whether there is a section `sbi`."""
        return config.sbi is not None

    def settings(self, config: AnalysisConfig) -> Mapping[str, object]:
        """Return what the networks depend on, and the seed; the process is that of the events."""
        return {"sbi": _section(config).learning(), "seed": config.seed}

    def inputs(self, config: AnalysisConfig) -> Sequence[Path]:
        """Return the event stores to train on, and the coefficients that are features."""
        return (*_stores(config), *_background_stores(config), *_feature_files(config))

    def outputs(self, config: AnalysisConfig) -> Sequence[Path]:
        """Return the files of the model."""
        from partonic.trained.model_files import model_files

        return (*model_files(trained_sbi(config)), *_classifier(config))

    def run(self, config: AnalysisConfig, progress: Progress) -> str:
        """Train, going on at the last checkpoint of an interrupted run."""
        from partonic.sbi.train import train_sbi

        _check_process(_stores(config), config)
        files = _features(config)
        section, stores = _section(config), _stores(config)
        line = str(train_sbi(stores, section, config.seed, trained_sbi(config), progress, files))
        if not section.backgrounds:
            return line
        from partonic.sbi.background.train import train_backgrounds

        train_backgrounds(stores, section, config.seed, trained_backgrounds(config), progress, files)
        return f"{line}; {', '.join(section.backgrounds)} told from the signal"


@dataclass(frozen=True)
class SbiStep:
    """Coefficients of the events that the networks were not trained on, and the calibration of the coefficients."""

    name: str = "sbi"
    version: int = 1
    knows_its_work: bool = True

    def applies(self, config: AnalysisConfig) -> bool:
        """Whether there is a section `sbi`."""
        return config.sbi is not None

    def settings(self, config: AnalysisConfig) -> Mapping[str, object]:
        """Return what the coefficients depend on beside the trained networks, which are among the inputs."""
        section = _section(config)
        return {"max_events": section.max_events, "parts": section.parts(), "calibrated": is_calibrated(config)}

    def inputs(self, config: AnalysisConfig) -> Sequence[Path]:
        """Return the events, those that were trained on, and the files of the model.

        Raises:
            ConfigError: if no event is left for the fit.
        """
        from partonic.trained.model_files import model_files

        section = _section(config)
        if not section.stores and section.shares.fit == 0.0:
            message = "sbi.shares.fit: no event is left for the fit; expected more than 0, or others in `sbi.stores`"
            raise ConfigError(message)
        stores = (event_store(config), *_stores(config), *_background_stores(config), *_classifier(config))
        return tuple(dict.fromkeys((*stores, *_feature_files(config), *model_files(trained_sbi(config)))))

    def outputs(self, config: AnalysisConfig) -> Sequence[Path]:
        """Return the coefficients, and their calibration if one is asked for."""
        calibration = (sbi_calibration(config),) if is_calibrated(config) else ()
        own = estimates_file(config, self.name)
        under = [own.with_name(f"{name}.parquet") for name in _section(config).backgrounds]
        simulated = [path for each in sbi_background_files(config).values() for path in each.values()]
        return (own, *calibration, *under, *simulated)

    def run(self, config: AnalysisConfig, progress: Progress) -> str:
        """Make the coefficients, going on at the last batch of an interrupted run."""
        from partonic.sbi.run import SbiFiles, coefficients_and_calibration

        files = SbiFiles(
            model=trained_sbi(config),
            store=event_store(config),
            trained_on=_stores(config),
            output=estimates_file(config, self.name),
            calibration=sbi_calibration(config) if is_calibrated(config) else None,
            features=_features(config),
        )
        section = _section(config)
        line = coefficients_and_calibration(files, section, progress)
        if not section.backgrounds:
            return line
        from partonic.sbi.background.run import BackgroundFiles, background_coefficients

        of_signal = {name: files.output.with_name(f"{name}.parquet") for name in section.backgrounds}
        others = BackgroundFiles(
            trained_backgrounds(config), files.model, files.store, files.output, of_signal,
            sbi_background_files(config), files.features,
        )  # fmt: skip
        return f"{line}; {background_coefficients(others, section, progress)}"


def is_calibrated(config: AnalysisConfig) -> bool:
    """Return whether the coefficients that are learned here are calibrated.

    The calibration is one of ratios to the density at θ = 0; where that is not the Standard Model there is none.
    """
    if config.sbi is None or not config.sbi.shares.calibration:
        return False
    parameters = definition_of(config.process).parameters(config.process)
    return not any(parameter.standard_model for parameter in parameters)


def _section(config: AnalysisConfig) -> SbiConfig:
    return needed(config.sbi, "sbi", config)


def _features(config: AnalysisConfig) -> dict[str, tuple[Path, ...]]:
    """Return the files of coefficients that are features: those of the section, or of the step of that name.

    Raises:
        ConfigError: if the features are coefficients that are learned here.
    """
    from partonic.sbi.stacking.names import sources_of

    section = _section(config)
    found = {}
    for source in sources_of(section.features):
        if source == "sbi" and source not in section.coefficients:
            message = (
                "sbi.features: `sbi:…` are the coefficients that are learned here; give those of another training in "
                "`sbi.coefficients` under a name of their own"
            )
            raise ConfigError(message)
        found[source] = section.coefficients.get(source) or (estimates_file(config, source),)
    return found


def _background_stores(config: AnalysisConfig) -> tuple[Path, ...]:
    return tuple(each.store for each in _section(config).backgrounds.values())


def _classifier(config: AnalysisConfig) -> tuple[Path, ...]:
    """Return the files of the model of the backgrounds, if there are any."""
    from partonic.trained.model_files import model_files

    return model_files(trained_backgrounds(config)) if _section(config).backgrounds else ()


def _feature_files(config: AnalysisConfig) -> tuple[Path, ...]:
    return tuple(path for paths in _features(config).values() for path in paths)


def _stores(config: AnalysisConfig) -> tuple[Path, ...]:
    """Return the stores to train on.

    Raises:
        ConfigError: if `sbi.stores` names the events of this analysis, all of which would be fitted, too.
    """
    stores, fitted = _section(config).stores, event_store(config)
    for path in stores:
        if path.resolve() == fitted.resolve():
            raise ConfigError(
                f"sbi.stores: {path} holds the events of this analysis, all of which are fitted if others are trained "
                "on: leave the key out, and `sbi.shares` parts them; or name other events"
            )
    return stores or (fitted,)


def _check_process(stores: Sequence[Path], config: AnalysisConfig) -> None:
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
                "sbi.stores"
            )
