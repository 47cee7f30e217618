"""Parton shower, hadronization and decays with Pythia 8 (arXiv:2203.11601), from Les Houches events.

Top quarks arrive undecayed and are decayed here, unpolarised: the correlations between the spins of the tops and their
decay products are absent. A shower can be used for one chunk of events after another: the result of a chunk depends on
its seeds only, not on what was showered before.
"""

import logging
from typing import Any

import numpy as np

from partonic.config.simulation import SimulationConfig
from partonic.errors import SimulationError
from partonic.rng import numpy_generator, pythia_seed
from partonic.simulation.event_record import RecordBuffer, find_layout, matches_layout
from partonic.simulation.forced_decays import WDecays
from partonic.simulation.harvest import ShoweredEvents, harvest, joined
from partonic.simulation.lhe_chunk import LheChunk
from partonic.simulation.lhe_feed import make_feed
from partonic.simulation.lhe_source import LheFacts
from partonic.simulation.pythia_settings import configured_pythia

__all__ = ["Shower"]

logger = logging.getLogger(__name__)

_PROBES = 20
"""Events tried until one tells how the record lies in memory."""

_BLOCK_PARTICLES = 40_000
"""Particles collected before they are harvested: few enough to stay in the cache of a core."""


class Shower:
    """An initialised Pythia that showers chunks of Les Houches events."""

    def __init__(self, config: SimulationConfig, facts: LheFacts, seed: int) -> None:
        """Initialise Pythia for the beams of an LHE file.

        Args:
            config: settings.
            facts: beams of the file.
            seed: root seed of the analysis.

        Raises:
            ConfigError: if Pythia rejects a setting.
            SimulationError: if Pythia cannot be initialised with these settings.
        """
        self._config = config
        self._seed = seed
        self._feed = make_feed(facts)
        self._pythia = configured_pythia(config, pythia_seed(seed, "simulate", "initialisation"))
        for setting in ("Beams:frameType = 5", "LesHouches:setLeptonMass = 0"):
            self._pythia.readString(setting)
        self._pythia.setLHAupPtr(self._feed)
        if not self._pythia.init():
            settings = ", ".join(config.pythia_settings) or "none of your own"
            raise SimulationError(
                f"Pythia could not be initialised; its message is above. Settings beyond the defaults: {settings}"
            )
        self._decays = WDecays(self._pythia, config.decays)
        self._buffers: tuple[RecordBuffer, RecordBuffer] | None = None

    def run(self, chunk: LheChunk, number: int) -> ShoweredEvents:
        """Shower the events of chunk `number`.

        Raises:
            SimulationError: if Pythia gives up on more events than `max_failed_fraction` allows.
        """
        event, process = self._buffers = self._buffers or self._new_buffers(chunk)
        self._pythia.rndm.init(pythia_seed(self._seed, "simulate", number))
        leptonic_plus = self._decays.draw(len(chunk), numpy_generator(self._seed, "simulate", number, "decays"))
        blocks = []
        for index in range(len(chunk)):
            if self._shower_one(chunk, index, bool(leptonic_plus[index])):
                event.add(self._pythia.event)
                process.add(self._pythia.process)
            else:
                event.add_nothing()
                process.add_nothing()
            if event.filled > _BLOCK_PARTICLES or index == len(chunk) - 1:
                blocks.append(harvest(event.content(), process.content()))
                event.clear()
                process.clear()
        events = joined(blocks)
        self._check_failures(events, chunk)
        return events

    def _shower_one(self, chunk: LheChunk, index: int, leptonic_plus: bool) -> bool:
        self._feed.offer(chunk, index)
        self._decays.choose(leptonic_plus)
        return any(self._pythia.next() for _ in range(self._config.shower_attempts))

    def _new_buffers(self, chunk: LheChunk) -> tuple[RecordBuffer, RecordBuffer]:
        """Shower one event to learn how its record lies in memory."""
        for index in range(min(len(chunk), _PROBES)):
            if self._shower_one(chunk, index, leptonic_plus=True):
                layout = _layout_of(self._pythia)
                return RecordBuffer(layout), RecordBuffer(layout, capacity=_BLOCK_PARTICLES // 10)
        raise SimulationError(
            f"Pythia gave up on each of the first {min(len(chunk), _PROBES)} events; its messages are above. Are "
            "colours and mothers of the LHE events right, and the settings in simulation.pythia_settings meant?"
        )

    def _check_failures(self, events: ShoweredEvents, chunk: LheChunk) -> None:
        failed = int(events.failed.sum())
        allowed = self._config.max_failed_fraction
        if failed > max(1.0, allowed * len(chunk)):
            first = chunk.event_ids[int(np.argmax(events.failed))]
            raise SimulationError(
                f"Pythia gave up on {failed} of {len(chunk)} events, {self._config.shower_attempts} attempts each, the "
                f"first being event {first}; allowed is a fraction of {allowed:g} (simulation.max_failed_fraction)"
            )


def _layout_of(pythia: Any) -> np.dtype[Any] | None:
    """Return the layout of Pythia's records in memory if it is certain, with a warning if it is not."""
    layout = find_layout(pythia.event)
    if layout is not None and matches_layout(pythia.process, layout):
        return layout
    logger.warning(
        "the event record of this build of Pythia cannot be read in one block; reading it particle by particle, which "
        "takes about twice as long as the shower itself"
    )
    return None
