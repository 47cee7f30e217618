"""Which outgoing particles of an event are the partons of the process, where its channels differ in final state.

A process has places (slots) for its partons; charge conjugates and flavours of the same masses may stand in them. The
final state of an event of our own is that of its channel. In events of others it is found among those that the process
has, by these rules, in this order:

1. Every slot needs an outgoing particle of its own with the PDG id of the final state; a final state for which one is
   missing is none of this event.
2. A particle whose mother in the file is the resonance of the decay tree that the slot belongs to comes before others,
   so that equal leptons of W and Z are told apart where the file has the resonances.
3. Otherwise the first in the file comes first. Equal leptons without resonances stand in the order of the file.
4. Of several final states that fit, that with more particles by rule 2, and then the one whose last particle comes
   first, is taken: what follows the hard process in a record is radiation.
"""

from collections.abc import Sequence
from typing import NamedTuple

from partonic.events.schema import ProcessInfo

__all__ = ["SlotAssignment", "assign_slots", "has_one_final_state"]


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
    return len(process.final_states) == 1 and not process.decay_tree.of_matrix_element


def assign_slots(
    pdg: Sequence[int], mother: Sequence[int], outgoing: Sequence[int], process: ProcessInfo
) -> SlotAssignment | None:
    """Return the partons of one event, None if it has none of the final states of the process.

    Args:
        pdg: PDG ids of all particles of the event.
        mother: row of the first mother of each, negative for none.
        outgoing: rows of the outgoing particles, in the order of the file.
        process: its final states and decay tree.
    """
    tree = process.decay_tree
    wanted = [tree.mother_of_slot(slot) for slot in range(len(process.parton_pdg))]
    of_resonance = [() if one is None else one.pdg_ids for one in wanted]
    best: tuple[tuple[int, int], SlotAssignment] | None = None
    for state in process.final_states:
        found = _assigned(state, of_resonance, pdg, mother, outgoing)
        if found is not None and (best is None or found[0] < best[0]):
            best = found
    return None if best is None else best[1]


def _assigned(
    state: tuple[int, ...],
    of_resonance: Sequence[tuple[int, ...]],
    pdg: Sequence[int],
    mother: Sequence[int],
    outgoing: Sequence[int],
) -> tuple[tuple[int, int], SlotAssignment] | None:
    """Return the particles of a final state, with what ranks it: fewer by rule 3, and then an earlier last row."""
    rows: list[int] = [-1] * len(state)
    free = list(outgoing)
    for by_mother in (True, False):
        for slot, wanted in enumerate(state):
            if rows[slot] >= 0:
                continue
            fitting = (
                row for row in free
                if pdg[row] == wanted and (not by_mother or _mother_id(row, pdg, mother) in of_resonance[slot])
            )  # fmt: skip
            rows[slot] = next(fitting, -1)
            if rows[slot] >= 0:
                free.remove(rows[slot])
        if by_mother:
            unknown = rows.count(-1)
    if -1 in rows:
        return None
    return (unknown, max(rows, default=-1)), SlotAssignment(state, tuple(rows))


def _mother_id(row: int, pdg: Sequence[int], mother: Sequence[int]) -> int:
    """Return the PDG id of the mother of a particle, beyond copies of itself; 0 for none."""
    above = mother[row]
    for _ in range(len(pdg)):  # a damaged record may go round in circles
        if above < 0 or pdg[above] != pdg[row]:
            break
        above = mother[above]
    return pdg[above] if above >= 0 else 0
