"""The resonances of a hard process: what decays, to which of its partons, and who makes the decay.

A resonance is either one of the final-state partons, and the shower decays it; or its decay is part of the matrix
element, and some of the partons are its products. From this follow branching fractions, what Pythia is told, which
particles of a generator's record are looked for, and how the partons of an event are written to a file.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from partonic.errors import ProcessError

__all__ = ["ANY_FINAL_STATE", "NO_RESONANCES", "DecayTree", "Resonance"]

_TOP: Final = 6
_UNSTABLE: Final = (25, 6, -6, 23, 24, -24)
"""H, t, t̄, Z, W⁺, W⁻: what the shower decays when it finds it in a final state."""

_THIRDS_OF_CHARGE: Final = {1: -1, 2: 2, 3: -1, 4: 2, 5: -1, 6: 2, 11: -3, 13: -3, 15: -3, 24: 3}
"""Three times the electric charge by PDG id; other particles are neutral."""

PROVENANCES_OF_TOP_PAIR: Final = ("H", "t_had", "t_lep")
"""What jets come from where a top pair is decayed: the tops are told apart by their decays, not by their charges."""


@dataclass(frozen=True)
class Resonance:
    """An unstable particle of a hard process.

    Attributes:
        name: e.g. ``"H"`` or ``"t"``; unique in the process.
        pdg_ids: the PDG ids that it can have, e.g. ``(24, -24)`` where channels of both charges exist.
        slots: places of its partons in the final state: its own place, or those of its products; none where it is not
            known which they are, as for events of others that list other partons.
        decayed_by: ``"shower"``, then it has one slot and is that parton; or ``"matrix element"``.
    """

    name: str
    pdg_ids: tuple[int, ...]
    slots: tuple[int, ...]
    decayed_by: Literal["shower", "matrix element"] = "shower"

    @property
    def is_top(self) -> bool:
        """Whether it is a top quark or antiquark."""
        return {abs(pdg) for pdg in self.pdg_ids} == {_TOP}

    def pdg_among(self, final: Sequence[int]) -> int:
        """Return which of its PDG ids it has in a final state: the first with the charge of what is in its slots.

        Raises:
            ProcessError: if none has.
        """
        charge = sum(_charge(final[slot]) for slot in self.slots)
        for pdg in self.pdg_ids:
            if _charge(pdg) == charge:
                return pdg
        products = [final[slot] for slot in self.slots]
        raise ProcessError(
            f"the resonance '{self.name}' of the decay tree is one of {list(self.pdg_ids)}, but its products "
            f"{products} have the charge {charge}/3: correct its slots or ids in the definition of the process"
        )


@dataclass(frozen=True)
class DecayTree:
    """All resonances of a process; one that decays to another has its slots, too, and comes first.

    Attributes:
        resonances: in the order in which files and figures name them.
        exchanges: pairs of slots that no detector tells apart, such as b and b̄.
    """

    resonances: tuple[Resonance, ...] = ()
    exchanges: tuple[tuple[int, int], ...] = ()

    @classmethod
    def of_partons(cls, names: Sequence[str], pdg_ids: Sequence[int]) -> "DecayTree":
        """Return the tree of a final state whose H, t, W and Z the shower decays."""
        return cls(
            tuple(
                Resonance(name, (pdg,), (slot,))
                for slot, (name, pdg) in enumerate(zip(names, pdg_ids, strict=True))
                if pdg in _UNSTABLE
            )
        )

    @property
    def pdg_ids(self) -> tuple[int, ...]:
        """The PDG ids of all resonances, in their order."""
        return _distinct(self.resonances)

    @property
    def of_shower(self) -> tuple[Resonance, ...]:
        """The resonances that the shower decays."""
        return tuple(resonance for resonance in self.resonances if resonance.decayed_by == "shower")

    @property
    def of_matrix_element(self) -> tuple[Resonance, ...]:
        """The resonances whose decay is in the matrix element."""
        return tuple(resonance for resonance in self.resonances if resonance.decayed_by == "matrix element")

    @property
    def outermost(self) -> tuple[Resonance, ...]:
        """The resonances that are not products of another one."""
        return tuple(one for one in self.resonances if self.mother_of(one) is None)

    @property
    def origins(self) -> tuple[int, ...]:
        """The PDG ids of the outermost resonances: what a decay product is said to come from."""
        return _distinct(self.outermost)

    @property
    def has_top_pair(self) -> bool:
        """Whether a t and a t̄ are among the outermost resonances."""
        return {_TOP, -_TOP} <= {pdg for one in self.outermost if len(one.pdg_ids) == 1 for pdg in one.pdg_ids}

    @property
    def provenances(self) -> tuple[str, ...]:
        """What the values 1, 2, … of a jet's provenance mean.

        With a top pair: H, the top of hadronic and the one of leptonic decay. Otherwise the outermost resonances, in
        their order.
        """
        return PROVENANCES_OF_TOP_PAIR if self.has_top_pair else tuple(one.name for one in self.outermost)

    def provenance_of(self, origin: int) -> int:
        """Return the provenance of a PDG id of `origins`, 0 for others; for tops of a pair the decay says more."""
        if self.has_top_pair:
            return {25: 1, _TOP: 3, -_TOP: 3}.get(origin, 0)
        return next((1 + place for place, one in enumerate(self.outermost) if origin in one.pdg_ids), 0)

    @property
    def identical(self) -> tuple[tuple[Resonance, ...], ...]:
        """Groups of two or more resonances that nothing but their place tells apart, as two Z.

        They have the same PDG ids and the same number of partons, and none is a product of another.
        """
        groups: dict[tuple[object, ...], list[Resonance]] = {}
        for one in self.outermost:
            if one.slots:
                groups.setdefault((one.pdg_ids, one.decayed_by, len(one.slots)), []).append(one)
        return tuple(tuple(group) for group in groups.values() if len(group) > 1)

    def named(self, name: str) -> Resonance | None:
        """Return the resonance of this name, None if there is none."""
        return next((resonance for resonance in self.resonances if resonance.name == name), None)

    def mother_of(self, resonance: Resonance) -> Resonance | None:
        """Return the resonance of the matrix element that decays to this one, None if there is none."""
        earlier = self.resonances[: self.resonances.index(resonance)]
        return next((one for one in reversed(earlier) if _holds(one, resonance.slots)), None)

    def mother_of_slot(self, slot: int) -> Resonance | None:
        """Return the resonance of the matrix element of which a parton is a direct product, None if there is none."""
        return next((one for one in reversed(self.resonances) if _holds(one, (slot,))), None)

    def of_other_partons(self, pdg_ids: Sequence[int]) -> "DecayTree":
        """Return the same resonances for events that list other partons: those among them have their places."""
        moved = []
        for one in self.resonances:
            places = tuple(place for place, pdg in enumerate(pdg_ids) if pdg in one.pdg_ids)
            moved.append(Resonance(one.name, one.pdg_ids, places[:1], "shower"))
        return DecayTree(tuple(moved))


NO_RESONANCES: Final = DecayTree()
"""The tree of a process that says nothing of resonances."""

ANY_FINAL_STATE: Final = DecayTree(
    tuple(Resonance(name, (pdg,), ()) for name, pdg in (("H", 25), ("t", 6), ("tbar", -6)))
)
"""Resonances that are looked for in events of any final state."""


def _charge(pdg: int) -> int:
    """Return three times the electric charge of a particle."""
    charge = _THIRDS_OF_CHARGE.get(abs(pdg), 0)
    return charge if pdg > 0 else -charge


def _distinct(resonances: Sequence[Resonance]) -> tuple[int, ...]:
    return tuple(dict.fromkeys(pdg for resonance in resonances for pdg in resonance.pdg_ids))


def _holds(resonance: Resonance, slots: tuple[int, ...]) -> bool:
    """Whether some partons are products of a resonance that the matrix element decays, and not the whole of them."""
    inside = bool(slots) and set(slots) <= set(resonance.slots)
    return resonance.decayed_by == "matrix element" and inside and (len(slots) < len(resonance.slots))
