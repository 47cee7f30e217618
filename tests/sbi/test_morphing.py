"""Ratios at basis points: the basis, the morphing back, and the toy."""

import numpy as np
import pytest
import torch
from tests.sbi.toy_events import squared_error, train

from partonic.errors import ParameterError
from partonic.polynomial import Monomials
from partonic.sbi.ensemble_mlp import EnsembleMLP
from partonic.sbi.expansion import Expansion
from partonic.sbi.gaussian_toy import GaussianToy
from partonic.sbi.morphing import MorphingRatios, basis_rows

TWO = Monomials.up_to_degree(("a", "b"), 2)
RANGES = np.array([[-1.0, 1.0], [-3.0, 3.0]])
BASIS = [{"theta": -1.0}, {"theta": 1.0}]


class Given(torch.nn.Module):
    def __init__(self, values):
        super().__init__()
        self.values, self.networks = values, len(values)

    def forward(self, inputs):
        return self.values


def test_true_ratios_give_the_true_targets():
    expansion = Expansion.around(TWO, [{"a": 0.2}])
    generator = np.random.default_rng(1)
    c = np.abs(generator.normal(size=(50, 6))) + np.array([3, 0, 0, 3, 0, 3])
    y = expansion.targets(c)
    y /= y[:, 0].mean()
    means = y.mean(axis=0)
    points, rows = basis_rows(expansion, (), RANGES, np.random.default_rng(2))
    logs = np.log((y @ (rows / (rows @ means)[:, None]).T) / y[:, :1])
    method = MorphingRatios(Given(torch.from_numpy(logs.T).float()), rows, means, 1, "cross_entropy")
    found = method.targets_of(torch.zeros(50, 1))[0].numpy()
    np.testing.assert_allclose(found, y / y[:, :1], rtol=1e-4, atol=1e-4)
    assert points.shape == (5, 2)


def test_searched_points_are_in_range_and_well_conditioned():
    expansion = Expansion.around(TWO, [{}])
    points, rows = basis_rows(expansion, (), RANGES, np.random.default_rng(2))
    assert (np.abs(points) <= [1.0, 3.0]).all()
    random = np.random.default_rng(3).uniform(-1, 1, (200, 5, 2)) * [1.0, 3.0]
    scale = [1.0, 1.0, 3.0, 1.0, 3.0, 9.0]  # of the monomials in the ranges
    conditions = [np.linalg.cond(np.concatenate([np.eye(1, 6), expansion.row(each) / scale])) for each in random]
    searched = np.linalg.cond(np.concatenate([np.eye(1, 6), rows / scale]))
    assert searched < np.min(conditions)


def test_given_points_are_taken_and_counted():
    expansion = Expansion.around(GaussianToy.monomials, [{}])
    points, _ = basis_rows(expansion, tuple(BASIS), np.array([[-2.0, 2.0]]), np.random.default_rng(1))
    assert points.tolist() == [[-1.0], [1.0]]
    with pytest.raises(ParameterError, match="2 basis points are needed beside the reference"):
        basis_rows(expansion, ({"theta": 1.0},), np.array([[-2.0, 2.0]]), np.random.default_rng(1))


@pytest.mark.parametrize(
    ("points", "means", "message"),
    [
        ([[1.0], [1.0]], [1.0, 0.0, 1.0], "do not determine"),
        ([[-1.0], [1.0]], [1.0, 3.0, 1.0], "must be positive"),
    ],
)
def test_points_that_do_not_serve_are_refused(points, means, message):
    rows = Expansion.around(GaussianToy.monomials, [{}]).row(np.array(points))
    with pytest.raises(ParameterError, match=message):
        MorphingRatios(EnsembleMLP(1, (4,), 2), rows, np.array(means), 1, "cross_entropy")


@pytest.mark.parametrize("settings", [{}, {"loss": "regression"}, {"joint": True}])
def test_the_toy_is_learned(settings, tmp_path):
    toy = GaussianToy(1.5)
    morphing = {"points": BASIS, **settings}
    trained = train(toy, 40_000, (-1.0, 0.0, 1.0), tmp_path, method="morphing", morphing=morphing)
    error, its_error = squared_error(trained, toy)
    assert its_error < 0.003
    assert error < 0.015, "a mean alone gives 0.5"


def test_far_from_the_reference_ratios_learned_alone_are_better_than_by_one_joint_loss(tmp_path):
    """The statement of arXiv:2410.07315, figure 3, at α = 3."""
    toy, found = GaussianToy(3.0), []
    for joint in (False, True):
        morphing = {"points": BASIS, "joint": joint}
        trained = train(toy, 40_000, (-1.0, 0.0, 1.0), tmp_path / str(joint), method="morphing", morphing=morphing)
        found.append(squared_error(trained, toy))
    (alone, its_error), (together, joint_error) = found
    assert max(its_error, joint_error) < 0.1
    assert together - alone > 3.0 * np.hypot(its_error, joint_error)
