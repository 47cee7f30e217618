"""Is everything there that an analysis needs? Answered in seconds, without running it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from partonic.config.analysis import AnalysisConfig
from partonic.config.mem_training.section import MemNetworksConfig
from partonic.config.sbi import SbiConfig
from partonic.config.sbi.variants import SbiSection
from partonic.config.unfolding import UnfoldingConfig
from partonic.errors import DependencyError, EventFileError, PartonicError, WorkflowError
from partonic.workflow.checks.names import check_calibrations, check_features, check_observables
from partonic.workflow.checks.surrogate import surrogate_is_ready, surrogate_training_is_ready
from partonic.workflow.checks.weight_samples import check_weight_samples
from partonic.workflow.lock import folder_lock
from partonic.workflow.physics_check import cross_section_is_plausible, matrix_element_agrees
from partonic.workflow.places import trained_sbi
from partonic.workflow.state import WorkflowState

__all__ = ["Finding", "check_analysis"]

_Extras = dict[str, tuple[str, ...]]
_OWN_EVENTS: _Extras = {
    "generation": ("madnis",),
    "simulation": ("dask", "distributed", "fastjet", "pythia8mc"),
}
_OWN_PARTONS: _Extras = {"generation": ("madnis",), "simulation": ("dask", "distributed")}
_EXTERNAL: _Extras = {"ufo": ("pyamplicol",)}
_TRAINING: _Extras = {"training": ("lightning",)}
_CLASSIFIER: _Extras = {"classifier": ("sklearn",)}
_BACKBONES: dict[str, _Extras] = {
    "lgatr": {"sbi": ("lgatr",)},
    "lgatr_slim": {"sbi": ("lgatr",)},
    "lloca": {"lloca": ("lloca",)},
}
"""What networks need beside the packages of trainings."""
_MEM: _Extras = {"mem": ("dask", "distributed")}
_INFERENCE: _Extras = {"inference": ("dask", "distributed", "iminuit")}
_REPORT: _Extras = {"report": ("jinja2", "matplotlib")}
_READERS: dict[str, _Extras] = {
    "lhe": {},
    "nanoaod": {"readers": ("awkward", "uproot")},
    "delphes": {"readers": ("awkward", "uproot")},
    "hepmc": {"readers": ("pyhepmc",), "simulation": ("fastjet",)},
}
"""Packages that the steps import, by the extra that brings them."""

_ENGINES: dict[str, _Extras] = {
    "pyamplicol": {"ufo": ("pyamplicol", "dask", "distributed")},
    "ufoamp": {"ufo": ("ufoamp", "dask", "distributed")},
    "madgraph": {"ufo": ("dask", "distributed")},
}


@dataclass(frozen=True)
class Finding:
    """The answer to one question.

    Attributes:
        subject: what was looked at.
        passed: whether it is as it must be.
        detail: what was found; what to do if it is not as it must be.
    """

    subject: str
    passed: bool
    detail: str

    def __str__(self) -> str:
        """Return one line for the terminal."""
        return f"{'ok    ' if self.passed else 'FAILED'} {self.subject}: {self.detail}"


Check = Callable[[AnalysisConfig], str]


def check_analysis(config: AnalysisConfig) -> Iterator[Finding]:
    """Check an analysis that has been read (so that its file is valid), one finding after the other."""
    yield Finding("configuration", passed=True, detail=f"analysis '{config.name}', seed {config.seed}")
    for subject, check in checks_of(config):
        try:
            yield Finding(subject, passed=True, detail=check(config))
        except PartonicError as error:
            yield Finding(subject, passed=False, detail=str(error))


def checks_of(config: AnalysisConfig) -> Sequence[tuple[str, Check]]:
    """Return the questions that matter for this analysis."""
    common: list[tuple[str, Check]] = [("packages", packages_are_installed), ("output", output_is_writable)]
    if config.unfolding:
        common.append(("unfolding", unfolding_is_ready))
    if config.mem_training:
        common.append(("mem_training", mem_training_is_ready))
    if config.surrogate_training:
        common.append(("surrogate_training", surrogate_training_is_ready))
    if config.mem:
        common.append(("mem", mem_is_ready))
    if config.classical:
        common.append(("classical", classical_is_ready))
    if config.sbi:
        common.append(("sbi", sbi_is_ready))
    if config.inference:
        common.append(("inference", inference_is_ready))
    if config.import_:
        model = (("model", model_is_ready),) if config.import_.reweight else ()
        return (*common, ("files", files_exist), *model)
    process = (("matrix element", matrix_element_agrees), ("process", cross_section_is_plausible))
    if config.simulation.surrogate:
        return (*common, *process, ("surrogate", surrogate_is_ready))
    return (*common, *process, ("shower", pythia_accepts))


def packages_are_installed(config: AnalysisConfig) -> str:
    """Look for the packages that the steps import.

    Raises:
        DependencyError: naming the packages that are missing and the extras that bring them.
    """
    needed = _needed_packages(config)
    missing = {extra: [name for name in names if find_spec(name) is None] for extra, names in needed.items()}
    lacking = [name for names in missing.values() for name in names]
    if lacking:
        extras = ",".join(extra for extra, names in missing.items() if names)
        raise DependencyError(
            f"not installed: {', '.join(lacking)}; install them with: pip install 'partonic[{extras}]'"
        )
    return f"found {', '.join(dict.fromkeys(name for names in needed.values() for name in names))}"


def _needed_packages(config: AnalysisConfig) -> _Extras:
    unshowered = config.simulation.level == "partons" or config.simulation.surrogate is not None
    own = _OWN_PARTONS if unshowered else _OWN_EVENTS
    events = _READERS[config.import_.format] if config.import_ else own
    trains = config.mem_training is not None or (config.unfolding is not None and config.unfolding.model is None)
    external = _packages_of(config) if config.import_ is None else {}
    if config.import_ and config.import_.reweight:
        events = {**events, **_ENGINES[config.import_.reweight.engine]}
    wanted = (
        (bool(external), external),
        (trains, _TRAINING),
        (config.surrogate_training, _TRAINING | _CLASSIFIER),
        *((True, _packages_of_sbi(each)) for each in (config.sbi.estimators.values() if config.sbi else ())),
        (config.mem or config.classical, _MEM),
        (config.inference, _INFERENCE),
    )
    needed = _REPORT | events
    for is_wanted, extras in wanted:
        for extra, names in (extras if is_wanted else {}).items():
            needed = {**needed, extra: tuple(dict.fromkeys((*needed.get(extra, ()), *names)))}
    return needed


def _packages_of_sbi(config: SbiConfig) -> _Extras:
    """Return what trees or networks need."""
    if config.method == "trees":
        return {"sbi": ("numba",)}
    return _TRAINING | _BACKBONES.get(config.network.backbone, {})


def _packages_of(config: AnalysisConfig) -> _Extras:
    """Return what the matrix element needs."""
    from partonic.processes.definition import definition_of

    return {extra: tuple(modules) for extra, modules in definition_of(config.process).packages.items()}


def output_is_writable(config: AnalysisConfig) -> str:
    """Take and free the lock of the output folder, and read its records.

    Raises:
        OutputError: if the folder cannot be written.
        WorkflowError: if another run holds it.
    """
    with folder_lock(config.output):
        done = [name for name, record in WorkflowState(config.output).records.items() if record.finished]
    return f"{config.output} can be written; steps done there: {', '.join(done) or 'none'}"


def files_exist(config: AnalysisConfig) -> str:
    """Look for the event files that are imported.

    Raises:
        EventFileError: naming those that are missing.
    """
    from partonic.events.readers.files import sample_files

    files = sample_files(config.import_) if config.import_ else ()
    elsewhere = sum(isinstance(file, str) for file in files)
    return f"{len(files) - elsewhere} event files found" + (f", {elsewhere} on other machines" if elsewhere else "")


def model_is_ready(config: AnalysisConfig) -> str:
    """Look for the model that imported events are reweighted with, and for consent to run its code.

    Raises:
        ConfigError: if one of them is missing.
    """
    from partonic.reweighting.engine import check_model

    section = config.import_.reweight if config.import_ else None
    if section is None:
        return "none is needed"
    check_model(section)
    return f"{section.model} found, for {section.engine}"


def pythia_accepts(config: AnalysisConfig) -> str:
    """Have Pythia read its settings.

    Raises:
        ConfigError: naming the setting that Pythia rejects.
    """
    if config.simulation.level == "partons":
        return "not needed: events stay partons"
    from partonic.simulation.pipeline import check_simulation

    check_simulation(config.simulation)
    return f"Pythia accepts all settings, {len(config.simulation.pythia_settings)} of them from the analysis file"


def unfolding_is_ready(config: AnalysisConfig) -> str:
    """Look for the trained models that the analysis names, or for the event stores to train on.

    Raises:
        ModelError: if a model is not there.
        EventFileError: naming the stores that are missing.
    """
    from partonic.trained.model_files import find_model

    section = config.unfolding or UnfoldingConfig()
    if section.model is not None:
        folders = [str(find_model(section.model, config.process.name, view)) for view in section.views]
        return f"trained models found: {', '.join(folders)}"
    _check_files(section.stores, "unfolding.stores")
    source = f"{len(section.stores)} event stores found" if section.stores else "the events of this analysis"
    return f"networks of the preset '{section.preset}' are trained on {source}"


def mem_training_is_ready(config: AnalysisConfig) -> str:
    """Look for what the networks of the matrix element method are trained on: event stores, and models already trained.

    Raises:
        EventFileError: naming the stores that are missing.
        ModelError: if a model that events are drawn from, or that the training starts from, is not there.
    """
    from partonic.mem.models import training_model_files

    section = config.mem_training or MemNetworksConfig()
    _check_files(section.stores, "mem_training.stores")
    training_model_files(section, config.process.name)
    source = f"{len(section.stores)} event stores found" if section.stores else "the events of this analysis"
    return f"{', '.join(section.parts)} of the preset '{section.preset}' are trained on {source}"


def mem_is_ready(config: AnalysisConfig) -> str:
    """Look for the models and the event store of the matrix element method, but for those that are made here.

    Raises:
        ConfigError: if the branching fraction of the decays is not known.
        EventFileError: if the store is not there.
        ModelError: if a model is not there, or lacks the sets of weights that are asked for.
        ProcessError: if the method does not work with these decays.
    """
    from partonic.workflow.mem_steps import MemStep, hypothesis

    hypothesis(config)
    check_weight_samples(config)
    made_here = config.output.resolve()
    files = [path for path in MemStep().inputs(config) if made_here not in path.resolve().parents]
    _check_files([path for path in files if path.suffix == ".parquet"], "mem.store")
    models = dict.fromkeys(str(path.parent) for path in files if path.name == "model.json")
    return f"trained models found: {', '.join(models) or 'none yet, they are trained here'}"


def classical_is_ready(config: AnalysisConfig) -> str:
    """Look for the files that the classical matrix element method reads, but for those that are made here.

    Raises:
        ModelError: if no transfer functions ship for the process and none are named.
        EventFileError: naming the files that are missing.
    """
    from partonic.workflow.classical_step import ClassicalStep

    made_here = config.output.resolve()
    files = [path for path in ClassicalStep().inputs(config) if made_here not in path.resolve().parents]
    _check_files(files, "classical")
    return f"{len(files)} files found: transfer functions and stores of other analyses"


def sbi_is_ready(config: AnalysisConfig) -> str:
    """Look for the event stores that simulation-based inference is trained on, or for the models that are ready.

    Raises:
        ConfigError: if they are the events that are fitted, or none is left to be fitted.
        EventFileError: naming those that are missing.
        ModelError: if a model that the section names is not there.
        WorkflowError: if no step makes the coefficients that are features.
    """
    from partonic.workflow.sbi_steps import SbiStep, SbiTrainStep

    told = []
    for name, section in (config.sbi or SbiSection()).estimators.items():
        SbiStep(name).inputs(config)
        beginning, key = (f"{name}: ", f"sbi.also.{name}") if name else ("", "sbi")
        if section.model is None:
            check_features(config, section, key)
        for feature, paths in section.coefficients.items():
            _check_files(paths, f"{key}.coefficients.{feature}")
        if section.model is not None:
            told.append(f"{beginning}trained model found: {trained_sbi(config, name)}")
            continue
        _check_files(section.stores, f"{key}.stores")
        _check_files([each.store for each in section.backgrounds.values()], f"{key}.backgrounds")
        needed = (*SbiTrainStep(name).inputs(config), *SbiStep(name).inputs(config))
        _check_made_here(needed, config, f"{key}.features")
        stores = len(section.stores)
        source = f"{stores} event stores found" if stores else "a part of the events of this analysis"
        told.append(f"{beginning}'{section.method}' of the preset '{section.preset}' is trained on {source}")
    return "; ".join(told)


def inference_is_ready(config: AnalysisConfig) -> str:
    """Look for the files that the inference reads, but for those that steps of the analysis make.

    Raises:
        ConfigError: if an observable, or an estimator that is calibrated, does not exist.
        EventFileError: naming those that are missing.
        WorkflowError: if no step makes the coefficients that `inference.source` asks for.
    """
    from partonic.workflow.inference_steps import InferStep

    check_calibrations(config)
    check_observables(config)
    _check_made_here(InferStep().inputs(config), config, "inference.source")
    made_here = config.output.resolve()
    files = [path for path in InferStep().inputs(config) if made_here not in path.resolve().parents]
    _check_files(files, "inference")
    return f"{len(files)} files of other analyses found"


def _check_made_here(paths: Sequence[Path], config: AnalysisConfig, key: str) -> None:
    """Check that a section of the analysis makes each file in its folder that is not there."""
    from partonic.workflow.step import steps_of
    from partonic.workflow.steps import STEPS

    made = {path for step in steps_of(config, STEPS) for path in step.outputs(config)}
    missing = [path for path in paths if path not in made and not path.is_file()]
    if missing and missing[0].parent.parent == config.output:
        if missing[0].parent in {path.parent for path in made}:  # its section is there
            raise WorkflowError(
                f"{missing[0]} is read (section `{key.partition('.')[0]}`), and no step makes it: make it by a "
                "command, e.g. `partonic sbi --store ... --model ... --output ...`, or name another file"
            )
        maker = missing[0].parent.name.replace("sbi.", "sbi.also.", 1)
        raise WorkflowError(
            f"`{key}` asks for {missing[0]}, which the section `{maker}` makes, and there is none: add "
            f"`{maker}: {{}}`, or choose another source"
        )


def _check_files(paths: Sequence[Path], key: str) -> None:
    missing = [str(path) for path in paths if not path.is_file()]
    if missing:
        raise EventFileError(f"there is no file {', '.join(missing)}; mend the key {key}")
