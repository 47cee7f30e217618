"""A whole analysis: one section per room, validated together before any work starts."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from pydantic import Field, model_validator

from partonic.config.base import SettingError, StrictModel
from partonic.config.classical import ClassicalConfig
from partonic.config.decays import check_decays
from partonic.config.document import Location
from partonic.config.generation import GenerationConfig
from partonic.config.importing import ImportConfig
from partonic.config.inference import InferenceConfig
from partonic.config.loader import load_config
from partonic.config.mem import MemConfig
from partonic.config.mem_training.section import MemNetworksConfig
from partonic.config.names import nearest
from partonic.config.paths import LocalPath
from partonic.config.process import AnyProcess, ProcessConfig, default_settings, parameter_names
from partonic.config.report import ReportConfig
from partonic.config.sbi.variants import SOURCE, SbiSection, variant_source
from partonic.config.simulation import SimulationConfig
from partonic.config.surrogate import SurrogateTrainingConfig
from partonic.config.unfolding import UnfoldingConfig
from partonic.process_registry import default_process, find_process, process_names

__all__ = ["AnalysisConfig", "load_analysis"]


class AnalysisConfig(StrictModel):
    """An analysis, from the hard process to the report."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.+-]*$")
    """Name of the analysis: letters, digits and ``_ . + -``. The results go to ``runs/<name>`` unless `output` says
    otherwise."""

    output: LocalPath = Path()
    """Folder of the results, relative to where the command is run; by default ``runs/<name>``."""

    seed: int = Field(1, ge=0)
    """Root seed of everything random. The same file with the same seed gives the same events."""

    process: AnyProcess = Field(default_factory=default_settings)
    """The hard process: the settings of the one that its key `name` names."""

    generation: GenerationConfig = GenerationConfig()
    """Parton-level events from the matrix element."""

    simulation: SimulationConfig = SimulationConfig()
    """Decays, shower, detector response and selection."""

    import_: ImportConfig | None = Field(None, alias="import")
    """Events of another program or experiment, in place of generation and simulation."""

    unfolding: UnfoldingConfig | None = None
    """Networks that sample parton-level events for reconstructed ones: trained here, or ready. Absent: no unfolding;
    ``{}``: with all defaults."""

    mem_training: MemNetworksConfig | None = None
    """Networks of the matrix element method to be trained here. Absent: none are; ``{}``: with all defaults."""

    surrogate_training: SurrogateTrainingConfig | None = None
    """A learned detector to be trained here, for `simulation.surrogate` of other analyses. Absent: none is; ``{}``:
    with all defaults."""

    mem: MemConfig | None = None
    """Integrals of the matrix element method for the selected events. Absent: none; ``{}``: with all defaults."""

    classical: ClassicalConfig | None = None
    """The same integrals by the classical form of the method, for `inference.source: classical`. Absent: none; ``{}``:
    with all defaults."""

    sbi: SbiSection | None = None
    """Networks that learn likelihood ratios from simulated events, and coefficients of the others with them; several
    beside each other with `also`. Absent: none; ``{}``: with all defaults."""

    inference: InferenceConfig | None = None
    """Likelihood and limits of the theory parameters. Absent: none; ``{}``: with all defaults."""

    report: ReportConfig = ReportConfig()
    """The HTML page and its figures."""

    @model_validator(mode="before")
    @classmethod
    def _defaults_of_the_process(cls, content: Any) -> Any:
        """Fill in what the process has in place of the general defaults, such as its decays and selection."""
        if not isinstance(content, Mapping):
            return content
        process = content.get("process", {})
        section = vars(process) if isinstance(process, ProcessConfig) else process
        name = section.get("name", default_process()) if isinstance(section, Mapping) else ""
        if name not in process_names():
            return content  # the section itself says so
        return _filled(content, find_process(name).section_defaults(section))

    @model_validator(mode="after")
    def _output_has_a_name(self) -> "AnalysisConfig":
        if self.output == Path():
            object.__setattr__(self, "output", Path("runs") / self.name)
        return self

    @model_validator(mode="after")
    def _decays_are_those_of_the_process(self) -> "AnalysisConfig":
        if self.import_ is None and self.simulation.level == "detector":  # others have the decays of their file
            tree = find_process(self.process.name).decay_tree(self.process)
            of_shower = [resonance.pdg_ids for resonance in tree.of_shower]
            check_decays(self.simulation.decays, self.process.name, of_shower)
        return self

    @model_validator(mode="after")
    def _has_the_matrix_element_it_needs(self) -> "AnalysisConfig":
        if find_process(self.process.name).has_matrix_element:
            return self
        name = self.process.name
        if self.import_ is None:
            message = f"the process '{name}' has no matrix element to generate events from: add a section `import`"
            raise SettingError(("process", "name"), message)
        for key in _NEED_TOPS:
            if getattr(self, key) is not None:
                message = (
                    f"needs the matrix element of the process, and '{name}' has none: remove this section, and use "
                    "`inference.source: truth`, or coefficients of another program (`inference.coefficients`)"
                )
                raise SettingError((key,), message)
        return self

    @model_validator(mode="after")
    def _methods_know_the_final_state(self) -> "AnalysisConfig":
        """Refuse what integrates over or unfolds to tops where the final state has none, or another number of them."""
        tree = find_process(self.process.name).decay_tree(self.process)
        has_pair = {(6,), (-6,)} <= {resonance.pdg_ids for resonance in tree.of_shower}
        one = sum(resonance.is_top for resonance in tree.of_shower) == 1
        for key in _NEED_TOPS:
            takes_one = key in ("mem_training", "surrogate_training", "mem")
            if getattr(self, key) is None or has_pair or (one and takes_one):
                continue
            decayed = any(resonance.is_top for resonance in tree.of_matrix_element)
            message = (
                f"works on {'one top or ' if takes_one else ''}a top pair on its mass shells, and the process "
                f"'{self.process.name}' "
                + ("has decayed its tops: set process.decays to shower, or " if decayed else "has none: ")
                + "remove this section and use `inference.source: truth`"
            )
            raise SettingError((key,), message)
        return self

    @model_validator(mode="after")
    def _partons_stay_partons(self) -> "AnalysisConfig":
        """Refuse what needs reconstructed objects where events are partons."""
        partons = self.simulation.level == "partons"
        if partons and self.import_ is not None and self.import_.format == "hepmc":
            message = "HepMC events pass through the detector response: leave it out"
            raise SettingError(("simulation", "level"), message)
        for key in _NEED_TOPS:
            if partons and self.import_ is None and getattr(self, key) is not None:
                message = "works on reconstructed objects, and with `simulation.level: partons` there are none"
                raise SettingError((key,), message)
        learned = self.sbi.estimators if partons and self.import_ is None and self.sbi is not None else {}
        for name, each in learned.items():
            place = ("sbi", "also", name) if name else ("sbi",)
            if each.network.sees_objects or "high_level" in each.features:
                message = (
                    "reconstructed objects are looked at, and with `simulation.level: partons` there are none: take "
                    "the backbone mlp, and features of partons, e.g. [s_hat, t_hat]"
                )
                raise SettingError(place, message)
        return self

    @model_validator(mode="after")
    def _surrogate_makes_own_events(self) -> "AnalysisConfig":
        """Refuse a surrogate of events that are not simulated here, or that learns from itself."""
        if self.simulation.surrogate is None:
            return self
        if self.import_ is not None:
            message = "takes the place of the simulation of generated events, and this analysis imports them: remove it"
            raise SettingError(("simulation", "surrogate"), message)
        if self.surrogate_training is not None and not self.surrogate_training.stores:
            message = "the events of this analysis are made by a surrogate: name stores of simulated events"
            raise SettingError(("surrogate_training", "stores"), message)
        return self

    @model_validator(mode="after")
    def _theory_parameters_are_known(self) -> "AnalysisConfig":
        known = parameter_names(self.process)
        for location, point in self._theta_points():
            for name in point:
                if name not in known:
                    raise SettingError(
                        (*location, name),
                        f"the process '{self.process.name}' has no theory parameter '{name}'; {nearest(name, known)}",
                    )
        return self

    @model_validator(mode="after")
    def _learned_source_is_there(self) -> "AnalysisConfig":
        """Refuse a fit of a variant of the section `sbi` that the section does not have."""
        source = "" if self.inference is None else self.inference.source
        if not source.startswith(f"{SOURCE}.") or (self.inference and self.inference.coefficients is not None):
            return self
        known = [variant_source(name) for name in (self.sbi.estimators if self.sbi else ())]
        if source not in known:
            message = f"no variant in `sbi.also` makes the coefficients of '{source}'; {nearest(source, known)}"
            raise SettingError(("inference", "source"), message)
        return self

    @model_validator(mode="after")
    def _targets_of_smearing_are_known(self) -> "AnalysisConfig":
        smearing = self.simulation.fractional_smearing
        if self.import_ is not None or smearing is None:
            return self
        known = find_process(self.process.name).monomials(self.process).names[1:]
        for index, target in enumerate(smearing.targets or ()):
            if target not in known:
                location = ("simulation", "fractional_smearing", "targets", index)
                message = f"'{target}' is no monomial of the process '{self.process.name}'; {nearest(target, known)}"
                raise SettingError(location, message)
        return self

    @model_validator(mode="after")
    def _parameters_that_are_not_named_are_those_of_the_standard_model(self) -> "AnalysisConfig":
        """Complete the θ points of events and report by the Standard Model, where that is not θ = 0."""
        own = find_process(self.process.name).parameters(self.process)
        standard = {parameter.name: parameter.standard_model for parameter in own if parameter.standard_model}
        if not standard:
            return self
        completed: dict[str, StrictModel] = {}
        for section, keys in _POINTS_OF_THETA.items():
            model = getattr(self, section)
            if model is not None:
                completed[section] = _with_points(model, keys, standard)
        for section, model in completed.items():
            object.__setattr__(self, section, model)
        return self

    def _theta_points(self) -> Iterator[tuple[Location, Mapping[str, float]]]:
        """Yield every mapping from parameter names to values, with where it is."""
        yield ("generation", "theta"), self.generation.theta
        yield ("generation", "weight_scales"), self.generation.weight_scales
        for index, point in enumerate(self.generation.theta_mixture):
            yield ("generation", "theta_mixture", index), point
        if self.import_ is not None:
            yield ("import", "theta"), self.import_.theta
            for weight, point in self.import_.weight_points.items():
                yield ("import", "weight_points", weight), point
            if self.import_.reweight is not None:
                yield ("import", "reweight", "parameters"), dict.fromkeys(self.import_.reweight.parameters, 0.0)
        if self.sbi is not None:
            for place, values in self.sbi.theta_points():
                yield ("sbi", *place), values
        if self.inference is not None:
            for place, values in self.inference.theta_points():
                yield ("inference", *place), values
        yield ("report", "reference"), self.report.reference
        for index, point in enumerate(self.report.theta):
            yield ("report", "theta", index), point


