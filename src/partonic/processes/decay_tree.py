"""The resonances of a hard process: what decays, to which of its partons, and who makes the decay.

A resonance is either one of the final-state partons, and the shower decays it; or its decay is part of the matrix
element, and some of the partons are its products. From this follow branching fractions, what Pythia is told, which
particles of a generator's record are looked for, and how the partons of an event are written to a file.
"""

from dataclasses import dataclass
from typing import Literal

__all__ = ["DecayTree", "Resonance"]


@dataclass(frozen=True)
class Resonance:
    """An unstable particle of a hard process.

    Attributes:
        name: e.g. ``"H"`` or ``"t"``; unique in the process.
        pdg_ids: the PDG ids that it can have, e.g. ``(24, -24)`` where channels of both charges exist.
        slots: places of its partons in the final state: its own place, or those of its products.
        decayed_by: ``"shower"``, then it has one slot and is that parton; or ``"matrix element"``.
    """

    name: str
    pdg_ids: tuple[int, ...]
    slots: tuple[int, ...]
    decayed_by: Literal["shower", "matrix element"] = "shower"


@dataclass(frozen=True)
class DecayTree:
    """All resonances of a process; one that decays to another has its slots, too, and comes first.

    Attributes:
        resonances: in the order in which files and figures name them.
        exchanges: pairs of slots that no detector tells apart, such as b and b̄.
    """

    resonances: tuple[Resonance, ...] = ()
    exchanges: tuple[tuple[int, int], ...] = ()

    @property
    def pdg_ids(self) -> tuple[int, ...]:
        """The PDG ids of all resonances, in their order."""
        return tuple(dict.fromkeys(pdg for resonance in self.resonances for pdg in resonance.pdg_ids))

    @property
    def of_shower(self) -> tuple[Resonance, ...]:
        """The resonances that the shower decays."""
        return tuple(resonance for resonance in self.resonances if resonance.decayed_by == "shower")

    @property
    def of_matrix_element(self) -> tuple[Resonance, ...]:
        """The resonances whose decay is in the matrix element."""
        return tuple(resonance for resonance in self.resonances if resonance.decayed_by == "matrix element")

    def named(self, name: str) -> Resonance | None:
        """Return the resonance of this name, None if there is none."""
        return next((resonance for resonance in self.resonances if resonance.name == name), None)
