"""Response of the detector to single particles: efficiency and resolution, all particles of many events at once.

Charged particles are found with an efficiency and get a new transverse momentum, photons and neutral hadrons a new
energy; directions stay (no magnetic field, no propagation, no granularity). The measured value x' of a true value x
with resolution σ follows the log-normal distribution with mean x and standard deviation σ: for σ ≪ x it is the
Gaussian, and it never gets negative, so that the mean is right for soft particles as well. The numbers are those of
`partonic.config.detector`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from partonic.config.detector import (
    CalorimeterBand,
    DetectorConfig,
    EfficiencyBand,
    TrackingBand,
    TrackingConfig,
)
from partonic.simulation.particles import ParticleTable, pseudorapidity
from partonic.simulation.species import Species, species_of

__all__ = [
    "MeasuredParticles",
    "efficiency",
    "energy_resolution",
    "lepton_response",
    "measure",
    "momentum_resolution",
    "smeared_ratio",
]

Values = Float[np.ndarray, " values"]


@dataclass(frozen=True)
class MeasuredParticles:
    """What the detector sees.

    Attributes:
        particles: the measured particles.
        species: their `Species`, `(M,)`.
        source: row of each in the table of true particles, `(M,)`.
    """

    particles: ParticleTable
    species: Int[np.ndarray, " particles"]
    source: Int[np.ndarray, " particles"]


def lepton_response(particles: ParticleTable, config: DetectorConfig, generator: np.random.Generator) -> Values:
    """Return measured over true pT of the electrons and muons; 0 for those that are not found and for all others."""
    species = species_of(particles.pdg)
    ratio = np.zeros(len(species))
    for kind, response in ((Species.ELECTRON, config.electrons), (Species.MUON, config.muons)):
        chosen = np.flatnonzero(species == kind)
        found = particles.momenta[chosen]
        pt, eta = np.hypot(found[:, 1], found[:, 2]), np.abs(pseudorapidity(found))
        ratio[chosen] = _tracks(pt, eta, response, generator)
    return ratio


def measure(
    particles: ParticleTable,
    config: DetectorConfig,
    generator: np.random.Generator,
    leptons: Values | None = None,
) -> MeasuredParticles:
    """Return the particles as the detector measures them.

    Args:
        particles: true final particles of N events.
        config: efficiencies and resolutions.
        generator: of the random numbers.
        leptons: `lepton_response` of the same particles, if it was drawn before.
    """
    species = species_of(particles.pdg)
    eta = np.abs(particles.eta)
    ratio = lepton_response(particles, config, generator) if leptons is None else leptons.copy()
    pt, energy = particles.pt, particles.momenta[:, 0]
    chosen = np.flatnonzero(species == Species.CHARGED_HADRON)
    ratio[chosen] = _tracks(pt[chosen], eta[chosen], config.charged_hadrons, generator)
    hadrons = species == Species.NEUTRAL_HADRON
    if config.untracked_charged_hadrons == "calorimeter":
        hadrons |= (species == Species.CHARGED_HADRON) & (ratio == 0.0)
    shares = (
        (species == Species.PHOTON, 1.0, config.electromagnetic),
        (hadrons, 1.0, config.hadronic),
        (species == Species.STRANGE_NEUTRAL, config.strange_electromagnetic_fraction, config.electromagnetic),
        (species == Species.STRANGE_NEUTRAL, 1.0 - config.strange_electromagnetic_fraction, config.hadronic),
    )
    for mask, share, bands in shares:
        chosen = np.flatnonzero(mask)
        ratio[chosen] += share * _deposits(share * energy[chosen], eta[chosen], bands, generator)
    seen = ratio > 0.0
    return MeasuredParticles(particles.scaled(ratio).select(seen), species[seen], np.flatnonzero(seen))


def _tracks(pt: Values, eta: Values, response: TrackingConfig, generator: np.random.Generator) -> Values:
    """Return measured over true pT, 0 for particles that are not found."""
    found = generator.random(len(pt)) < efficiency(pt, eta, response.efficiency)
    result: Values = found * smeared_ratio(momentum_resolution(pt, eta, response.resolution), generator)
    return result


def _deposits(energy: Values, eta: Values, bands: Sequence[CalorimeterBand], generator: np.random.Generator) -> Values:
    """Return measured over true energy, 0 beyond the calorimeter."""
    positive = energy > 0.0
    relative = energy_resolution(energy, eta, bands) / np.where(positive, energy, 1.0)
    inside = positive & (eta <= bands[-1].eta_max)
    result: Values = inside * smeared_ratio(np.where(inside, relative, 0.0), generator)
    return result


def smeared_ratio(relative: Values, generator: np.random.Generator) -> Values:
    """Draw measured over true values: log-normal with mean 1 and standard deviation `relative`."""
    variance = np.log1p(relative**2)
    result: Values = np.exp(np.sqrt(variance) * generator.standard_normal(len(relative)) - 0.5 * variance)
    return result


def efficiency(pt: Values, eta: Values, bands: Sequence[EfficiencyBand]) -> Values:
    """Return the efficiency at `pt` (GeV) and |η| `eta`; 0 beyond the last band."""
    result = np.zeros(len(pt))
    lower = -1.0
    for band in bands:
        inside = (eta > lower) & (eta <= band.eta_max)
        steps = np.searchsorted(np.array(band.pt_above), pt[inside], side="left")
        result[inside] = np.array((0.0, *band.efficiency))[steps]
        lower = band.eta_max
    return result


def momentum_resolution(pt: Values, eta: Values, bands: Sequence[TrackingBand]) -> Values:
    """Return σ(pT)/pT at `pt` (GeV) and |η| `eta`; 0 beyond the last band."""
    band = np.searchsorted([band.eta_max for band in bands], eta, side="left")
    constant = np.array([band.constant for band in bands] + [0.0])[band]
    slope = np.array([band.slope for band in bands] + [0.0])[band]
    result: Values = np.hypot(constant, slope * pt)
    return result


def energy_resolution(energy: Values, eta: Values, bands: Sequence[CalorimeterBand]) -> Values:
    """Return σ(E) in GeV at energy `energy` (GeV) and |η| `eta`; 0 beyond the last band."""
    result = np.zeros(len(energy))
    lower = -1.0
    for band in bands:
        inside = (eta > lower) & (eta <= band.eta_max)
        e = energy[inside]
        factor = band.scale + band.curvature * (eta[inside] - band.centre) ** 2
        result[inside] = factor * np.sqrt((band.linear * e) ** 2 + band.stochastic_squared * e + band.noise**2)
        lower = band.eta_max
    return result
