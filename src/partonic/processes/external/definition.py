"""Events of others as a process of the package: what the user says of them, and no matrix element."""

from typing import TYPE_CHECKING, cast

from partonic.config.process import ProcessConfig
from partonic.errors import ProcessError
from partonic.processes.decay_tree import DecayTree
from partonic.processes.definition import ProcessDefinition, TheoryParameter
from partonic.processes.external.settings import ExternalConfig

if TYPE_CHECKING:
    from partonic.physics.particles import Particle
    from partonic.physics.process import Process
    from partonic.polynomial import Monomials

__all__ = ["definition"]

_SUMMARY = """\
Events of any process with weights at θ points: LHE, NanoAOD, Delphes or HepMC files of another generator. The analysis
file says which parameters there are and the degree of the polynomial; the coefficients of every event are solved from
its weights. There is no matrix element here, so events cannot be generated and the matrix element method cannot be
used; fits of parton truth, optimal observables, templates, pyhf workspaces and the report can."""

_HUGE = 1e6


class _ExternalDefinition(ProcessDefinition):
    """Any process."""

    def parameters(self, settings: ProcessConfig) -> tuple[TheoryParameter, ...]:
        return tuple(
            TheoryParameter(
                name,
                each.label or name.replace("_", " "),
                each.description or f"Parameter {name} of the weights of the files.",
                each.unit,
                each.standard_model,
                (-_HUGE, _HUGE),
            )
            for name, each in cast("ExternalConfig", settings).parameters.items()
        )

    def final_state(self, settings: ProcessConfig) -> "tuple[Particle, ...]":
        from partonic.physics.particles import Particle

        return tuple(Particle(name, pdg) for name, pdg in cast("ExternalConfig", settings).partons.items())

    def monomials(self, settings: ProcessConfig) -> "Monomials":
        from partonic.polynomial import Monomials

        own = cast("ExternalConfig", settings)
        return Monomials.up_to_degree(tuple(own.parameters), own.degree) if own.parameters else Monomials.constant()

    def decay_tree(self, settings: ProcessConfig) -> DecayTree:
        partons = cast("ExternalConfig", settings).partons
        return DecayTree.of_partons(tuple(partons), tuple(partons.values())) if partons else DecayTree()

    def build(self, settings: ProcessConfig) -> "Process":
        message = (
            f"the process '{self.name}' has no matrix element: its events are imported (section `import`), and what "
            "needs |M|² (generation, unfolding with shipped models, the matrix element method) is not to be had. A "
            "process of your own with a matrix element is a package: docs/how-to/add_a_process.md"
        )
        raise ProcessError(message)


definition = _ExternalDefinition(
    name="external",
    title="events of any process, with weights at θ points",
    summary=_SUMMARY,
    settings=ExternalConfig,
    defaults={
        "simulation": {
            "decays": {"higgs": "inclusive", "tops": "inclusive"},
            "selection": {"leptons": 0, "veto_pt_min": 0.0, "jets_min": 0, "b_tags_min": 0},
        }
    },
    decay_channels={"default": {"inference": {"source": "truth", "luminosity": 300.0, "data": "pseudo", "truth": {}}}},
    has_matrix_element=False,
)
