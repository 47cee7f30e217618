"""Handing parsed Les Houches events to Pythia from memory.

Pythia asks for one event at a time; it gets the one that was put on offer, as often as it asks, so an event on which
the shower gives up can be tried again. Every event has unit weight here: the real weights go straight to the store.
"""

from typing import Any

from partonic.simulation.lhe_chunk import LheChunk
from partonic.simulation.lhe_source import LheFacts

__all__ = ["make_feed"]

_UNIT_WEIGHTS = 3


def make_feed(facts: LheFacts) -> Any:
    """Return the event source, a Pythia `LHAup`, for the beams of `facts`.

    Its method ``offer(chunk, index)`` sets the event that Pythia gets.
    """
    import pythia8mc

    class LheFeed(pythia8mc.LHAup):  # type: ignore[misc]  # the base class has no types
        """Les Houches events from arrays."""

        def __init__(self) -> None:
            super().__init__()
            self._facts: list[float] = []
            self._particles: list[list[float]] = []

        def offer(self, chunk: LheChunk, index: int) -> None:
            """Make event `index` of `chunk` the one that Pythia gets."""
            begin, end = chunk.offsets[index], chunk.offsets[index + 1]
            self._facts = chunk.facts[index].tolist()
            self._particles = chunk.particles[begin:end].tolist()

        def setInit(self) -> bool:  # noqa: N802 - name given by Pythia
            self.setBeamA(facts.beams[0], facts.beam_energies[0])
            self.setBeamB(facts.beams[1], facts.beam_energies[1])
            self.setStrategy(_UNIT_WEIGHTS)
            for process, sums in facts.sums.items():
                self.addProcess(process, sums.cross_section or 1.0, 0.0, 1.0)
            return True

        def setEvent(self, process: int = 0) -> bool:  # noqa: N802 - signature given by Pythia
            _, number, _, scale, alpha_qed, alpha_s = self._facts
            self.setProcess(int(number), 1.0, scale, alpha_qed, alpha_s)
            for row in self._particles:
                self.addParticle(*map(int, row[:6]), *row[6:])
            return True

    return LheFeed()
