"""Random θ: the densities and slopes of events there."""

import numpy as np
import torch

from partonic.config.sbi import SbiConfig
from partonic.polynomial import Monomials
from partonic.sbi.build import facts_of, theta_draws
from partonic.sbi.expansion import Expansion

MONOMIALS = Monomials.up_to_degree(("a", "b"), 2)


def facts():
    expansion = Expansion.around(MONOMIALS, [{"a": 0.5}])
    config = SbiConfig.model_validate({"range": {"a": [-1, 2], "b": [-0.5, 0.5]}})
    means = np.array([1.0, 0.2, -0.1, 0.8, 0.1, 0.6])
    return facts_of(config, expansion, means, np.ones(2), 1)


def test_units_are_those_of_the_ranges():
    draws = theta_draws(facts(), None, 1)
    assert float(draws.units.abs().max()) <= 1.0
    assert float(draws.units.abs().max()) > 0.99
    known = theta_draws(facts(), np.array([[2.0, 0.0], [0.5, -0.5]]), 1)
    np.testing.assert_allclose(known.units, [[1.0, 0.0], [0.0, -1.0]])


def test_densities_and_their_slopes():
    known, step = facts(), 1e-6
    targets = torch.randn(4, 6, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    theta = np.array([[1.0, 0.1]])
    number = torch.zeros(4, dtype=torch.int64)
    draws = theta_draws(known, theta, 1)
    reference, other = draws.densities(targets, number)
    row = known.expansion.row(theta)[0]
    np.testing.assert_array_equal(reference, targets[:, 0])
    np.testing.assert_allclose(other, targets.numpy() @ row / (row @ known.means))
    for k, half in enumerate((1.5, 0.5)):  # half the range: θ of one unit
        shift = step * half * np.eye(2)[k]
        up, down = (theta_draws(known, theta + sign * shift, 1).densities(targets, number)[1] for sign in (1, -1))
        np.testing.assert_allclose(draws.slopes(targets, number)[:, k], (up - down) / (2 * step), atol=1e-6)


def test_without_a_generator_the_points_are_always_the_same():
    draws = theta_draws(facts(), None, 1)
    torch.testing.assert_close(draws.numbers(50, None), draws.numbers(50, None))
    assert len(set(draws.numbers(50, None).tolist())) == 50
