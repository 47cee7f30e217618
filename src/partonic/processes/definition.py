"""What a process says of itself: parameters, final state, decays, defaults, checks, and how to build it.

A folder of `partonic.processes`, or an entry point of another package, names one object with these attributes and
methods. Subclass `ProcessDefinition` and you need to write only what differs from the defaults here. Nothing heavy is
imported before `build`, `monomials`, `checks` or `observables` are called.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

from partonic.config.process import ProcessConfig
from partonic.process_registry import find_process, process_names
from partonic.processes.decay_tree import DecayTree

if TYPE_CHECKING:
    from torch import Tensor

    from partonic.physics.amplitudes.amplitude import Amplitude
    from partonic.physics.particles import Particle
    from partonic.physics.process import Process
    from partonic.polynomial import Monomials

__all__ = [
    "MatrixElementCheck",
    "PartonObservable",
    "ProcessDefinition",
    "TheoryParameter",
    "build_process",
    "definition_of",
    "parameter_labels",
    "parameter_units",
    "standard_model",
]


@dataclass(frozen=True)
class TheoryParameter:
    """A parameter of the theory.

    Attributes:
        name: as in analysis files, e.g. ``"c_tG"``.
        label: in the mathematics of matplotlib, with dollar signs.
        description: the term of the Lagrangian, with the convention of its sign.
        unit: e.g. ``"TeV⁻²"`` for a Wilson coefficient over Λ²; empty for a pure number.
        standard_model: its value in the Standard Model.
        sensible: the range of values for which the description by the process makes sense.
    """

    name: str
    label: str
    description: str
    unit: str = ""
    standard_model: float = 0.0
    sensible: tuple[float, float] = (-10.0, 10.0)


@dataclass(frozen=True)
class PartonObservable:
    """A function of the partons at which the effect of θ is shown.

    Attributes:
        name: short name, for files and results.
        label: in the mathematics of matplotlib.
        bins: number of bins, lower and upper end.
        of: from the momenta `(N, n, 4)` in GeV and the PDG ids `(N, n)` of the partons to the values `(N,)`.
        unit: ``"GeV"``, ``"rad"`` or empty.
        logarithmic: whether the contents are best shown on a logarithmic axis.
    """

    name: str
    label: str
    bins: tuple[int, float, float]
    of: "Callable[[Tensor, Tensor], Tensor]"
    unit: str = ""
    logarithmic: bool = False


@dataclass(frozen=True)
class MatrixElementCheck:
    """|M|² at a point, from a program that is not ours.

    Attributes:
        label: e.g. ``"gg → ttH"``.
        amplitude: the channel.
        momenta: of all particles, incoming ones first, (E, px, py, pz) in GeV.
        coefficients: expected coefficients by the name of their monomial, in the units of `Amplitude.coefficients`.
        alpha_s: strong coupling.
        tolerance: largest relative deviation.
    """

    label: str
    amplitude: "Amplitude"
    momenta: tuple[tuple[float, float, float, float], ...]
    coefficients: Mapping[str, float]
    alpha_s: float = 0.118
    tolerance: float = 1e-8


@dataclass(frozen=True)
class ProcessDefinition:
    """A hard process as it is known before anything is computed.

    Attributes:
        name: short name, e.g. ``"wz"``: the value of ``process.name``.
        title: the reaction, e.g. ``"pp → W±Z → 3ℓν"``.
        summary: what `partonic processes <name>` prints: approximations, what θ means, where the numbers come from.
        settings: the model of the section `process`.
        defaults: defaults of other sections of an analysis file with this process, as they would be written there.
        decay_channels: choices of decays for which `partonic new` writes a file, with the sections of each; there is at
            least one. ``simulation`` holds decays and selection.
        examples: names of analysis files in ``examples/``.
        has_matrix_element: whether `build` gives a matrix element.
        packages: modules that the matrix element needs beyond those of generation, by the extra that brings them.
    """

    name: str
    title: str
    summary: str
    settings: type[ProcessConfig]
    defaults: Mapping[str, Any] = field(default_factory=dict)
    decay_channels: Mapping[str, Mapping[str, Any]] = field(default_factory=lambda: {"default": {}})
    examples: tuple[str, ...] = ()
    has_matrix_element: bool = True
    packages: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def default_settings(self) -> ProcessConfig:
        """Return the settings of a file that gives none."""
        return self.settings.model_validate({"name": self.name})

    def section_defaults(self, section: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return defaults of other sections for a section `process` as it is written, before it is validated.

        By default `defaults`, whatever it says.
        """
        return self.defaults

    def parameters(self, settings: ProcessConfig) -> tuple[TheoryParameter, ...]:
        """Return the theory parameters, in the order of θ; none by default."""
        return ()

    def final_state(self, settings: ProcessConfig) -> "tuple[Particle, ...]":
        """Return the n final-state particles in the order of the momenta, as in the first channel.

        Other channels may have other flavours and charges in the same places, of the same masses.
        """
        raise NotImplementedError

    def final_states(self, settings: ProcessConfig) -> tuple[tuple[int, ...], ...]:
        """Return the PDG ids of every final state that a channel has, in the order of the channels.

        By default that of `final_state`. A process whose channels differ (charge conjugates, flavours) lists them all,
        because events must be told apart where no matrix element can be built.
        """
        return (tuple(particle.pdg_id for particle in self.final_state(settings)),)

    def monomials(self, settings: ProcessConfig) -> "Monomials":
        """Return the monomials of θ: by default all up to the second degree."""
        from partonic.polynomial import Monomials

        names = [parameter.name for parameter in self.parameters(settings)]
        return Monomials.up_to_degree(names, 2) if names else Monomials.constant()

    def decay_tree(self, settings: ProcessConfig) -> DecayTree:
        """Return the resonances among the final state, or of which it is made; none by default."""
        return DecayTree()

    def build(self, settings: ProcessConfig) -> "Process":
        """Return the process with its matrix element and parton densities.

        Raises:
            PdfError: if the parton distributions are missing.
            ProcessError: if there is no matrix element, or the settings leave no phase space.
            DependencyError: if an external generator is needed and not installed.
        """
        raise NotImplementedError

    def checks(self) -> tuple[MatrixElementCheck, ...]:
        """Return points at which `partonic check` compares |M|²; none by default."""
        return ()

    def observables(self, partons: tuple[str, ...]) -> tuple[PartonObservable, ...]:
        """Return further observables of the partons with these names that the report shows; none by default."""
        return ()


