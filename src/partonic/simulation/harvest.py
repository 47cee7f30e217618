"""What is kept of Pythia's event records: final particles, last heavy hadrons, resonances, decays, initiators.

All functions take the particles of many events one after another (`event_record.FIELDS`) and where each event begins,
and work on all events at once.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int, Shaped

from partonic.simulation.particles import ParticleTable
from partonic.simulation.species import has_heavy_quark

__all__ = ["RESONANCES", "DecayTable", "ShoweredEvents", "harvest", "joined"]

RESONANCES = (25, 6, -6)
"""Resonances whose decays and last copies are kept: H, t, t̄."""

_INITIATOR = -61
"""Pythia's status of the partons taken from the beams, after the whole shower, with primordial kT."""

_DEEPEST_DECAY = 8
"""No decay product is more generations below its resonance than this."""

Rows = Shaped[np.ndarray, " particles"]
Bounds = Int[np.ndarray, " bounds"]


@dataclass(frozen=True)
class DecayTable:
    """Quarks, leptons and photons from the decays of H, t and t̄, before the shower.

    Ordered within an event by origin (H, t, t̄), then as in Pythia's record.

    Attributes:
        particles: the decay products.
        origin: 25, 6 or −6 for each.
    """

    particles: ParticleTable
    origin: Int[np.ndarray, " particles"]


@dataclass(frozen=True)
class ShoweredEvents:
    """N events after shower, hadronization and decays.

    Attributes:
        particles: the final particles.
        heavy: last b and c hadrons before their weak decay (final b and c quarks without hadronization).
        decays: decay products of the resonances before the shower.
        resonances: last copies of H, t, t̄ before their decay (E, px, py, pz) in GeV; NaN where there is none.
        initiators: partons from the beams along +z and −z that started the hardest interaction; NaN where unknown.
        failed: events on which Pythia gave up; they have no particles.
    """

    particles: ParticleTable
    heavy: ParticleTable
    decays: DecayTable
    resonances: Float[np.ndarray, "events 3 4"]
    initiators: Float[np.ndarray, "events 2 4"]
    failed: Bool[np.ndarray, " events"]

    @property
    def num_events(self) -> int:
        """Number N of events."""
        return len(self.failed)


def harvest(event: tuple[Rows, Bounds], process: tuple[Rows, Bounds]) -> ShoweredEvents:
    """Pick what is kept from the full event records and the records of the hard processes of the same events."""
    rows, offsets = event
    final = rows["status"] > 0
    return ShoweredEvents(
        particles=_table(rows, offsets, np.flatnonzero(final)),
        heavy=_table(rows, offsets, _last_heavy(rows, offsets)),
        decays=_decays(*process),
        resonances=np.stack([_last_copy(rows, offsets, pdg) for pdg in RESONANCES], axis=1),
        initiators=np.stack([_initiator(rows, offsets, beam) for beam in (1, 2)], axis=1),
        failed=np.diff(offsets) == 0,
    )


def _momenta(rows: Rows, indices: Int[np.ndarray, " chosen"]) -> Float[np.ndarray, "chosen 4"]:
    return np.stack([rows[name][indices] for name in ("e", "px", "py", "pz")], axis=-1)


def _table(rows: Rows, offsets: Bounds, indices: Int[np.ndarray, " chosen"]) -> ParticleTable:
    """Return the particles at `indices`, which ascend."""
    return ParticleTable(
        rows["id"][indices].astype(np.int32),
        _momenta(rows, indices),
        np.searchsorted(indices, offsets).astype(np.int64),
    )


def _event_of(indices: Int[np.ndarray, " chosen"], offsets: Bounds) -> Int[np.ndarray, " chosen"]:
    return np.searchsorted(offsets, indices, side="right") - 1


