"""What is kept of Pythia's event records: final particles, last heavy hadrons, resonances, decays, initiators.

All functions work on the records of many events at once.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from partonic.processes.decay_tree import ANY_FINAL_STATE, DecayTree
from partonic.simulation.event_record import EventRecords
from partonic.simulation.particles import ParticleTable, event_offsets
from partonic.simulation.species import has_heavy_quark

__all__ = ["DecayTable", "ShoweredEvents", "harvest"]

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
    """Quarks, leptons and photons from the decays of the resonances of the process, before they radiate themselves.

    The decaying resonances carry the recoil against initial-state radiation, so the momenta of the decay products sum
    to those of the last copies of the resonances, up to radiation within the decays. Ordered within an event by origin
    (as in the tree: H, t, t̄), then as in Pythia's record.

    Attributes:
        particles: the decay products.
        origin: PDG id of the outermost resonance that each one comes from.
        tree: the resonances of the process.
    """

    particles: ParticleTable
    origin: Int[np.ndarray, " particles"]
    tree: DecayTree = ANY_FINAL_STATE


@dataclass(frozen=True)
class ShoweredEvents:
    """N events after shower, hadronization and decays.

    Attributes:
        particles: the final particles.
        heavy: last b and c hadrons before their weak decay (final b and c quarks without hadronization).
        decays: decay products of the resonances before the shower.
        resonances: last copies of the outermost resonances of the tree (H, t, t̄) before their decay, (E, px, py, pz)
            in GeV; NaN where there is none.
        initiators: partons from the beams along +z and −z that started the hardest interaction; NaN where unknown.
        failed: events on which Pythia gave up; they have no particles.
    """

    particles: ParticleTable
    heavy: ParticleTable
    decays: DecayTable
    resonances: Float[np.ndarray, "events resonances 4"]
    initiators: Float[np.ndarray, "events 2 4"]
    failed: Bool[np.ndarray, " events"]

    @property
    def num_events(self) -> int:
        """Number N of events."""
        return len(self.failed)


def harvest(event: EventRecords, tree: DecayTree = ANY_FINAL_STATE) -> ShoweredEvents:
    """Pick what is kept from the event records; `tree` says which resonances are looked for."""
    size = np.abs(event["id"])
    initiators = np.flatnonzero(event["status"] == _INITIATOR)
    resonances = np.flatnonzero(np.isin(event["id"], tree.origins))
    return ShoweredEvents(
        particles=_table(event, np.flatnonzero(event["status"] > 0)),
        heavy=_table(event, _last_heavy(event, size)),
        decays=_decays(event, tree),
        resonances=_last_copies(event, resonances, tree),
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


def _last_copies(records: EventRecords, rows: Rows, tree: DecayTree) -> Float[np.ndarray, "events resonances 4"]:
    ids = records["id"][rows]
    copies = [_one_per_event(records, rows[np.isin(ids, one.pdg_ids)], last=True) for one in tree.outermost]
    return np.stack(copies, axis=1) if copies else np.zeros((len(records.offsets) - 1, 0, 4))


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


def _decays(records: EventRecords, tree: DecayTree) -> DecayTable:
    """Return the quarks, leptons and photons that come from the resonances, directly or through others."""
    size = np.abs(records["id"])
    fermion_or_photon = (size <= _LAST_LEPTON) | (size == _PHOTON)
    product = np.flatnonzero((np.abs(records["status"]) == _DECAY_PRODUCT) & fermion_or_photon)
    event = _event_of(records, product)
    origin = _origin(records, product, records.offsets[:-1][event], tree)
    product, event, origin = product[origin != 0], event[origin != 0], origin[origin != 0]
    rank = np.select([origin == pdg for pdg in tree.origins], list(range(len(tree.origins))), len(tree.origins))
    order = np.lexsort((product, rank, event))
    counts = np.bincount(event, minlength=len(records.offsets) - 1)
    rows = product[order]
    return DecayTable(
        ParticleTable(records["id"][rows], _momenta(records, rows), event_offsets(counts)), origin[order], tree
    )


def _origin(records: EventRecords, rows: Rows, begin: Rows, tree: DecayTree) -> Int[np.ndarray, " chosen"]:
    """Follow the first mothers of `rows` up to the outermost resonance and return its identifier; 0 if there is none.

    A W or Z may itself come from H or t, so only the others end the way.
    """
    origin = np.zeros(len(rows), dtype=np.int8)
    ancestor, open_ = rows, np.ones(len(rows), dtype=bool)
    on_the_way = (*tree.pdg_ids, *_WEAK_BOSONS)
    while True:
        ancestor = begin + records["mother1"][ancestor]
        name = records["id"][ancestor]
        climbing = open_ & np.isin(name, on_the_way)
        found = climbing & np.isin(name, tree.origins)
        origin[found] = name[found]
        open_ = climbing & ~(found & ~np.isin(name, _WEAK_BOSONS))
        if not open_.any():
            return origin
