"""Truth matching: which jet comes from which quark of the decays of resonances.

Jets and quarks of an event are paired within ΔR < R, the nearest pair first, each jet and each quark at most once.
Taking at the same time all pairs that are nearest for both partners gives the same result as one pair after another.
"""

import numpy as np
from jaxtyping import Bool, Float, Int

from partonic.simulation.harvest import DecayTable
from partonic.simulation.jets import JetTable
from partonic.simulation.particles import delta_phi, pairs_within_events

__all__ = ["hadronic_tops", "jet_provenance", "match_jets", "nearest_pt"]

_FROM_HADRONIC_TOP = 2
_TOP = 6


def match_jets(jets: JetTable, decays: DecayTable, radius: float) -> Int[np.ndarray, " jets"]:
    """Return for each jet the index of its quark among the decay products of its event, −1 for none."""
    products = decays.particles
    first, second = pairs_within_events(jets.offsets, products.offsets)
    quark = np.abs(products.pdg[second]) <= 5
    first, second = first[quark], second[quark]
    distance = _distance(jets, first, products.eta[second], products.phi[second])
    near = distance < radius
    first, second, distance = first[near], second[near], distance[near]
    row = np.full(len(jets.momenta), -1, dtype=np.int64)
    while len(first):
        best = (distance == _smallest(first, distance)) & (distance == _smallest(second, distance))
        row[first[best]] = second[best]
        open_ = ~np.isin(first, first[best]) & ~np.isin(second, second[best])
        first, second, distance = first[open_], second[open_], distance[open_]
    return np.where(row < 0, -1, row - products.offsets[:-1][jets.event]).astype(np.int8)


def _smallest(group: Int[np.ndarray, " pairs"], distance: Float[np.ndarray, " pairs"]) -> Float[np.ndarray, " pairs"]:
    """Return for each pair the smallest distance among the pairs of its group."""
    smallest = np.full(group.max() + 1, np.inf)
    np.minimum.at(smallest, group, distance)
    result: Float[np.ndarray, " pairs"] = smallest[group]
    return result


def _distance(
    jets: JetTable, row: Int[np.ndarray, " pairs"], eta: Float[np.ndarray, " pairs"], phi: Float[np.ndarray, " pairs"]
) -> Float[np.ndarray, " pairs"]:
    result: Float[np.ndarray, " pairs"] = np.hypot(jets.eta[row] - eta, delta_phi(jets.phi[row], phi))
    return result


def hadronic_tops(decays: DecayTable) -> Bool[np.ndarray, "events 2"]:
    """Return whether the t and the t̄ of each event decay to quarks only; False where there is no such top."""
    products = decays.particles
    columns = []
    for origin in (6, -6):
        of_top = decays.origin == origin
        counts = np.bincount(products.event[of_top], minlength=products.num_events)
        quarks = of_top & (np.abs(products.pdg) <= 5)
        of_quarks = np.bincount(products.event[quarks], minlength=products.num_events)
        columns.append((counts > 0) & (counts == of_quarks))
    return np.stack(columns, axis=1)


def jet_provenance(jets: JetTable, match: Int[np.ndarray, " jets"], decays: DecayTable) -> Int[np.ndarray, " jets"]:
    """Return for each jet the resonance that its quark comes from, 0 for none.

    With a top pair: 1 for H, 2 for a hadronic top, 3 for a leptonic top. Otherwise the place of the resonance in
    `DecayTree.provenances`, from 1.
    """
    matched = match >= 0
    event = jets.event[matched]
    origin = decays.origin[decays.particles.offsets[:-1][event] + match[matched]]
    found = np.zeros(len(origin), dtype=np.int8)
    for pdg in decays.tree.origins:
        found[origin == pdg] = decays.tree.provenance_of(pdg)
    if decays.tree.has_top_pair:
        hadronic = hadronic_tops(decays)[event, np.where(origin == _TOP, 0, 1)]
        found[hadronic & (np.abs(origin) == _TOP)] = _FROM_HADRONIC_TOP
    provenance = np.zeros(len(match), dtype=np.int8)
    provenance[matched] = found
    return provenance


def nearest_pt(jets: JetTable, others: JetTable, radius: float) -> Float[np.ndarray, " jets"]:
    """Return for each jet the pT (GeV) of the nearest of the `others` within ΔR < `radius`; NaN where there is none."""
    first, second = pairs_within_events(jets.offsets, others.offsets)
    distance = _distance(jets, first, others.eta[second], others.phi[second])
    near = distance < radius
    first, second, distance = first[near], second[near], distance[near]
    order = np.argsort(-distance, kind="stable")  # later assignments win, so the nearest comes last
    result = np.full(len(jets.momenta), np.nan)
    result[first[order]] = others.pt[second[order]]
    return result