def definition_of(settings: ProcessConfig) -> ProcessDefinition:
    """Return the definition to which the settings belong."""
    definition: ProcessDefinition = find_process(settings.name)
    return definition


def build_process(settings: ProcessConfig) -> "Process":
    """Return the process that an analysis file asks for.

    Raises:
        PdfError: if the parton distributions are missing.
        ProcessError: if the collider energy is below threshold, or a matrix element cannot be had.
        DependencyError: if the process needs an external generator that is not installed.
    """
    return definition_of(settings).build(settings)


def standard_model(process: str) -> dict[str, float]:
    """Return the theory parameters of a process that are not 0 in the Standard Model, with their values there.

    Args:
        process: its name; one that is not known, such as that of a sample from elsewhere, has none.
    """
    if process not in process_names():
        return {}
    definition = find_process(process)
    parameters: tuple[TheoryParameter, ...] = definition.parameters(definition.settings())
    return {each.name: each.standard_model for each in parameters if each.standard_model}


@cache
def parameter_labels() -> Mapping[str, str]:
    """Return how the parameters of all known processes, with their default settings, are written in figures."""
    return {parameter.name: parameter.label for parameter in _all_parameters()}


def parameter_units() -> Mapping[str, str]:
    """Return the units of the parameters of all known processes; empty for a pure number."""
    return {parameter.name: parameter.unit for parameter in _all_parameters()}


def _all_parameters() -> list[TheoryParameter]:
    definitions = [find_process(name) for name in process_names()]
    return [each for definition in definitions for each in definition.parameters(definition.settings())]
