"""Unweighted events of the Standard Model, reweighted to other θ, against the integral of dσ/dz at that θ."""

import math

import numpy as np
import pytest
import scipy.stats
import torch

from partonic.physics.fourvector import invariant_mass
from partonic.physics.kinematics import azimuth, delta_phi, rapidity, transverse_momentum
from partonic.polynomial import Monomials
from partonic.processes.definition import build_process
from partonic.processes.tth.amplitude import TTH_PARAMETERS
from partonic.processes.tth.settings import TthConfig

MONOMIALS = Monomials.up_to_degree(TTH_PARAMETERS, 2)
BATCHES = 4
POINTS = 100_000  # of a batch
EVENTS = 5_000  # drawn from a batch
THETA = [(0.0, 0.5, 0.0), (0.0, 0.0, 1.0), (0.2, -0.5, 0.5)]
EDGES = {
    "pt_higgs": [0, 40, 80, 120, 160, 200, 250, 320, 420, 7000.0],
    "pt_top": [0, 50, 100, 150, 200, 250, 320, 420, 7000.0],
    "mass_tth": [0, 540, 600, 660, 730, 820, 950, 1150, 13000.0],
    "rapidity_difference_tops": [0, 0.3, 0.6, 0.9, 1.3, 1.8, 2.5, 20.0],
    "azimuth_difference_tops": [0, 0.8, 1.4, 1.9, 2.3, 2.6, 2.9, math.pi + 1e-9],
}


def observables(momenta):
    higgs, top, antitop = momenta.unbind(dim=1)
    return {
        "pt_higgs": transverse_momentum(higgs),
        "pt_top": transverse_momentum(top),
        "mass_tth": invariant_mass(momenta),
        "rapidity_difference_tops": (rapidity(top) - rapidity(antitop)).abs(),
        "azimuth_difference_tops": delta_phi(azimuth(top), azimuth(antitop)).abs(),
    }


def uniform_points(process, seed):
    """Uniform points of the cube: events and |dz/du|."""
    generator = torch.Generator().manual_seed(seed)
    numbers = torch.rand(POINTS, process.dimensions, generator=generator, dtype=torch.float64)
    events, log_jacobian = process.from_unit_cube(numbers)
    return events, log_jacobian.exp(), generator


def joined(samples):
    """Observables and coefficients of several samples, one after another."""
    values = [observables(momenta) for momenta, _ in samples]
    return {name: torch.cat([one[name] for one in values]) for name in EDGES}, torch.cat([c for _, c in samples])


@pytest.fixture(scope="module")
def process():
    return build_process(TthConfig())


@pytest.fixture(scope="module")
def standard_model_events(process):
    """Events drawn with the weights of the Standard Model, with the coefficients of their channel that sum to σ."""
    samples = []
    for seed in range(BATCHES):
        events, jacobian, generator = uniform_points(process, seed)
        channels = process.channel_coefficients(events)
        weights = channels[:, :, 0].abs() * jacobian[:, None]
        chosen = torch.multinomial(weights.flatten(), EVENTS, replacement=True, generator=generator)
        point, channel = chosen // weights.shape[1], chosen % weights.shape[1]
        own = channels[point, channel]
        common = weights.sum() / (BATCHES * POINTS * EVENTS)
        samples.append((events.momenta[point], own / own[:, :1].abs() * common))
    return joined(samples)


@pytest.fixture(scope="module")
def integral(process):
    """Weighted points of the integral over dσ/dz, as many as the events were drawn from."""
    samples = []
    for seed in range(BATCHES, 2 * BATCHES):
        events, jacobian, _ = uniform_points(process, seed)
        samples.append((events.momenta, process.coefficients(events) * jacobian[:, None] / (BATCHES * POINTS)))
    return joined(samples)


def histogram(sample, theta, name):
    values, weights = sample[0][name].numpy(), (sample[1] @ torch.from_numpy(MONOMIALS.evaluate(list(theta)))).numpy()
    contents = np.histogram(values, EDGES[name], weights=weights)[0]
    return contents, np.histogram(values, EDGES[name], weights=weights**2)[0]


@pytest.mark.slow
@pytest.mark.xdist_group("reweighting")
@pytest.mark.parametrize("name", EDGES)
@pytest.mark.parametrize("theta", THETA)
def test_reweighted_events_follow_the_new_theta(standard_model_events, integral, theta, name):
    reweighted, variance = histogram(standard_model_events, theta, name)
    expected, expected_variance = histogram(integral, theta, name)
    # the points that the events were drawn from vary like those of the integral
    variance += 2.0 * expected_variance
    assert np.sqrt(variance.sum()) < 0.015 * expected.sum()
    chi2 = float(np.sum((reweighted - expected) ** 2 / variance))
    assert scipy.stats.chi2.sf(chi2, len(expected)) > 0.01
    standard_model, _ = histogram(standard_model_events, (0.0, 0.0, 0.0), name)
    assert np.sum((standard_model - expected) ** 2 / variance) > 50  # without the weights it would be seen