def _last_heavy(rows: Rows, offsets: Bounds) -> Int[np.ndarray, " chosen"]:
    """Return the b and c hadrons that do not decay to one of the same flavour, and the final b and c quarks."""
    pdg = rows["id"]
    kept = []
    for quark in (4, 5):
        hadrons = np.flatnonzero(np.abs(pdg) > 100)
        hadrons = hadrons[has_heavy_quark(pdg[hadrons], quark) & (np.abs(rows["status"][hadrons]) > 80)]
        child = offsets[:-1][_event_of(hadrons, offsets)] + rows["daughter1"][hadrons]
        has_child = rows["daughter1"][hadrons] > 0
        kept.append(hadrons[~(has_child & has_heavy_quark(pdg[child], quark))])
        kept.append(np.flatnonzero((np.abs(pdg) == quark) & (rows["status"] > 0)))
    return np.sort(np.concatenate(kept))


def _last_copy(rows: Rows, offsets: Bounds, pdg: int) -> Float[np.ndarray, "events 4"]:
    return _one_per_event(rows, offsets, np.flatnonzero(rows["id"] == pdg), last=True)


def _initiator(rows: Rows, offsets: Bounds, beam: int) -> Float[np.ndarray, "events 4"]:
    """Return the first parton taken from a beam: that of the hardest interaction, before any further ones."""
    mask = (rows["status"] == _INITIATOR) & (rows["mother1"] == beam)
    return _one_per_event(rows, offsets, np.flatnonzero(mask), last=False)


def _one_per_event(
    rows: Rows, offsets: Bounds, indices: Int[np.ndarray, " chosen"], last: bool
) -> Float[np.ndarray, "events 4"]:
    bounds = np.searchsorted(indices, offsets)
    exists = bounds[1:] > bounds[:-1]
    position = (bounds[1:] - 1) if last else bounds[:-1]
    result = np.full((len(offsets) - 1, 4), np.nan)
    result[exists] = _momenta(rows, indices[position[exists]])
    return result


def _decays(rows: Rows, offsets: Bounds) -> DecayTable:
    """Return the final particles of the hard process that descend from a resonance."""
    final = np.flatnonzero(rows["status"] > 0)
    begin = offsets[:-1][_event_of(final, offsets)]
    origin = np.zeros(len(final), dtype=np.int64)
    ancestor = final
    for _ in range(_DEEPEST_DECAY):
        ancestor = begin + rows["mother1"][ancestor]
        found = rows["id"][ancestor]
        origin = np.where((origin == 0) & np.isin(found, RESONANCES), found, origin)
    kept = origin != 0
    final, origin, event = final[kept], origin[kept], _event_of(final[kept], offsets)
    rank = np.select([origin == 25, origin == 6], [0, 1], 2)
    order = np.lexsort((final, rank, event))
    final, origin, event = final[order], origin[order], event[order]
    counts = np.bincount(event, minlength=len(offsets) - 1)
    table = ParticleTable(
        rows["id"][final].astype(np.int32), _momenta(rows, final), np.concatenate([[0], np.cumsum(counts)])
    )
    return DecayTable(table, origin.astype(np.int8))


def joined(blocks: list[ShoweredEvents]) -> ShoweredEvents:
    """Put consecutive blocks of events together."""
    return ShoweredEvents(
        particles=_joined_tables([block.particles for block in blocks]),
        heavy=_joined_tables([block.heavy for block in blocks]),
        decays=DecayTable(
            _joined_tables([block.decays.particles for block in blocks]),
            np.concatenate([block.decays.origin for block in blocks]),
        ),
        resonances=np.concatenate([block.resonances for block in blocks]),
        initiators=np.concatenate([block.initiators for block in blocks]),
        failed=np.concatenate([block.failed for block in blocks]),
    )


def _joined_tables(tables: list[ParticleTable]) -> ParticleTable:
    counts = np.concatenate([table.counts for table in tables])
    return ParticleTable(
        np.concatenate([table.pdg for table in tables]),
        np.concatenate([table.momenta for table in tables]),
        np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
    )
