"""The step of inference: from the coefficients of events to limits."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from partonic.config.analysis import AnalysisConfig
from partonic.config.inference import BackgroundEventsConfig, InferenceConfig
from partonic.config.sbi.variants import SOURCE
from partonic.errors import ConfigError
from partonic.estimator_registry import family_of
from partonic.pretrained import pretrained_folder
from partonic.progress import Progress
from partonic.workflow.estimator_files import calibration_of, compared_estimators
from partonic.workflow.places import estimates_file, integrated_store, sbi_background_files
from partonic.workflow.sections import needed

if TYPE_CHECKING:
    from partonic.config.inference.template import TemplateBackgroundConfig
    from partonic.inference.samples import Files
    from partonic.inference.sources import EstimatorFiles

__all__ = ["InferStep"]


@dataclass(frozen=True)
class InferStep:
    """Likelihood, limits, and their coverage."""

    name: str = "infer"
    version: int = 3
    knows_its_work: bool = True

    def applies(self, config: AnalysisConfig) -> bool:
        """Whether there is a section `inference`."""
        return config.inference is not None

    def settings(self, config: AnalysisConfig) -> Mapping[str, object]:
        """Return the section without where pseudo-experiments run, and the seed."""
        return {"inference": _section(config).physics(), "seed": config.seed}

    def inputs(self, config: AnalysisConfig) -> Sequence[Path]:
        """Return the event store, the coefficients under each hypothesis, and the simulated events of backgrounds."""
        section = _section(config)
        files = _files(config)
        events = [each.events for each in section.components.values()]
        events += [each.events for each in section.backgrounds.values()]
        simulated = [each for each in events if each is not None]
        paths = [
            *([files.store] if files.store else []),
            *([files.signal] if files.signal else []),
            *files.components.values(),
            *files.backgrounds.values(),
            *section.ensemble,
            *_calibration_file(config),
            *(path for each in files.compared.values() for path in _paths(each)),
            *(path for events in simulated for path in (events.store, *events.coefficients.values())),
            *(path for each in _of_template(section) for path in (each.store, each.coefficients)),
        ]
        return tuple(dict.fromkeys(paths))

    def outputs(self, config: AnalysisConfig) -> Sequence[Path]:
        """Return the numbers and the curves, and the workspaces of pyhf with what ties their norm factors to θ."""
        folder, section = config.output / self.name, _section(config)
        names = ["workspace"] if section.pyhf else []
        names += ["template_workspace"] if section.template is not None and section.template.workspace else []
        workspaces = [folder / f"{name}{ending}.json" for name in names for ending in ("", ".morphing")]
        return (folder / "result.json", folder / "curves.parquet", *workspaces)

    def run(self, config: AnalysisConfig, progress: Progress) -> str:
        """Fit; pseudo-experiments go on where an interrupted run was."""
        from partonic.inference.infer import infer

        return str(infer(_files(config), _section(config), config.seed, config.output / self.name, progress))


def _section(config: AnalysisConfig) -> InferenceConfig:
    """Return the section, with the calibration of the coefficients that were learned here if it names no other."""
    section = needed(config.inference, "inference", config)
    if section.coefficients is None and section.calibration is None:
        section = section.model_copy(update={"calibration": calibration_of(config, section.source)})
    return _with_learned_backgrounds(section, config)


def _with_learned_backgrounds(section: InferenceConfig, config: AnalysisConfig) -> InferenceConfig:
    """Return the section with the simulated events of backgrounds that the section `sbi` has learned.

    Raises:
        ConfigError: if nothing says how likely events are under a background.
    """
    if family_of(section.source) != SOURCE or not section.backgrounds:
        return section
    variant = section.source.partition(".")[2]
    estimator = None if config.sbi is None else config.sbi.estimators.get(variant)
    learned = {} if estimator is None else estimator.backgrounds
    files, filled = sbi_background_files(config, variant), dict(section.backgrounds)
    for name, background in section.backgrounds.items():
        if background.coefficients is None and name not in learned:
            key = section.source.replace(".", ".also.", 1)
            raise ConfigError(
                f"inference.backgrounds.{name}: nothing says how likely events are under it; give its events to "
                f"`{key}.backgrounds.{name}.store`, or a file of log P_b(x) as `coefficients`"
            )
        if background.events is None and name in learned:
            events = BackgroundEventsConfig(store=learned[name].store, coefficients=files[name])
            filled[name] = background.model_copy(update={"events": events})
    return section.model_copy(update={"backgrounds": filled})


def _of_template(section: InferenceConfig) -> Sequence["TemplateBackgroundConfig"]:
    """Return the backgrounds of the template."""
    return () if section.template is None else tuple(section.template.backgrounds.values())


def _calibration_file(config: AnalysisConfig) -> tuple[Path, ...]:
    """Return the file of the calibration that the section names, if it names one."""
    calibration = _section(config).calibration
    if calibration is None:
        return ()
    if str(calibration) == "pretrained":
        return (pretrained_folder(config.process.name) / "mem" / "calibration.json",)
    return (Path(calibration),)


def _files(config: AnalysisConfig) -> "Files":
    """Return what is read: the coefficients that the section names, or those that the step `mem` leaves."""
    from partonic.inference.samples import Files

    section = _section(config)
    own = estimates_file(config, section.source)
    store = integrated_store(config, section.source)
    signal = section.coefficients or own if section.reads_coefficients else None
    backgrounds = {
        name: each.coefficients or own.with_name(f"{name}.parquet") for name, each in section.backgrounds.items()
    }
    components = {
        name: each.coefficients or own.with_name(f"{name}.parquet") for name, each in section.components.items()
    }
    return Files(store, signal, backgrounds, components, compared_estimators(config))


def _paths(files: "EstimatorFiles") -> Iterator[Path]:
    """Yield the files of an estimator that is compared."""
    for path in (files.coefficients, files.calibration, files.members):
        if path is not None:
            yield path
