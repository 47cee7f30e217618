"""A chunk of Les Houches events as arrays: what the shower is fed with and what the store keeps of the hard process."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from jaxtyping import Float, Int

from partonic.errors import EventFileError
from partonic.events.readers.slots import assign_slots, candidates_of, has_one_final_state
from partonic.events.schema import ProcessInfo
from partonic.events.text.lhe_numbers import COLUMNS, FACTS, event_numbers, named_weights

__all__ = ["LheChunk", "parse_chunk"]

_FINAL, _DECAYED = 1, 2
"""ISTUP of final particles, and of resonances that the file has decayed."""


@dataclass(frozen=True)
class LheChunk:
    """N consecutive events of a file.

    Attributes:
        first: number of the first one in the file.
        facts: NUP, IDPRUP, XWGTUP, SCALUP (GeV), AQEDUP, AQCDUP of each event, `(N, 6)`.
        particles: IDUP, ISTUP, MOTHUP (2), ICOLUP (2), px, py, pz, E, m (GeV), VTIMUP, SPINUP, `(M, 13)`.
        offsets: where the particles of each event begin, `(N + 1,)`.
        named_weights: the weights asked for, in the units of XWGTUP, `(N, B)`.
    """

    first: int
    facts: Float[np.ndarray, "events 6"]
    particles: Float[np.ndarray, "particles 13"]
    offsets: Int[np.ndarray, " bounds"]
    named_weights: Float[np.ndarray, "events weights"]

    def __len__(self) -> int:
        """Return the number of events."""
        return len(self.facts)

    @property
    def event_ids(self) -> Int[np.ndarray, " events"]:
        """Numbers of the events in the file."""
        return self.first + np.arange(len(self), dtype=np.int64)

    @property
    def momenta(self) -> Float[np.ndarray, "particles 4"]:
        """Four-vectors (E, px, py, pz) of all particles, GeV."""
        return self.particles[:, [9, 6, 7, 8]]

    def repeated(self, copies: Int[np.ndarray, " events"], first: int) -> "LheChunk":
        """Return the events `copies` times each, one after another, with a fraction of their weights.

        Args:
            copies: how often each event is there, at least once, `(N,)`.
            first: number of the first copy.
        """
        rows = np.repeat(np.arange(len(self)), copies)
        counts = np.diff(self.offsets)[rows]
        offsets = np.concatenate([[0], np.cumsum(counts)])
        particles = np.arange(offsets[-1]) + np.repeat(self.offsets[:-1][rows] - offsets[:-1], counts)
        fraction = 1.0 / copies[rows]
        facts = self.facts[rows]
        facts[:, 2] *= fraction
        return LheChunk(first, facts, self.particles[particles], offsets, self.named_weights[rows] * fraction[:, None])

    def partons(
        self, process: ProcessInfo
    ) -> tuple[Float[np.ndarray, "events partons 4"], Int[np.ndarray, "events partons"]]:
        """Return the final-state partons of the hard process, in its slots: momenta in GeV, and PDG ids.

        Raises:
            EventFileError: if an event lacks one, or has none of the final states of the process.
        """
        rows = self._rows_by_pdg(process) if has_one_final_state(process) else self._rows_by_slots(process)
        return self.momenta[rows], self.particles[rows, 0].astype(np.int64)

    def own_partons(
        self, process: ProcessInfo
    ) -> tuple[Float[np.ndarray, "events partons 4"], Int[np.ndarray, "events partons"]]:
        """Return the same for a file of ours, where the final particles stand in the order of the slots.

        Raises:
            EventFileError: if an event has another number of them.
        """
        if has_one_final_state(process):
            return self.partons(process)
        final = self.particles[:, 1] == _FINAL
        count = np.add.reduceat(final, self.offsets[:-1]) if len(self) else np.zeros(0)
        if (count != len(process.parton_pdg)).any():
            event = self.first + int(np.argmax(count != len(process.parton_pdg)))
            raise EventFileError(
                f"event {event} of the LHE file has not the {len(process.parton_pdg)} final particles of the process "
                f"'{process.name}': is it a file of another process?"
            )
        rows = np.flatnonzero(final).reshape(len(self), -1)
        return self.momenta[rows], self.particles[rows, 0].astype(np.int64)

    def _rows_by_pdg(self, process: ProcessInfo) -> Int[np.ndarray, "events partons"]:
        outgoing = np.isin(self.particles[:, 1], (1, 2))
        rows = []
        for index, pdg in enumerate(process.parton_pdg):
            earlier = process.parton_pdg[:index].count(pdg)
            rows.append(self._nth(outgoing & (self.particles[:, 0] == pdg), earlier, process.parton_names[index]))
        return np.stack(rows, axis=1) if rows else np.zeros((len(self), 0), dtype=np.int64)

    def _rows_by_slots(self, process: ProcessInfo) -> Int[np.ndarray, "events partons"]:
        """Return the partons of events of another generator, whose final state is one of several."""
        numbers = self.particles[:, :3].astype(np.int64).tolist()
        rows = np.zeros((len(self), len(process.parton_pdg)), dtype=np.int64)
        for event, (begin, end) in enumerate(pairwise(self.offsets.tolist())):
            inside = numbers[begin:end]
            outgoing = [row for row, (_, status, _) in enumerate(inside) if status in (_FINAL, _DECAYED)]
            momenta = self.momenta[begin:end].tolist()
            known = candidates_of([row[0] for row in inside], [row[2] - 1 for row in inside], momenta, outgoing)
            found = assign_slots(known, process)
            if found is None:
                final = ", ".join(str(inside[row][0]) for row in outgoing)
                raise EventFileError(
                    f"event {self.first + event} of the LHE file has none of the final states of the process "
                    f"'{process.name}'; its outgoing particles are {final}: is it a file of another process?"
                )
            rows[event] = begin + np.array(found.rows)
        return rows

    def incoming(self) -> Int[np.ndarray, "events 2"]:
        """Return the rows of the partons along +z and −z.

        Raises:
            EventFileError: if an event does not have one of each.
        """
        incoming = self.particles[:, 1] == -1
        forward = self._nth(incoming & (self.particles[:, 8] > 0), 0, "parton along +z")
        backward = self._nth(incoming & (self.particles[:, 8] < 0), 0, "parton along -z")
        return np.stack([forward, backward], axis=1)

    def _nth(self, mask: np.ndarray, earlier: int, name: str) -> Int[np.ndarray, " events"]:
        """Return for each event the row of the particle in `mask` that has `earlier` others before it."""
        before = np.concatenate([[0], np.cumsum(mask)])
        wanted = before[self.offsets[:-1]] + earlier
        missing = wanted >= before[self.offsets[1:]]
        if missing.any():
            event = self.first + int(np.argmax(missing))
            raise EventFileError(
                f"event {event} of the LHE file has no {name}, which the process must have: is it a file of another "
                "process?"
            )
        result: Int[np.ndarray, " events"] = np.flatnonzero(mask)[wanted]
        return result


def parse_chunk(texts: Sequence[bytes], first: int, weight_names: Sequence[str] = ()) -> LheChunk:
    """Parse the texts of consecutive events.

    Args:
        texts: text of each event.
        first: number of the first one in the file, for messages and event numbers.
        weight_names: identifiers of the named weights that each event must have.

    Raises:
        EventFileError: if an event is malformed or lacks a weight.
    """
    facts, particles = [], []
    for index, text in enumerate(texts):
        numbers = _numbers(text, first + index)
        facts.append(numbers[:FACTS])
        particles += numbers[FACTS:]
    parsed = np.array(facts, dtype=np.float64).reshape(-1, FACTS)
    names = list(weight_names)
    weights = [_weights(text, names, first + index) for index, text in enumerate(texts)] if names else []
    return LheChunk(
        first=first,
        facts=parsed,
        particles=np.array(particles, dtype=np.float64).reshape(-1, COLUMNS),
        offsets=np.concatenate([[0], np.cumsum(parsed[:, 0])]).astype(np.int64),
        named_weights=np.array(weights, dtype=np.float64).reshape(len(texts), len(names)),
    )


def _numbers(text: bytes, event: int) -> list[float]:
    try:
        return event_numbers(text)
    except ValueError as error:
        raise EventFileError(f"event {event} of the LHE file is malformed: {error}") from error


def _weights(text: bytes, names: Sequence[str], event: int) -> list[float]:
    try:
        found = named_weights(text)
        return [found[name] for name in names]
    except KeyError as error:
        raise EventFileError(
            f"event {event} of the LHE file lacks the weight '{error.args[0]}', which its header declares"
        ) from error
    except ValueError as error:
        raise EventFileError(f"event {event} of the LHE file has a weight that is no number: {error}") from error
