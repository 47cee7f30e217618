"""Handing parsed Les Houches events to Pythia from memory.

Pythia asks for one event at a time; it gets the one that was put on offer, as often as it asks, so an event on which
the shower gives up can be tried again. Every event has unit weight here: the real weights go straight to the store.
"""

from typing import Any

from partonic.simulation.lhe_chunk import LheChunk
from partonic.simulation.lhe_source import LheFacts

__all__ = ["make_feed"]

_UNIT_WEIGHTS = 3
"""Weighting strategy IDWTUP: every event counts once."""

_INTEGERS = 6
"""Leading columns of a particle that are whole numbers: IDUP, ISTUP, MOTHUP (2), ICOLUP (2)."""


def make_feed(facts: LheFacts) -> Any:
    """Return the event source, a Pythia `LHAup`, for the beams of `facts`.

    Its method ``load(chunk)`` takes events, ``offer(index)`` chooses the one that Pythia gets.
    """
    import pythia8mc

    class LheFeed(pythia8mc.LHAup):  # type: ignore[misc]  # the base class has no types
        """Les Houches events from arrays."""

        def __init__(self) -> None:
            super().__init__()
            self._chunk: LheChunk
            self._current: tuple[Any, ...] = ()

        def load(self, chunk: LheChunk) -> None:
            """Take the events of `chunk`."""
            self._chunk = chunk

        def offer(self, index: int) -> None:
            """Make event `index` of the chunk the one that Pythia gets.

            Its particles become Python objects only now: those of a whole chunk would set off full garbage collections.
            """
            facts = self._chunk.facts[index].tolist()
            begin, end = self._chunk.offsets[index : index + 2].tolist()
            rows = self._chunk.particles[begin:end].tolist()
            whole = [tuple(map(int, row[:_INTEGERS])) + tuple(row[_INTEGERS:]) for row in rows]
            self._current = (int(facts[1]), *facts[3:6], whole)

        def setInit(self) -> bool:  # noqa: N802 - name given by Pythia
            self.setBeamA(facts.beams[0], facts.beam_energies[0])
            self.setBeamB(facts.beams[1], facts.beam_energies[1])
            self.setStrategy(_UNIT_WEIGHTS)
            for process, sums in facts.sums.items():
                self.addProcess(process, sums.cross_section or 1.0, 0.0, 1.0)
            return True

        def setEvent(self, process: int = 0) -> bool:  # noqa: N802 - signature given by Pythia
            number, scale, alpha_qed, alpha_s, rows = self._current
            self.setProcess(number, 1.0, scale, alpha_qed, alpha_s)
            for row in rows:
                self.addParticle(*row)
            return True

    return LheFeed()
