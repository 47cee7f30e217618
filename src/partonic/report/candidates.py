"""Which candidates a store can have: its resonances, the objects that they leave, and the axes of masses.

They derive from the decay tree of the process of the store. Jets are known by their provenance; leptons and photons by
the decay product of the same kind that is nearest in ΔR.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from partonic.events.batch import EventBatch
from partonic.plots.axis import Axis
from partonic.processes.decay_tree import DecayTree, Resonance
from partonic.report.labels import particle_label

__all__ = ["JetCandidate", "PairCandidate", "jet_candidates", "matched_objects", "pair_candidates"]

_HIGGS: Final = 25
_MATCH_RADIUS: Final = 0.1
"""ΔR within which a lepton or photon is a decay product; directions of both are measured far better than this."""

_OF_TOP_PAIR: Final = (("H", "H", 1, 2), ("t_had", "hadronic top", 2, 3), ("t_lep", "leptonic top", 3, 1))
"""Provenance, name, its number, and jets of a complete decay, where a top pair is decayed."""

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class JetCandidate:
    """Jets of one resonance.

    Attributes:
        name: of the resonance, for tables and results.
        provenance: value of the column ``jet_provenance`` of its jets.
        jets: how many a complete hadronic decay has.
        mass: name and axis of the mass of all of them; None where a neutrino is missing.
    """

    name: str
    provenance: int
    jets: int
    mass: tuple[str, Axis] | None


@dataclass(frozen=True)
class PairCandidate:
    """Two leptons or two photons of one resonance.

    Attributes:
        pdg_ids: of the resonance.
        objects: ``"lepton"`` or ``"photon"``.
        axis: of their mass.
    """

    pdg_ids: tuple[int, ...]
    objects: str
    axis: Axis


def jet_candidates(tree: DecayTree) -> tuple[JetCandidate, ...]:
    """Return the resonances whose jets are matched, in the order of their provenance."""
    if tree.has_top_pair:
        masses = {
            "H": ("higgs", _axis("higgs", r"$m$(two jets of H)", (40, 0.0, 240.0))),
            "t_had": ("top", _axis("top", r"$m$(three jets of t)", (40, 50.0, 350.0))),
        }
        known = {one.pdg_ids for one in tree.outermost}
        return tuple(
            JetCandidate(name, code, jets, masses.get(key))
            for key, name, code, jets in _OF_TOP_PAIR
            if key != "H" or (_HIGGS,) in known
        )
    found = []
    for number, name in enumerate(tree.provenances, start=1):
        resonance = tree.named(name)
        if resonance is None:
            continue
        jets, text = (3, "three") if resonance.is_top else (2, "two")
        bins = (40, 50.0, 350.0) if resonance.is_top else (40, 0.0, 240.0)
        axis = _axis(name, rf"$m$({text} jets of ${_symbol(resonance)}$)", bins)
        found.append(JetCandidate(name, number, jets, (name, axis)))
    return tuple(found)


def pair_candidates(tree: DecayTree) -> tuple[PairCandidate, ...]:
    """Return the neutral resonances whose two leptons or photons may have been found."""
    found: list[PairCandidate] = []
    for resonance in tree.outermost:
        if any(-pdg in resonance.pdg_ids or abs(pdg) in (6, 24) for pdg in resonance.pdg_ids):
            continue
        higgs = _HIGGS in resonance.pdg_ids
        kind, bins = ("photon", (40, 105.0, 145.0)) if higgs else ("lepton", (40, 60.0, 140.0))
        label = rf"$m$(two {kind}s of ${_symbol(resonance)}$)"
        found.append(PairCandidate(resonance.pdg_ids, kind, _axis(f"{resonance.name}_{kind}s", label, bins)))
    return tuple(found)


def _symbol(resonance: Resonance) -> str:
    known = resonance.pdg_ids[0] if len(resonance.pdg_ids) == 1 else 0
    return particle_label(known, resonance.name)


def _axis(name: str, label: str, bins: tuple[int, float, float]) -> Axis:
    return Axis.regular(f"candidate_{name}_mass", label, bins, "GeV")


def matched_objects(batch: EventBatch, objects: Mapping[str, Array], pdg: Array, origins: tuple[int, ...]) -> Flags:
    """Return which reconstructed objects are near a decay product of some resonance, `(N, O)`.

    Args:
        batch: events with ``decay_partons``, ``decay_pdg`` and ``decay_origin``.
        objects: eta and phi, `(N, O)` each.
        pdg: PDG ids of the objects, 0 where there is none, `(N, O)`.
        origins: PDG ids of the resonance.
    """
    width = max(1, int(batch.counts("decay_pdg").max(initial=1)))
    kind, _ = batch.padded("decay_pdg", width)
    origin, _ = batch.padded("decay_origin", width)
    momenta = batch.padded("decay_partons", 4 * width)[0].reshape(len(batch), width, 4)
    size = np.hypot(momenta[..., 1], momenta[..., 2])
    eta = np.arcsinh(momenta[..., 3] / np.where(size > 0.0, size, 1.0))
    phi = np.arctan2(momenta[..., 2], momenta[..., 1])
    turn = objects["phi"][:, :, None] - phi[:, None, :]
    distance = np.hypot(objects["eta"][:, :, None] - eta[:, None, :], np.angle(np.exp(1j * turn)))
    same = (kind[:, None, :] == pdg[:, :, None]) & (pdg[:, :, None] != 0) & np.isin(origin, origins)[:, None, :]
    result: Flags = (same & (distance < _MATCH_RADIUS)).any(axis=2)
    return result
