"""Which outgoing particles of an event are the partons of the process, where its channels differ in final state.

A process has places (slots) for its partons; charge conjugates and flavours of the same masses may stand in them. The
final state of an event of our own is that of its channel. In events of others it is found among those that the process
has, by these rules, in this order:

1. Every slot needs an outgoing particle of its own with the PDG id of the final state; a final state for which one is
   missing is none of this event.
2. A particle whose mother in the file is the resonance of the decay tree that the slot belongs to comes before others;
   otherwise the first in the file comes first.
3. Of several final states that fit, that with more particles by rule 2, and then the one whose last particle comes
   first, is taken: what follows the hard process in a record is radiation.
4. Equal particles are given to the slots as `partonic.events.readers.equal_particles` says: by their mothers, else by
   the masses of the resonances. Identical resonances stand in descending pT.
"""

from collections.abc import Sequence
from typing import NamedTuple

from partonic.events.readers.equal_particles import Candidate, in_best_order, pt_of_identical
from partonic.events.schema import ProcessInfo

__all__ = ["SlotAssignment", "assign_slots", "candidates_of", "has_one_final_state"]


class SlotAssignment(NamedTuple):
    """The partons of an event.

    Attributes:
        pdg_ids: its final state, one of those of the process.
        rows: rows of the particles in the slots.
    """

    pdg_ids: tuple[int, ...]
    rows: tuple[int, ...]


def has_one_final_state(process: ProcessInfo) -> bool:
    """Return whether PDG ids alone say which particle is which parton, but for the order of equal ones."""
    tree = process.decay_tree
    return len(process.final_states) == 1 and not tree.of_matrix_element and not tree.identical


def candidates_of(
    pdg: Sequence[int], mother: Sequence[int], momenta: Sequence[Sequence[float]], outgoing: Sequence[int]
) -> list[Candidate]:
    """Return the outgoing particles of a record with what tells equal ones apart.

    Args:
        pdg: PDG ids of all particles of the event.
        mother: row of the first mother of each, negative for none.
        momenta: (E, px, py, pz) of each, GeV.
        outgoing: rows of the outgoing particles, in the order of the file.
    """
    found = []
    for row in outgoing:
        above = _mother(row, pdg, mother)
        found.append(Candidate(row, pdg[row], above, pdg[above] if above >= 0 else 0, tuple(momenta[row])))
    return found


def assign_slots(candidates: Sequence[Candidate], process: ProcessInfo) -> SlotAssignment | None:
    """Return the partons of one event, None if it has none of the final states of the process.

    Args:
        candidates: its outgoing particles, in the order of the file.
        process: its final states and decay tree.
    """
    tree = process.decay_tree
    wanted = [tree.mother_of_slot(slot) for slot in range(len(process.parton_pdg))]
    of_resonance = [() if one is None else one.pdg_ids for one in wanted]
    best: tuple[tuple[int, int, tuple[float, ...]], SlotAssignment] | None = None
    for state in process.final_states:
        chosen = _chosen(state, of_resonance, candidates)
        if chosen is None:
            continue
        ordered = in_best_order(chosen, tree)
        unknown = sum(one.mother_pdg not in of_resonance[slot] for slot, one in enumerate(chosen))
        rank = (unknown, max((one.row for one in ordered), default=-1), pt_of_identical(ordered, tree))
        if best is None or rank < best[0]:
            best = rank, SlotAssignment(state, tuple(one.row for one in ordered))
    return None if best is None else best[1]


def _chosen(
    state: tuple[int, ...], of_resonance: Sequence[tuple[int, ...]], candidates: Sequence[Candidate]
) -> list[Candidate] | None:
    """Return a particle for each slot of a final state: by its mother, else the first; None if one is missing."""
    found: list[Candidate | None] = [None] * len(state)
    free = list(candidates)
    for by_mother in (True, False):
        for slot, wanted in enumerate(state):
            if found[slot] is not None:
                continue
            fitting = (
                one for one in free
                if one.pdg == wanted and (not by_mother or one.mother_pdg in of_resonance[slot])
            )  # fmt: skip
            found[slot] = next(fitting, None)
            if found[slot] is not None:
                free = [one for one in free if one is not found[slot]]
    chosen = [one for one in found if one is not None]
    return chosen if len(chosen) == len(state) else None


def _mother(row: int, pdg: Sequence[int], mother: Sequence[int]) -> int:
    """Return the row of the mother of a particle, beyond copies of itself; negative for none."""
    above = mother[row]
    for _ in range(len(pdg)):  # a damaged record may go round in circles
        if above < 0 or pdg[above] != pdg[row]:
            break
        above = mother[above]
    return above
