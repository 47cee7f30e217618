"""What a store of events needs to know of a hard process: partons, final states, decays, monomials."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from partonic.config.process import ProcessConfig
from partonic.physics.process import Process
from partonic.polynomial import Monomials
from partonic.processes.decay_tree import ANY_FINAL_STATE, NO_RESONANCES, DecayTree
from partonic.processes.definition import definition_of

__all__ = ["ProcessInfo"]


@dataclass(frozen=True)
class ProcessInfo:
    """What a store needs to know of a hard process.

    Attributes:
        name: short name, as in analysis files.
        parton_names: names of the n final-state partons (slots), in the order of the momenta.
        parton_pdg: their PDG identifiers; where channels differ, those of the first.
        monomials: the A monomials of θ.
        collider_energy: √S in GeV.
        final_states: PDG identifiers in the slots for each final state that channels have, that of `parton_pdg` first.
        decay_tree: its resonances; by default the H, t, W and Z among the partons, which the shower decays.
        standard_model: values of the parameters in the Standard Model; 0 where not named.
    """

    name: str
    parton_names: tuple[str, ...]
    parton_pdg: tuple[int, ...]
    monomials: Monomials
    collider_energy: float
    final_states: tuple[tuple[int, ...], ...] = ()
    decay_tree: DecayTree = NO_RESONANCES
    standard_model: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "final_states", tuple(dict.fromkeys((self.parton_pdg, *self.final_states))))
        if not self.decay_tree.resonances and not self.decay_tree.exchanges:
            own = DecayTree.of_partons(self.parton_names, self.parton_pdg)
            object.__setattr__(self, "decay_tree", own if self.parton_pdg else ANY_FINAL_STATE)

    @classmethod
    def of(cls, process: Process, decay_tree: DecayTree = NO_RESONANCES) -> "ProcessInfo":
        """Return the facts of `process`, whose own decays are those of `decay_tree`."""
        return cls(
            name=process.name,
            parton_names=tuple(particle.name for particle in process.final_state),
            parton_pdg=tuple(particle.pdg_id for particle in process.final_state),
            monomials=process.monomials,
            collider_energy=float(process.collider_energy),
            final_states=tuple(channel.final_pdg(process.final_state) for channel in process.channels),
            decay_tree=decay_tree,
        )

    @classmethod
    def of_config(cls, config: ProcessConfig) -> "ProcessInfo":
        """Return the facts of the process of an analysis file; its parton densities need not be there."""
        definition = definition_of(config)
        final_state = definition.final_state(config)
        return cls(
            name=config.name,
            parton_names=tuple(particle.name for particle in final_state),
            parton_pdg=tuple(particle.pdg_id for particle in final_state),
            monomials=definition.monomials(config),
            collider_energy=config.collider_energy,
            final_states=definition.final_states(config),
            decay_tree=definition.decay_tree(config),
            standard_model={
                parameter.name: parameter.standard_model
                for parameter in definition.parameters(config)
                if parameter.standard_model
            },
        )

    def with_partons(self, names: tuple[str, ...], pdg_ids: tuple[int, ...]) -> "ProcessInfo":
        """Return the process for events that list other partons."""
        tree = self.decay_tree.of_other_partons(pdg_ids)
        return replace(self, parton_names=names, parton_pdg=pdg_ids, final_states=(), decay_tree=tree)
