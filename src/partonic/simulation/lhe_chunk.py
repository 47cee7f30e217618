"""A chunk of Les Houches events as arrays: what the shower is fed with and what the store keeps of the hard process."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from partonic.errors import EventFileError
from partonic.events.schema import ProcessInfo
from partonic.events.text.lhe_numbers import COLUMNS, FACTS, event_numbers, named_weights

__all__ = ["LheChunk", "parse_chunk"]


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

    def partons(self, process: ProcessInfo) -> Float[np.ndarray, "events partons 4"]:
        """Return the final-state partons of the hard process, in its order, in GeV.

        Raises:
            EventFileError: if an event lacks one.
        """
        outgoing = np.isin(self.particles[:, 1], (1, 2))
        rows = []
        for index, pdg in enumerate(process.parton_pdg):
            earlier = process.parton_pdg[:index].count(pdg)
            rows.append(self._nth(outgoing & (self.particles[:, 0] == pdg), earlier, process.parton_names[index]))
        result: Float[np.ndarray, "events partons 4"] = self.momenta[np.stack(rows, axis=1)]
        return result

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
