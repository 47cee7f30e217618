"""LO pp → ttH against Pythia's own gg → Htt and qq → Htt, at equal parton densities, α_s, scales and Yukawa coupling.

Pythia's matrix elements, phase-space generator and parton-density interpolation are independent of ours.
"""

import math
from dataclasses import dataclass

import numpy as np
import pytest
import pythia8mc
import scipy.stats
import torch

from partonic.physics.fourvector import invariant_mass
from partonic.physics.kinematics import transverse_momentum
from partonic.physics.particles import W_BOSON, vacuum_expectation_value
from partonic.processes.definition import build_process
from partonic.processes.tth.settings import TthConfig
from partonic.rng import pythia_seed

EVENTS = 100_000
POINTS = 600_000
EDGES = {
    "pt_higgs": np.array([0, 30, 60, 90, 120, 150, 190, 240, 300, 400, 600, 2000.0]),
    "pt_top": np.array([0, 40, 80, 120, 160, 200, 250, 300, 400, 550, 2000.0]),
    "mass_tth": np.array([470, 520, 570, 620, 680, 750, 850, 1000, 1200, 1500, 2000, 13000.0]),
}
PICOBARN_PER_MILLIBARN = 1e9
SIN2_THETA = 0.2312


@dataclass(frozen=True)
class Sample:
    cross_section: float
    error: float
    contents: dict[str, np.ndarray]
    variances: dict[str, np.ndarray]


def observables(momenta):
    """pT of H and t and the mass of the system, for momenta (N, 3, 4) of H, t, t̄."""
    return {
        "pt_higgs": transverse_momentum(momenta[:, 0]).numpy(),
        "pt_top": transverse_momentum(momenta[:, 1]).numpy(),
        "mass_tth": invariant_mass(momenta).numpy(),
    }


def histogrammed(momenta, weights, cross_section, error):
    values = observables(momenta)
    contents = {name: np.histogram(values[name], edges, weights=weights)[0] for name, edges in EDGES.items()}
    variances = {name: np.histogram(values[name], edges, weights=weights**2)[0] for name, edges in EDGES.items()}
    return Sample(cross_section, error, contents, variances)


def pythia_settings(config, alpha_s, scale, seed):
    """Settings that give Pythia our constants: fixed scales and on-shell tops."""
    return [
        f"Beams:eCM = {config.collider_energy}",
        "HiggsSM:gg2Httbar = on",
        "HiggsSM:qqbar2Httbar = on",
        "PartonLevel:all = off",
        "HadronLevel:all = off",
        "ProcessLevel:resonanceDecays = off",
        "PhaseSpace:useBreitWigners = off",
        "SigmaProcess:alphaSorder = 0",
        f"SigmaProcess:alphaSvalue = {alpha_s!r}",
        "SigmaProcess:alphaEMorder = 0",
        f"StandardModel:sin2thetaW = {SIN2_THETA}",
        "SigmaProcess:renormScale3 = 6",
        "SigmaProcess:factorScale3 = 6",
        f"SigmaProcess:renormFixScale = {scale**2!r}",
        f"SigmaProcess:factorFixScale = {scale**2!r}",
        f"6:m0 = {config.top_mass}",
        f"25:m0 = {config.higgs_mass}",
        f"24:m0 = {W_BOSON.mass}",
        f"PDF:pSet = LHAGrid1:{config.pdf.name}_0000.dat",
        "Random:setSeed = on",
        f"Random:seed = {seed}",
        "Print:quiet = on",
    ]


@pytest.fixture(scope="module")
def process():
    return build_process(TthConfig())


@pytest.fixture(scope="module")
def pythia_sample(process):
    energy = torch.ones(1, dtype=torch.float64)
    events, _ = process.from_unit_cube(0.5 * energy.expand(1, process.dimensions))
    scale, alpha_s = float(process.scale(events)), float(process.alpha_s(events))
    pythia = pythia8mc.Pythia("", False)
    for line in pythia_settings(TthConfig(), alpha_s, scale, pythia_seed(7, "against pythia")):
        assert pythia.readString(line), line
    # Pythia's Yukawa coupling is 4π α/sin²θ_W (m_t/2m_W)²: choose α such that it is (m_t/v)²
    v = vacuum_expectation_value(TthConfig().fermi_constant)
    pythia.settings.parm("StandardModel:alphaEM0", SIN2_THETA * W_BOSON.mass**2 / (math.pi * v**2), True)
    assert pythia.init()
    momenta = np.empty((EVENTS, 3, 4))
    for i in range(EVENTS):
        assert pythia.next()
        for j, identifier in enumerate((25, 6, -6)):
            particle = next(pythia.process[k] for k in (5, 6, 7) if pythia.process[k].id() == identifier)
            momenta[i, j] = particle.e(), particle.px(), particle.py(), particle.pz()
    info = pythia.infoPython()
    # Pythia's Yukawa coupling runs to √ŝ: undo it event by event
    energies = invariant_mass(torch.from_numpy(momenta)).tolist()
    running = np.array([pythia.particleData.mRun(6, energy) for energy in energies]) / TthConfig().top_mass
    weights = info.sigmaGen() * PICOBARN_PER_MILLIBARN / EVENTS / running**2
    sigma = float(weights.sum())
    error = math.hypot(sigma * info.sigmaErr() / info.sigmaGen(), math.sqrt(EVENTS) * float(weights.std()))
    return histogrammed(torch.from_numpy(momenta), weights, sigma, error)


@pytest.fixture(scope="module")
def our_sample(process):
    generator = torch.Generator().manual_seed(20260713)
    numbers = torch.rand(POINTS, process.dimensions, generator=generator, dtype=torch.float64)
    events, log_jacobian = process.from_unit_cube(numbers)
    weights = (process.coefficients(events)[:, 0] * log_jacobian.exp()).numpy() / POINTS
    error = math.sqrt(POINTS) * float(weights.std())
    return histogrammed(events.momenta, weights, float(weights.sum()), error)


@pytest.mark.slow
def test_cross_section(pythia_sample, our_sample):
    error = math.hypot(pythia_sample.error, our_sample.error)
    assert error < 0.005 * our_sample.cross_section
    assert abs(pythia_sample.cross_section - our_sample.cross_section) < 3.5 * error


@pytest.mark.slow
@pytest.mark.parametrize("observable", list(EDGES))
def test_shapes(pythia_sample, our_sample, observable):
    ours, theirs = our_sample, pythia_sample
    scale = ours.cross_section / theirs.cross_section
    difference = ours.contents[observable] - scale * theirs.contents[observable]
    variance = ours.variances[observable] + scale**2 * theirs.variances[observable]
    assert (theirs.contents[observable] > 0).all()
    chi2 = float(np.sum(difference**2 / variance))
    assert scipy.stats.chi2.sf(chi2, len(difference) - 1) > 0.01
