"""Identified, isolated electrons and muons."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from partonic.config.detector import DetectorConfig, LeptonConfig
from partonic.simulation.detector import MeasuredParticles, efficiency
from partonic.simulation.particles import delta_phi, event_offsets, pairs_within_events
from partonic.simulation.species import Species

__all__ = ["IsolatedLeptons", "isolated_by_pt", "isolated_leptons", "relative_isolation"]


@dataclass(frozen=True)
class IsolatedLeptons:
    """Isolated leptons of N events, descending in pT within an event.

    Attributes:
        row: row of each in the table of measured particles, `(L,)`.
        isolation: scalar sum of pT around it, relative to its own pT, `(L,)`.
        offsets: where the leptons of each event begin, `(N + 1,)`.
    """

    row: Int[np.ndarray, " leptons"]
    isolation: Float[np.ndarray, " leptons"]
    offsets: Int[np.ndarray, " bounds"]


def isolated_leptons(
    measured: MeasuredParticles, config: DetectorConfig, generator: np.random.Generator
) -> IsolatedLeptons:
    """Return the leptons that are identified and isolated; the others stay ordinary particles."""
    rows, limits = [], []
    flavours: tuple[tuple[Species, LeptonConfig], ...] = (
        (Species.ELECTRON, config.electron_identification),
        (Species.MUON, config.muon_identification),
    )
    for species, lepton in flavours:
        candidates = np.flatnonzero(measured.species == species)
        momenta = measured.particles.momenta[candidates]
        pt = np.hypot(momenta[:, 1], momenta[:, 2])
        eta = np.abs(np.arcsinh(momenta[:, 3] / pt))
        identified = candidates[generator.random(len(pt)) < efficiency(pt, eta, lepton.identification)]
        rows.append(identified)
        limits.append(np.full(len(identified), lepton.isolation_max))
    row = np.concatenate(rows)
    order = np.argsort(row)
    row, limit = row[order], np.concatenate(limits)[order]
    isolation = relative_isolation(measured, row, config)
    isolated = isolation < limit
    return IsolatedLeptons(*isolated_by_pt(measured, row[isolated], isolation[isolated]))


def relative_isolation(
    measured: MeasuredParticles, row: Int[np.ndarray, " leptons"], config: DetectorConfig
) -> Float[np.ndarray, " leptons"]:
    """Return Σ pT of the other particles within `isolation_radius`, over the pT of the lepton or photon.

    Args:
        measured: all measured particles.
        row: ascending rows of the leptons or photons among them.
        config: radius and smallest pT of the sum.
    """
    particles = measured.particles
    first, second = pairs_within_events(np.searchsorted(row, particles.offsets), particles.offsets)
    momenta = particles.momenta
    pt = np.hypot(momenta[second, 1], momenta[second, 2])
    hard = (pt > config.isolation_pt_min) & (second != row[first])
    first, second, pt = first[hard], second[hard], pt[hard]
    near = _delta_r_squared(momenta[row[first]], momenta[second]) < config.isolation_radius**2
    total = np.bincount(first[near], weights=pt[near], minlength=len(row))
    result: Float[np.ndarray, " leptons"] = total / np.hypot(momenta[row, 1], momenta[row, 2])
    return result


def _delta_r_squared(
    first: Float[np.ndarray, "pairs 4"], second: Float[np.ndarray, "pairs 4"]
) -> Float[np.ndarray, " pairs"]:
    eta = [np.arcsinh(p[:, 3] / np.hypot(p[:, 1], p[:, 2])) for p in (first, second)]
    phi = [np.arctan2(p[:, 2], p[:, 1]) for p in (first, second)]
    result: Float[np.ndarray, " pairs"] = (eta[0] - eta[1]) ** 2 + delta_phi(phi[0], phi[1]) ** 2
    return result


def isolated_by_pt(
    measured: MeasuredParticles, row: Int[np.ndarray, " objects"], isolation: Float[np.ndarray, " objects"]
) -> tuple[Int[np.ndarray, " objects"], Float[np.ndarray, " objects"], Int[np.ndarray, " bounds"]]:
    """Return rows and isolations in descending pT within events, and where the objects of each event begin."""
    particles = measured.particles
    event = np.searchsorted(particles.offsets, row, side="right") - 1
    order = np.lexsort((-particles.pt[row], event))
    counts = np.bincount(event, minlength=particles.num_events)
    return row[order], isolation[order], event_offsets(counts)
