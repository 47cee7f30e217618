"""Identified, isolated photons."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from partonic.config.detector import DetectorConfig
from partonic.simulation.detector import MeasuredParticles, efficiency
from partonic.simulation.leptons import IsolatedLeptons, isolated_by_pt, relative_isolation
from partonic.simulation.particles import delta_phi, pairs_within_events, pseudorapidity
from partonic.simulation.species import Species

__all__ = ["IsolatedPhotons", "isolated_photons"]


@dataclass(frozen=True)
class IsolatedPhotons:
    """Isolated photons of N events, descending in pT within an event.

    Attributes:
        row: row of each in the table of measured particles, `(P,)`.
        isolation: scalar sum of pT around it, relative to its own pT, `(P,)`.
        offsets: where the photons of each event begin, `(N + 1,)`.
    """

    row: Int[np.ndarray, " photons"]
    isolation: Float[np.ndarray, " photons"]
    offsets: Int[np.ndarray, " bounds"]

    @classmethod
    def none(cls, events: int) -> "IsolatedPhotons":
        """Return no photon in any of the events."""
        empty = np.zeros(0, dtype=np.int64)
        return cls(empty, np.zeros(0), np.zeros(events + 1, dtype=np.int64))


def isolated_photons(
    measured: MeasuredParticles, leptons: IsolatedLeptons, config: DetectorConfig, generator: np.random.Generator
) -> IsolatedPhotons:
    """Return the photons that are identified, isolated and not radiated by an isolated lepton.

    Args:
        measured: all measured particles; their energies have the resolution of the electromagnetic calorimeter.
        leptons: isolated leptons of the same events.
        config: efficiency, isolation and distance to leptons.
        generator: of the random numbers.
    """
    photon = config.photon_identification
    candidates = np.flatnonzero(measured.species == Species.PHOTON)
    momenta = measured.particles.momenta[candidates]
    pt = np.hypot(momenta[:, 1], momenta[:, 2])
    eta = np.abs(pseudorapidity(momenta))
    chosen = candidates[generator.random(len(pt)) < efficiency(pt, eta, photon.identification)]
    chosen = chosen[~_near_lepton(measured, chosen, leptons, photon.lepton_distance)]
    isolation = relative_isolation(measured, chosen, config)
    isolated = isolation < photon.isolation_max
    return IsolatedPhotons(*isolated_by_pt(measured, chosen[isolated], isolation[isolated]))


def _near_lepton(
    measured: MeasuredParticles, row: Int[np.ndarray, " photons"], leptons: IsolatedLeptons, distance: float
) -> Bool[np.ndarray, " photons"]:
    """Return which of the particles in ascending `row` are closer in ΔR to a lepton than `distance`."""
    particles = measured.particles
    first, second = pairs_within_events(np.searchsorted(row, particles.offsets), leptons.offsets)
    one, other = particles.momenta[row[first]], particles.momenta[leptons.row[second]]
    azimuths = [np.arctan2(momenta[:, 2], momenta[:, 1]) for momenta in (one, other)]
    near = np.hypot(pseudorapidity(one) - pseudorapidity(other), delta_phi(*azimuths)) < distance
    return np.bincount(first[near], minlength=len(row)) > 0
