"""The steps of an analysis, in order: from generation or import to mem, infer and report.

Each step owns the folder of its name within the output folder. What is heavy is imported when the step runs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from partonic.config.analysis import AnalysisConfig
from partonic.config.importing import ImportConfig
from partonic.errors import ConfigError
from partonic.progress import Progress
from partonic.workflow.classical_step import ClassicalStep
from partonic.workflow.inference_steps import InferStep
from partonic.workflow.mem_steps import MemStep
from partonic.workflow.mem_training_step import MemTrainStep
from partonic.workflow.places import event_store, generation_record, parton_events
from partonic.workflow.sbi_steps import SbiStep, SbiTrainStep
from partonic.workflow.step import Step
from partonic.workflow.surrogate.training_step import SurrogateTrainStep, surrogate_model_files
from partonic.workflow.unfolding_steps import SampleStep, TrainStep

_IMPORTED_FILES = ("weight_points_file", "good_runs", "overlap_with")
"""Keys of the section `import` whose files count by what they hold."""

__all__ = ["STEPS", "GenerateStep", "ImportStep", "ReportStep", "SimulateStep"]


@dataclass(frozen=True)
class GenerateStep:
    """Unweighted parton events with their θ-coefficients, as a Les Houches event file."""

    name: str = "generate"
    version: int = 1
    knows_its_work: bool = True

    def applies(self, config: AnalysisConfig) -> bool:
        """Whether events are generated and not imported."""
        return config.import_ is None

    def settings(self, config: AnalysisConfig) -> Mapping[str, object]:
        """Return process, generation and seed."""
        process = config.process.model_dump(mode="json")
        return {"process": process, "generation": config.generation.physics(), "seed": config.seed}

    def inputs(self, config: AnalysisConfig) -> Sequence[Path]:
        """Nothing is read."""
        return ()

    def outputs(self, config: AnalysisConfig) -> Sequence[Path]:
        """Return the event file and the record of the generation."""
        return (parton_events(config), generation_record(config))

    def run(self, config: AnalysisConfig, progress: Progress) -> str:
        """Train the sampler and generate the events."""
        from partonic.generation.generate import generate_events
        from partonic.processes.definition import build_process, definition_of

        build = partial(build_process, config.process)
        tree, folder = definition_of(config.process).decay_tree(config.process), config.output / self.name
        return str(generate_events(build(), config.generation, config.seed, folder, progress, tree, build))


@dataclass(frozen=True)
class SimulateStep:
    """Decays, shower, detector response and selection of the generated events, into the event store."""

    name: str = "simulate"
    version: int = 1
    knows_its_work: bool = True

    def applies(self, config: AnalysisConfig) -> bool:
        """Whether events are generated and not imported."""
        return config.import_ is None

    def settings(self, config: AnalysisConfig) -> Mapping[str, object]:
        """Return what the simulated events depend on, and the seed; not how many processes make them."""
        return {"simulation": config.simulation.physics(), "seed": config.seed}

    def inputs(self, config: AnalysisConfig) -> Sequence[Path]:
        """Return the parton events, and the files of the surrogate if one takes the place of the simulation.

        Raises:
            ModelError: if the surrogate is not there.
        """
        return (parton_events(config), *surrogate_model_files(config))

    def outputs(self, config: AnalysisConfig) -> Sequence[Path]:
        """Return the event store."""
        return (event_store(config),)

    def run(self, config: AnalysisConfig, progress: Progress) -> str:
        """Simulate the events in chunks, draw them from a surrogate, or store the partons as they are."""
        from partonic.events.importing import import_events
        from partonic.events.schema import ProcessInfo

        process, store = ProcessInfo.of_config(config.process), event_store(config)
        if config.simulation.level == "partons":
            own = ImportConfig(format="lhe", files=(str(parton_events(config)),), theta=config.generation.theta)
            return str(import_events(own, process, store, progress))
        if config.simulation.surrogate is not None:
            from partonic.surrogate.simulate import simulate_by_surrogate

            make = simulate_by_surrogate
        else:
            from partonic.simulation.pipeline import simulate

            make = simulate
        return str(make(parton_events(config), process, config.simulation, config.seed, store, progress))


@dataclass(frozen=True)
class ImportStep:
    """Events of another program or experiment, into the event store."""

    name: str = "import"
    version: int = 1
    knows_its_work: bool = False

    def applies(self, config: AnalysisConfig) -> bool:
        """Whether events are imported."""
        return config.import_ is not None

    def settings(self, config: AnalysisConfig) -> Mapping[str, object]:
        """Return the section `import`, the process, and for HepMC files the detector and the seed of its response."""
        section = _import_of(config)
        settings: dict[str, object] = {
            "import": section.model_dump(mode="json", exclude={"files", "reweight", *_IMPORTED_FILES}),
            "process": config.process.model_dump(mode="json"),
            "addresses": [file for file in self._files(section) if isinstance(file, str)],
        }
        if section.reweight is not None:  # the model counts by what it holds, wherever it lies
            settings |= {"reweight": section.reweight.physics()}
        if section.format == "hepmc":
            settings |= {"simulation": config.simulation.physics(), "seed": config.seed}
        return settings

    def inputs(self, config: AnalysisConfig) -> Sequence[Path]:
        """Return the event files that are here, and the other files that the section names.

        Raises:
            EventFileError: if an event file is missing, or a pattern gives none.
        """
        section = _import_of(config)
        others = [getattr(section, name) for name in ("weight_points_file", "good_runs")]
        here = [file for file in self._files(section) if isinstance(file, Path)]
        return (*here, *(path for path in others if path is not None), *section.overlap_with, *_model_files(section))

    @staticmethod
    def _files(section: ImportConfig) -> Sequence[Path | str]:
        from partonic.events.readers.files import sample_files

        return sample_files(section)

    def outputs(self, config: AnalysisConfig) -> Sequence[Path]:
        """Return the event store."""
        return (event_store(config),)

    def run(self, config: AnalysisConfig, progress: Progress) -> str:
        """Read the files into a store."""
        from partonic.events.importing import ImportResult, import_events
        from partonic.events.schema import ProcessInfo

        section, process, store = _import_of(config), ProcessInfo.of_config(config.process), event_store(config)

        def read(section: ImportConfig, store: Path) -> ImportResult:
            if section.format == "hepmc":
                from partonic.simulation.import_particles import import_particles

                return import_particles(section, process, config.simulation, config.seed, store, progress)
            return import_events(section, process, store, progress)

        if section.reweight is not None:
            from partonic.reweighting.imported import import_reweighted

            return str(import_reweighted(section, store, read, progress))
        return str(read(section, store))


@dataclass(frozen=True)
class ReportStep:
    """The HTML page with its figures."""

    name: str = "report"
    version: int = 2
    knows_its_work: bool = False

    def applies(self, config: AnalysisConfig) -> bool:
        """Every analysis has a report."""
        return True

    def settings(self, config: AnalysisConfig) -> Mapping[str, object]:
        """Return the section `report`."""
        return {"report": config.report.model_dump(mode="json")}

    def inputs(self, config: AnalysisConfig) -> Sequence[Path]:
        """Return the event store, the record of the generation if the events are our own, the models judged, limits.

        Raises:
            ModelError: if a model to judge is not there.
        """
        from partonic.trained.model_files import model_files
        from partonic.workflow.limit_files import limit_files
        from partonic.workflow.models_in_report import judged_model_folders

        limits = limit_files(config)
        record = () if config.import_ else (generation_record(config),)
        models = [path for folder in judged_model_folders(config) for path in model_files(folder)]
        return tuple(dict.fromkeys((event_store(config), *record, *models, *(limits.paths() if limits else ()))))

    def later_inputs(self, config: AnalysisConfig) -> Sequence[Path]:
        """Return the files on the way to limits, which the page shows if they are there."""
        from partonic.workflow.limit_files import possible_limit_files

        return possible_limit_files(config)

    def outputs(self, config: AnalysisConfig) -> Sequence[Path]:
        """Return the page and its numbers."""
        folder = config.output / self.name
        return (folder / "index.html", folder / "report.json")

    def run(self, config: AnalysisConfig, progress: Progress) -> str:
        """Fill the histograms and write the page."""
        from partonic.processes.definition import definition_of
        from partonic.report.build import build_report
        from partonic.report.labels import curve_parameters, labels_of
        from partonic.workflow.limit_files import limit_files
        from partonic.workflow.models_in_report import judged_model_folders

        generation = None if config.import_ else generation_record(config)
        along = curve_parameters({} if config.inference is None else config.inference.curves)
        with labels_of([*definition_of(config.process).parameters(config.process), *along]):
            page = build_report(
                event_store(config), config.output / self.name, config.report, generation=generation,
                models=judged_model_folders(config), limits=limit_files(config), progress=progress,
            )  # fmt: skip
        return f"the report is {page}"


def _model_files(section: ImportConfig) -> Sequence[Path]:
    """Return the files of the model that imported events are reweighted with.

    Raises:
        ConfigError: if there is no model.
    """
    if section.reweight is None:
        return ()
    from partonic.physics.amplitudes.artifacts import model_files

    model, card = section.reweight.model, section.reweight.card
    if not model.exists():
        raise ConfigError(f"there is no model {model}; mend the key import.reweight.model")
    return (*model_files(model), *([card] if card is not None else []))


def _import_of(config: AnalysisConfig) -> ImportConfig:
    if config.import_ is None:
        raise ConfigError(f"the analysis '{config.name}' imports no events: it has no section `import`")
    return config.import_


STEPS: tuple[Step, ...] = (
    GenerateStep(),
    SimulateStep(),
    ImportStep(),
    TrainStep(),
    MemTrainStep(),
    SurrogateTrainStep(),
    SampleStep(),
    MemStep(),
    ClassicalStep(),
    SbiTrainStep(),
    SbiStep(),
    InferStep(),
    ReportStep(),
)
