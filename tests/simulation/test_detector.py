"""Efficiencies and resolutions measured on single particles, against the formulas of the design, written out again."""

import numpy as np
import pytest

from partonic.config.detector import DetectorConfig
from partonic.simulation.detector import measure, smeared_ratio
from partonic.simulation.particles import ParticleTable

CARD = DetectorConfig()
N = 20_000


def charged_hadron(pt, eta):
    constant, slope = ((0.06, 1.3e-3), (0.10, 1.7e-3), (0.25, 3.1e-3))[int(eta > 0.5) + int(eta > 1.5)]
    efficiency = (0.70 if pt <= 1 else 0.95) if eta <= 1.5 else (0.60 if pt <= 1 else 0.85)
    return efficiency, np.sqrt(constant**2 + (slope * pt) ** 2)


def electron(pt, eta):
    constant, slope = ((0.03, 1.3e-3), (0.05, 1.7e-3), (0.15, 3.1e-3))[int(eta > 0.5) + int(eta > 1.5)]
    step = int(pt > 1) + int(pt > 100)
    return ((0.73, 0.95, 0.99) if eta <= 1.5 else (0.50, 0.83, 0.90))[step], np.sqrt(constant**2 + (slope * pt) ** 2)


def muon(pt, eta):
    constant, slope = ((0.01, 1.0e-4), (0.015, 1.5e-4), (0.025, 3.5e-4))[int(eta > 0.5) + int(eta > 1.5)]
    return ((0.75, 0.99) if eta <= 1.5 else (0.70, 0.98))[int(pt > 1)], np.sqrt(constant**2 + (slope * pt) ** 2)


@pytest.mark.parametrize(("pdg", "formula"), [(211, charged_hadron), (-11, electron), (13, muon)])
@pytest.mark.parametrize("eta", [0.3, -1.2, 2.1])
@pytest.mark.parametrize("pt", [0.6, 25.0, 140.0])
def test_tracks(toys, rng, pdg, formula, pt, eta):
    measured = measure(toys(pdg, np.full(N, pt), eta), CARD, rng)
    efficiency, resolution = formula(pt, abs(eta))
    found = len(measured.source) / N
    assert abs(found - efficiency) < 4.5 * np.sqrt(efficiency * (1 - efficiency) / N)
    assert_moments(measured.particles.pt / pt, resolution)
    np.testing.assert_allclose(measured.particles.eta, eta, rtol=1e-12)


def photon(e, eta):
    s = np.sqrt(0.008**2 * e**2 + 0.11**2 * e + 0.40**2)
    if eta <= 1.5:
        return (1 + 0.64 * eta**2) * s
    return (2.16 + 5.6 * (eta - 2) ** 2) * s if eta <= 2.5 else np.sqrt(0.107**2 * e**2 + 2.08**2 * e)


def neutral_hadron(e, eta):
    a, b = (0.05, 1.5) if eta <= 3.0 else (0.13, 2.7)
    return np.sqrt(a**2 * e**2 + b**2 * e)


@pytest.mark.parametrize(("pdg", "formula"), [(22, photon), (130, neutral_hadron)])
@pytest.mark.parametrize("eta", [0.4, 1.7, -2.3, 4.2])
@pytest.mark.parametrize("pt", [20.0, 150.0])
def test_calorimeter(toys, rng, pdg, formula, pt, eta):
    energy = pt * np.cosh(eta)
    measured = measure(toys(pdg, np.full(N, pt), eta), CARD, rng)
    assert len(measured.source) == N
    assert_moments(measured.particles.momenta[:, 0] / energy, formula(energy, abs(eta)) / energy)


@pytest.mark.parametrize("eta", [0.2, 3.5])
def test_strange_neutral_shares_its_energy(toys, rng, eta):
    energy = 40.0 * np.cosh(eta)
    measured = measure(toys(310, np.full(N, 40.0), eta), CARD, rng)
    width = np.hypot(photon(0.3 * energy, eta), neutral_hadron(0.7 * energy, eta)) / energy
    assert_moments(measured.particles.momenta[:, 0] / energy, width)


def assert_moments(ratio, sigma):
    """Mean 1 and standard deviation σ of a log-normal; the error of s² follows from its fourth moment."""
    assert abs(ratio.mean() - 1) < 4.5 * sigma / np.sqrt(len(ratio))
    w = 1 + sigma**2
    kurtosis = w**4 + 2 * w**3 + 3 * w**2 - 3
    error = sigma**2 * np.sqrt((kurtosis - 1) / len(ratio))
    assert abs(ratio.var() - sigma**2) < 5 * error
    assert error < 0.2 * sigma**2


@pytest.mark.parametrize(
    ("pdg", "pt", "eta"), [(211, 20.0, 2.6), (11, 20.0, 2.6), (13, 20.0, -2.7), (22, 20, 5.1),
     (130, 20, -5.1), (211, 0.05, 0), (12, 50, 0)]
)  # fmt: skip
def test_outside_of_the_acceptance_nothing_is_seen(toys, rng, pdg, pt, eta):
    assert len(measure(toys(pdg, np.full(100, pt), eta), CARD, rng).source) == 0


def test_untracked_charged_hadrons_in_the_calorimeter(toys, rng):
    card = DetectorConfig(untracked_charged_hadrons="calorimeter")
    measured = measure(toys(211, np.full(N, 30.0), 2.8), card, rng)
    assert len(measured.source) == N
    energy = 30.0 * np.cosh(2.8)
    assert_moments(measured.particles.momenta[:, 0] / energy, neutral_hadron(energy, 2.8) / energy)


def test_smearing_is_positive_however_soft(rng):
    ratio = smeared_ratio(np.full(N, 3.0), rng)
    assert (ratio > 0).all()
    assert abs(ratio.mean() - 1) < 5 * 3.0 / np.sqrt(N)


def test_source_leads_back_to_the_true_particles(toys, rng):
    mixed = toys(211, rng.uniform(0.2, 5, 500), 0.3)
    measured = measure(mixed, CARD, rng)
    assert 300 < len(measured.source) < 500
    same_direction = mixed.momenta[measured.source] * (measured.particles.pt / mixed.pt[measured.source])[:, None]
    np.testing.assert_allclose(measured.particles.momenta, same_direction)
    np.testing.assert_array_equal(measured.particles.event, measured.source)


def test_no_particles_at_all(rng):
    empty = ParticleTable(np.zeros(0, dtype=int), np.zeros((0, 4)), np.zeros(4, dtype=int))
    assert measure(empty, CARD, rng).particles.num_events == 3