_NEED_TOPS: Final = ("unfolding", "mem_training", "surrogate_training", "mem", "classical")
"""Sections that need the matrix element of the process, tops, and reconstructed objects."""

_POINTS_OF_THETA: Final = {
    "generation": ("theta", "theta_mixture"),
    "import_": ("theta", "weight_points"),
    "sbi": ("reference",),
    "report": ("reference", "theta"),
}
"""Keys that hold a θ point, a list of them, or (`weight_points`) points by name; `inference` completes its own."""


def _with_points(section: StrictModel, keys: tuple[str, ...], standard: Mapping[str, float]) -> StrictModel:
    """Return a section with the θ points of its keys completed, those of its variants, too."""
    changes: dict[str, Any] = {key: _completed(key, getattr(section, key), standard) for key in keys}
    if isinstance(section, SbiSection):
        changes["also"] = {name: _with_points(variant, keys, standard) for name, variant in section.also.items()}
    return section.model_copy(update=changes)


def _completed(key: str, value: Any, standard: Mapping[str, float]) -> Any:
    """Return the θ points of a key with the parameters not named at their `standard` values."""
    if isinstance(value, tuple):
        return tuple({**standard, **point} for point in value)
    if key == "weight_points":
        return {name: {**standard, **point} for name, point in value.items()}
    return {**standard, **value}


def _filled(content: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    """Return `content` with the keys that it lacks taken from `defaults`, section by section.

    A section that is given as something else than a mapping is left as it is.
    """
    filled = dict(content)
    for key, value in defaults.items():
        if key not in filled:
            filled[key] = value
        elif isinstance(value, Mapping) and isinstance(filled[key], Mapping):
            filled[key] = _filled(filled[key], value)
    return filled


def load_analysis(path: Path, output: Path | None = None) -> AnalysisConfig:
    """Read and validate an analysis file.

    Args:
        path: the YAML file.
        output: folder of the results in place of the one in the file.

    Raises:
        ConfigError: if the file cannot be read or is not a valid analysis; the message names key, line and remedy.
    """
    config = load_config(path, AnalysisConfig)
    return config if output is None else config.model_copy(update={"output": output})
