import math

import numpy as np
import pytest
import torch

from partonic.unfolding.quality.observables import Variable
from partonic.unfolding.quality.ranks import coverage, ks_limit, rank_test
from partonic.unfolding.quality.regions import density_ranks, distance_ranks, joint_distance_ranks

SPACE = (Variable("x", -3.0, 3.0), Variable("y", -3.0, 3.0))
EVENTS, SAMPLES = 4000, 99


def draw(generator, *, scale=1.0, correlation=0.0):
    """Truth with the correlation, samples without it, about a centre that changes from event to event."""
    centre = torch.randn(EVENTS, 1, 2, generator=generator, dtype=torch.float64)
    noise = torch.randn(EVENTS, SAMPLES + 1, 2, generator=generator, dtype=torch.float64)
    mixed = noise[:, 0].clone()
    mixed[:, 1] = correlation * noise[:, 0, 0] + math.sqrt(1.0 - correlation**2) * noise[:, 0, 1]
    return centre[:, 0] + 0.4 * mixed, centre + 0.4 * scale * noise[:, 1:]


def test_calibrated_posterior_covers(torch_rng):
    truth, samples = draw(torch_rng)
    single = distance_ranks(truth, samples, SPACE, torch_rng).numpy()
    joint = joint_distance_ranks(truth, samples, SPACE, torch_rng).numpy()
    for ranks in (*single.T, joint):
        assert rank_test("", ranks, SAMPLES).distance < 1.3 * ks_limit(EVENTS)


def test_joint_test_sees_a_correlation_that_single_variables_cannot(torch_rng):
    truth, samples = draw(torch_rng, correlation=0.95)
    single = distance_ranks(truth, samples, SPACE, torch_rng).numpy()
    joint = joint_distance_ranks(truth, samples, SPACE, torch_rng).numpy()
    assert max(rank_test("", ranks, SAMPLES).distance for ranks in single.T) < 1.3 * ks_limit(EVENTS)
    assert rank_test("", joint, SAMPLES).distance > 1.5 * ks_limit(EVENTS)


@pytest.mark.parametrize("scale", [1.0, 0.7, 1.5])
def test_density_regions_of_a_gaussian_cover_what_the_chi_square_says(torch_rng, scale):
    truth, samples = draw(torch_rng, scale=scale)
    centre = samples.mean(dim=1)
    # Relative to the true centre the density would be exact; the mean of 99 samples is off by a tenth of a width.
    ranks = density_ranks(
        -(truth - centre).square().sum(dim=-1), -(samples - centre[:, None]).square().sum(dim=-1), torch_rng
    ).numpy()
    for level in (0.68, 0.95):
        radius_square = -2.0 * math.log(1.0 - level)
        expected = 1.0 - math.exp(-0.5 * radius_square * scale**2 / (1.0 + scale**2 / SAMPLES))
        found = float(coverage(ranks, SAMPLES, np.array([level]))[0])
        error = math.sqrt(expected * (1.0 - expected) / EVENTS)
        assert abs(found - expected) < 4.0 * error + 0.01
        assert error < 0.01
