"""Equal particles of several resonances, as the three equal leptons of W Z → 3ℓ ν: which is of which resonance.

Detectors and most records do not say it, and the matrix element has all assignments in it. One must be stored, by a
rule that does not depend on the order of the record:

1. A particle whose mother is a resonance that its slot belongs to stays with it, and products of one resonance in the
   record stay together.
2. Otherwise the assignment with the largest product of the Breit–Wigner densities of all resonances is taken,
   Π 1/((m² − M²)² + M²Γ²): the likeliest one, where nothing but the masses is known.
3. Identical resonances, as two Z, are exchanged with all their products without any change; they stand in descending
   transverse momentum.
4. What is then still equal stands in the order of the record.
"""

import itertools
import math
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from partonic.physics.particles import HIGGS, TOP, W_BOSON, Z_BOSON
from partonic.processes.decay_tree import DecayTree, Resonance

__all__ = ["RULE", "Candidate", "in_best_order", "is_ambiguous", "pt_of_identical"]

RULE: Final = (
    "equal particles: by their mothers in the record, else the largest product of Breit-Wigner densities of the "
    "resonances; identical resonances in descending pT"
)
"""What a store says of the assignment."""

_KNOWN: Final = {each.pdg_id: (each.mass, each.width) for each in (HIGGS, TOP, W_BOSON, Z_BOSON)}
"""Mass and width in GeV by absolute PDG id."""

_DIGITS: Final = 9
"""Decimal places of log densities: beyond, rounding would decide between assignments that are the same."""


class Candidate(NamedTuple):
    """An outgoing particle of an event.

    Attributes:
        row: in the record.
        pdg: PDG id.
        mother_row: row of its mother beyond copies of itself, negative for none.
        mother_pdg: PDG id of that mother, 0 for none.
        momentum: (E, px, py, pz), GeV.
    """

    row: int
    pdg: int
    mother_row: int
    mother_pdg: int
    momentum: tuple[float, ...]


def is_ambiguous(state: Sequence[int], tree: DecayTree) -> bool:
    """Return whether the PDG ids of a final state leave open which particle is of which resonance.

    Args:
        state: PDG ids in the slots.
        tree: the resonances.
    """
    if tree.identical:
        return True
    owners: dict[int, set[str]] = {}
    for slot, pdg in enumerate(state):
        owner = tree.mother_of_slot(slot)
        owners.setdefault(pdg, set()).add("" if owner is None else owner.name)
    return any(len(names) > 1 for names in owners.values())


def in_best_order(chosen: Sequence[Candidate], tree: DecayTree) -> tuple[Candidate, ...]:
    """Return the particles of the slots with equal ones exchanged as the rules say.

    Args:
        chosen: a particle for each slot.
        tree: the resonances.
    """
    if not is_ambiguous([one.pdg for one in chosen], tree):
        return tuple(chosen)
    return min(_exchanged(chosen), key=lambda slots: _rank(slots, tree))


def pt_of_identical(slots: Sequence[Candidate], tree: DecayTree) -> tuple[float, ...]:
    """Return −pT in GeV of the resonances that have an identical one, in the order of the tree."""
    return tuple(-_transverse(slots, one) for group in tree.identical for one in group)


def _exchanged(chosen: Sequence[Candidate]) -> Iterator[tuple[Candidate, ...]]:
    """Yield all assignments that differ by exchanges of particles with one PDG id, the given one first."""
    places: dict[int, list[int]] = {}
    for slot, one in enumerate(chosen):
        places.setdefault(one.pdg, []).append(slot)
    groups = list(places.values())
    for orders in itertools.product(*(itertools.permutations(group) for group in groups)):
        slots = list(chosen)
        for group, order in zip(groups, orders, strict=True):
            for place, origin in zip(group, order, strict=True):
                slots[place] = chosen[origin]
        yield tuple(slots)


def _rank(slots: Sequence[Candidate], tree: DecayTree) -> tuple[int, int, float, tuple[float, ...], tuple[int, ...]]:
    """Return what an assignment is compared by; the smallest is the best."""
    strange = split = 0
    for slot, one in enumerate(slots):
        owner = tree.mother_of_slot(slot)
        strange += owner is not None and one.mother_pdg not in owner.pdg_ids
    log_density = 0.0
    for resonance in tree.of_matrix_element:
        products = [slots[slot] for slot in resonance.slots]
        split += len({one.mother_row for one in products if one.mother_pdg in resonance.pdg_ids}) > 1
        log_density += _log_breit_wigner(products, resonance)
    rows = tuple(one.row for one in slots)
    return strange, split, round(-log_density, _DIGITS), pt_of_identical(slots, tree), rows


def _log_breit_wigner(products: Sequence[Candidate], resonance: Resonance) -> float:
    """Return the logarithm of the density of the mass of a resonance; 0 if its mass is not known here."""
    known = _KNOWN.get(abs(resonance.pdg_ids[0]))
    if known is None or not products:
        return 0.0
    mass, width = known
    energy, px, py, pz = (sum(one.momentum[k] for one in products) for k in range(4))
    away = energy**2 - px**2 - py**2 - pz**2 - mass**2
    return -math.log(away**2 + (mass * width) ** 2)


def _transverse(slots: Sequence[Candidate], resonance: Resonance) -> float:
    """Return the transverse momentum of a resonance, GeV."""
    products = [slots[slot] for slot in resonance.slots]
    return math.hypot(*(sum(one.momentum[k] for one in products) for k in (1, 2)))
