"""Parton shower, hadronization and decays with Pythia 8 (arXiv:2203.11601), from Les Houches events.

Resonances that arrive undecayed are decayed here, tops unpolarised: the correlations between the spins of the tops and
their decay products are absent. Those that the matrix element decayed keep their products and their mass. A shower can
be used for one chunk of events after another: the result of a chunk depends on its seeds only, not on what was showered
before.
"""

import logging
from collections.abc import Iterator
from typing import Any

import numpy as np
from jaxtyping import Bool, Int

from partonic.config.simulation import SimulationConfig
from partonic.errors import SimulationError
from partonic.processes.decay_tree import ANY_FINAL_STATE, DecayTree
from partonic.rng import numpy_generator, pythia_seed
from partonic.simulation.event_record import RecordBuffer, find_layout
from partonic.simulation.forced_decays import WDecays
from partonic.simulation.harvest import ShoweredEvents, harvest
from partonic.simulation.lhe_chunk import LheChunk
from partonic.simulation.lhe_feed import make_feed
from partonic.simulation.lhe_source import LheFacts
from partonic.simulation.pythia_settings import configured_pythia

__all__ = ["BLOCK", "Shower"]

logger = logging.getLogger(__name__)

_PROBES = 20
"""Events tried until one tells how the record lies in memory."""

BLOCK = 500
"""Events worked on at a time after the shower: enough to vectorise, few enough for the cache of a core."""


class Shower:
    """An initialised Pythia that showers chunks of Les Houches events."""

    def __init__(self, config: SimulationConfig, facts: LheFacts, seed: int, tree: DecayTree = ANY_FINAL_STATE) -> None:
        """Initialise Pythia for the beams of an LHE file.

        Args:
            config: settings; its decays are those in use for the process.
            facts: beams of the file.
            seed: root seed of the analysis.
            tree: resonances of the process, whose decays are kept.

        Raises:
            ConfigError: if Pythia rejects a setting.
            SimulationError: if Pythia cannot be initialised with these settings.
        """
        self._config = config
        self._tree = tree
        self._seed = seed
        self._feed = make_feed(facts)
        pythia = self._initialised(quiet=True)
        if pythia is None:
            self._initialised(quiet=False)  # once more, only for its messages
            settings = ", ".join(config.pythia_settings) or "none of your own"
            raise SimulationError(
                f"Pythia could not be initialised; its messages are above. Settings beyond the defaults: {settings}"
            )
        self._pythia = pythia
        self._decays = WDecays(self._pythia, config.decays)
        self._buffer: RecordBuffer | None = None

    def _initialised(self, *, quiet: bool) -> Any:
        """Return a Pythia that is ready for events, None if it cannot be initialised."""
        pythia = configured_pythia(self._config, pythia_seed(self._seed, "simulate", "initialisation"), quiet=quiet)
        for setting in ("Beams:frameType = 5", "LesHouches:setLeptonMass = 0"):
            pythia.readString(setting)
        pythia.setLHAupPtr(self._feed)
        return pythia if pythia.init() else None

    def run(self, chunk: LheChunk, number: int) -> Iterator[ShoweredEvents]:
        """Shower the events of chunk `number`; yield them in `order`, in blocks of at most `BLOCK` events.

        Raises:
            SimulationError: if Pythia gives up on more events than `max_failed_fraction` allows.
        """
        if self._buffer is None:
            self._buffer = self._new_buffer(chunk)
        buffer = self._buffer
        self._feed.load(chunk)
        self._pythia.rndm.init(pythia_seed(self._seed, "simulate", number))
        order, leptonic_plus = self.order(len(chunk), number)
        failed: list[int] = []
        for done, (index, plus) in enumerate(zip(order.tolist(), leptonic_plus.tolist(), strict=True)):
            if self._shower_one(index, plus):
                buffer.add(self._pythia.event)
            else:
                failed.append(index)
                buffer.add_nothing()
            if len(buffer) == BLOCK or done == len(chunk) - 1:
                yield harvest(buffer.take(), self._tree)
        self._check_failures(failed, chunk)

    def order(self, events: int, number: int) -> tuple[Int[np.ndarray, " events"], Bool[np.ndarray, " events"]]:
        """Return in which order the events of chunk `number` are showered, and whether the W⁺ of each is leptonic.

        The events of either choice come together, so that the decay channels are switched only once.
        """
        leptonic_plus = self._decays.draw(events, numpy_generator(self._seed, "simulate", number, "decays"))
        order = np.argsort(leptonic_plus, kind="stable")
        return order, leptonic_plus[order]

    def _shower_one(self, index: int, leptonic_plus: bool) -> bool:
        self._feed.offer(index)
        self._decays.choose(leptonic_plus)
        return self._pythia.next() or any(self._pythia.next() for _ in range(1, self._config.shower_attempts))

    def _new_buffer(self, chunk: LheChunk) -> RecordBuffer:
        """Shower one event to learn how its record lies in memory."""
        self._feed.load(chunk)
        for index in range(min(len(chunk), _PROBES)):
            if self._shower_one(index, leptonic_plus=True):
                return RecordBuffer(_layout_of(self._pythia.event))
        raise SimulationError(
            f"Pythia gave up on each of the first {min(len(chunk), _PROBES)} events. Are "
            "colours and mothers of the LHE events right, and the settings in simulation.pythia_settings meant?"
        )

    def _check_failures(self, failed: list[int], chunk: LheChunk) -> None:
        allowed = self._config.max_failed_fraction
        if len(failed) > max(1.0, allowed * len(chunk)):
            first = chunk.event_ids[failed[0]]
            raise SimulationError(
                f"Pythia failed on {len(failed)} of {len(chunk)} events, {self._config.shower_attempts} attempts each; "
                f"the first is event {first}; allowed is a fraction of {allowed:g} (simulation.max_failed_fraction)"
            )


def _layout_of(record: Any) -> np.dtype[Any] | None:
    """Return the layout of Pythia's records in memory if it is certain, with a warning if it is not."""
    layout = find_layout(record)
    if layout is None:
        logger.warning(
            "the event record of this build of Pythia cannot be read in one block; reading it particle by particle, "
            "which takes about twice as long as the shower itself"
        )
    return layout
