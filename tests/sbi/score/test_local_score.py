"""SALLY and SALLINO: the toy, where the score loses nothing, and what is refused."""

import numpy as np
import pytest
from tests.sbi.toy_events import squared_error, train

from partonic.errors import ParameterError, TrainingError
from partonic.features.named import NamedFeatures
from partonic.polynomial import Monomials
from partonic.sbi.estimator import SbiEstimator
from partonic.sbi.expansion import Expansion
from partonic.sbi.gaussian_toy import FEATURE, GaussianToy
from partonic.sbi.model import SbiModel
from partonic.sbi.score.local_score import score_rows

TOY = GaussianToy(1.5)
POINTS = (-1.0, 0.0, 1.0)
LOCAL = {"reference": [{"theta": 0.5}], "score": {"bin_events": 100.0}}


@pytest.fixture(scope="module")
def sally(tmp_path_factory):
    return train(TOY, 40_000, POINTS, tmp_path_factory.mktemp("sally"), method="sally", **LOCAL)


def test_the_toy_is_learned_at_all_theta(sally):
    """The score at θ = 0.5 is a monotonic function of the only derivative that there is: sufficient at every θ."""
    for theta, bound in ((0.2, 0.005), (0.6, 0.01), (2.0, 0.03)):
        error, its_error = squared_error(sally, TOY, theta)
        assert its_error < 0.002
        assert error < bound, "a mean alone gives 0.5 at 0.6"


def test_ratios_have_the_cross_section_of_the_events(sally):
    record = sally.model.record
    true = np.array(record.cross_section.coefficients) / record.cross_section.coefficients[0]
    learned = np.array(SbiEstimator(sally.model, NamedFeatures([FEATURE], TOY.metadata())).cross_section().coefficients)
    assert learned[2] / learned[0] == pytest.approx(true[2], abs=0.03)
    weights = Expansion.around(TOY.monomials, record.reference).row(np.array([3.0]))
    assert (sally.model.method.ratios.numpy() @ weights > 0).all()


def test_error_is_that_of_the_bins(sally):
    x = TOY.draw(4_000, [0.6], np.random.default_rng(3)).observed[:, None]
    targets, covariance = sally.model.targets(x), sally.model.covariance(x)
    assert covariance is not None
    expansion = Expansion.around(TOY.monomials, sally.model.record.reference)
    truth = TOY.ratios(x[:, 0]) @ expansion.matrix.T
    truth = truth[:, 2] / truth[:, 0]
    pull = (targets[0, :, 2] - truth) / np.sqrt(covariance[:, 2, 2])
    assert 0.5 < np.sqrt(np.median(pull**2)) / 0.6745 < 1.6
    assert (targets[0] == targets[1]).all()


def test_a_model_folder_has_the_bins(sally):
    x = np.linspace(-3, 4, 100)[:, None]
    again = SbiModel.load(sally.folder)
    np.testing.assert_array_equal(again.targets(x), sally.model.targets(x))
    np.testing.assert_array_equal(again.covariance(x), sally.model.covariance(x))


def test_one_parameter_needs_no_direction(sally, tmp_path):
    same = train(TOY, 40_000, POINTS, tmp_path, method="sallino", **LOCAL)
    x = np.linspace(-2, 3, 50)[:, None]
    np.testing.assert_array_equal(same.model.targets(x), sally.model.targets(x))


def test_a_score_that_is_zero_is_told(tmp_path):
    with pytest.raises(TrainingError, match=r"the score there is 0: move `sbi\.reference`"):
        train(TOY, 4_000, (0.0,), tmp_path, method="sally")


def test_directions():
    monomials = Monomials.up_to_degree(("a", "b"), 2)
    around = Expansion.around(monomials, [{"a": 1.0, "b": -2.0}])
    both = score_rows(around, "sally", {})
    along = score_rows(around, "sallino", {"a": 2.0, "b": 1.0})
    np.testing.assert_allclose(along[:, 1], 2.0 * both[:, 1] + both[:, 2])
    coefficients = np.random.default_rng(1).normal(size=(5, len(monomials)))
    slopes = np.einsum("na,ak->nk", coefficients, monomials.gradient(np.array([1.0, -2.0])))
    np.testing.assert_allclose(around.targets(coefficients) @ both[:, 1:], slopes, atol=1e-10)
    for direction, message in [({}, "needs one direction"), ({"a": 0.0}, "is zero"), ({"c": 1.0}, "unknown theory")]:
        with pytest.raises(ParameterError, match=message):
            score_rows(around, "sallino", direction)
    with pytest.raises(ParameterError, match=r"`sbi\.reference` has 2: give one"):
        score_rows(Expansion.around(monomials, [{}, {"a": 1.0}]), "sally", {})
