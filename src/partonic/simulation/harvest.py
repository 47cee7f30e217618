"""What is kept of Pythia's event records: final particles, last heavy hadrons, resonances, decays, initiators.

All functions work on the records of many events at once.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from partonic.simulation.event_record import EventRecords
from partonic.simulation.particles import ParticleTable, event_offsets
from partonic.simulation.species import has_heavy_quark

__all__ = ["RESONANCES", "DecayTable", "ShoweredEvents", "harvest"]

RESONANCES = (25, 6, -6)
"""Resonances whose decays and last copies are kept: H, t, t̄."""

_INITIATOR = -61
"""Pythia's status of the partons taken from the beams, after the whole shower, with primordial kT."""

_FIRST_HADRON_STATUS = 80
"""Hadrons have a status of larger size than this, in Pythia's code."""

_LIGHTEST_HEAVY_HADRON = 400
"""Identifiers of hadrons with a b or c quark are larger."""

_DECAY_PRODUCT = 23
"""Pythia's status of the products of a resonance decay, before their own shower."""

_LAST_LEPTON = 16
_PHOTON = 22
_WEAK_BOSONS = (23, 24, -24)

Rows = Int[np.ndarray, " chosen"]


@dataclass(frozen=True)
class DecayTable:
    """Quarks, leptons and photons from the decays of H, t and t̄, before they radiate themselves.

    The decaying resonances carry the recoil against initial-state radiation, so the momenta of the decay products sum
    to those of the last copies of H, t and t̄, up to radiation within the decays. Ordered within an event by origin (H,
    t, t̄), then as in Pythia's record.

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


def harvest(event: EventRecords) -> ShoweredEvents:
    """Pick what is kept from the event records."""
    size = np.abs(event["id"])
    initiators = np.flatnonzero(event["status"] == _INITIATOR)
    resonances = np.flatnonzero((size == 25) | (size == 6))
    return ShoweredEvents(
        particles=_table(event, np.flatnonzero(event["status"] > 0)),
        heavy=_table(event, _last_heavy(event, size)),
        decays=_decays(event),
        resonances=np.stack([_last_copy(event, resonances, pdg) for pdg in RESONANCES], axis=1),
        initiators=np.stack([_initiator(event, initiators, beam) for beam in (1, 2)], axis=1),
        failed=np.diff(event.offsets) == 0,
    )


def _momenta(records: EventRecords, rows: Rows) -> Float[np.ndarray, "chosen 4"]:
    return np.stack([records[name][rows] for name in ("e", "px", "py", "pz")], axis=-1)


def _table(records: EventRecords, rows: Rows) -> ParticleTable:
    """Return the particles in `rows`, which ascend."""
    offsets = np.searchsorted(rows, records.offsets).astype(np.int64)
    return ParticleTable(records["id"][rows], _momenta(records, rows), offsets)


def _event_of(records: EventRecords, rows: Rows) -> Rows:
    return np.searchsorted(records.offsets, rows, side="right") - 1


def _last_heavy(records: EventRecords, size: Int[np.ndarray, " particles"]) -> Rows:
    """Return the b and c hadrons that do not decay to one of the same flavour, and the final b and c quarks."""
    decayed_or_final = np.abs(records["status"]) > _FIRST_HADRON_STATUS
    candidates = np.flatnonzero((size > _LIGHTEST_HEAVY_HADRON) & decayed_or_final)
    kept = [np.flatnonzero(((size == 5) | (size == 4)) & (records["status"] > 0))]
    for quark in (4, 5):
        hadrons = candidates[has_heavy_quark(size[candidates], quark)]
        daughter = records["daughter1"][hadrons]
        child = records.offsets[:-1][_event_of(records, hadrons)] + daughter
        kept.append(hadrons[~((daughter > 0) & has_heavy_quark(size[child], quark))])
    return np.sort(np.concatenate(kept))


def _last_copy(records: EventRecords, resonances: Rows, pdg: int) -> Float[np.ndarray, "events 4"]:
    return _one_per_event(records, resonances[records["id"][resonances] == pdg], last=True)


def _initiator(records: EventRecords, initiators: Rows, beam: int) -> Float[np.ndarray, "events 4"]:
    """Return the first parton taken from a beam: that of the hardest interaction, before any further ones."""
    return _one_per_event(records, initiators[records["mother1"][initiators] == beam], last=False)


def _one_per_event(records: EventRecords, rows: Rows, last: bool) -> Float[np.ndarray, "events 4"]:
    bounds = np.searchsorted(rows, records.offsets)
    exists = bounds[1:] > bounds[:-1]
    position = (bounds[1:] - 1) if last else bounds[:-1]
    result = np.full((len(exists), 4), np.nan)
    result[exists] = _momenta(records, rows[position[exists]])
    return result


def _decays(records: EventRecords) -> DecayTable:
    """Return the quarks, leptons and photons that come from H, t, t̄, directly or through a W or Z."""
    size = np.abs(records["id"])
    fermion_or_photon = (size <= _LAST_LEPTON) | (size == _PHOTON)
    product = np.flatnonzero((np.abs(records["status"]) == _DECAY_PRODUCT) & fermion_or_photon)
    event = _event_of(records, product)
    origin = _origin(records, product, records.offsets[:-1][event])
    product, event, origin = product[origin != 0], event[origin != 0], origin[origin != 0]
    rank = np.select([origin == 25, origin == 6], [0, 1], 2)
    order = np.lexsort((product, rank, event))
    counts = np.bincount(event, minlength=len(records.offsets) - 1)
    rows = product[order]
    return DecayTable(ParticleTable(records["id"][rows], _momenta(records, rows), event_offsets(counts)), origin[order])


def _origin(records: EventRecords, rows: Rows, begin: Rows) -> Int[np.ndarray, " chosen"]:
    """Follow the first mothers of `rows` up to a resonance and return its identifier; 0 if it is none of ours."""
    origin = np.zeros(len(rows), dtype=np.int8)
    ancestor = rows
    while True:
        ancestor = begin + records["mother1"][ancestor]
        name = records["id"][ancestor]
        climbing = (origin == 0) & np.isin(name, (*RESONANCES, *_WEAK_BOSONS))
        arrived = climbing & np.isin(name, RESONANCES)
        origin[arrived] = name[arrived]
        if not (climbing & ~arrived).any():
            return origin
