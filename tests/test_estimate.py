"""Estimates: errors in closed form, streaming, and how they print."""

import math

import numpy as np
import pytest

from partonic.estimate import Estimate


def test_mean_and_error_of_two_weights() -> None:
    found = Estimate.from_weights(np.array([1.0, 3.0]))
    assert found == Estimate(2.0, 1.0, 2, 1.6)


def test_error_covers_the_true_mean(rng: np.random.Generator) -> None:
    pulls = np.array(
        [(one.value - 2.0) / one.error for one in (Estimate.from_weights(rng.gamma(4.0, 0.5, 400)) for _ in range(400))]
    )
    assert abs(pulls.mean()) < 5 / math.sqrt(400)
    assert abs(pulls.std() - 1.0) < 5 / math.sqrt(800)


def test_sums_give_the_same_as_weights(rng: np.random.Generator) -> None:
    weights = rng.normal(1.0, 0.1, 1000)
    direct = Estimate.from_weights(weights)
    streamed = Estimate.from_sums(1000, float(weights.sum()), float((weights**2).sum()))
    assert streamed.error == pytest.approx(direct.error, rel=1e-9)
    assert direct.error == pytest.approx(weights.std(ddof=1) / math.sqrt(1000), rel=1e-9)


def test_effective_sample_size_of_equal_weights_is_their_number() -> None:
    assert Estimate.from_weights(np.full(50, 3.0)).effective_sample_size == pytest.approx(50)


def test_json_round_trip() -> None:
    one = Estimate(0.4, 0.01, 10, 9.5)
    assert Estimate.from_json(one.to_json()) == one


def test_one_weight_has_no_error() -> None:
    with pytest.raises(ValueError, match="at least 2 points, got 1"):
        Estimate.from_weights(np.array([1.0]))


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        (0.398234, 0.00131, "0.3982 ± 0.0013"),
        (2.0, 0.0, "2 ± 0"),
        (12345.6, 234.0, "12350 ± 230"),
        (1.2345e-9, 2.1e-12, "(1.2345 ± 0.0021)e-9"),
    ],
)
def test_prints_two_digits_of_the_error(value: float, error: float, text: str) -> None:
    assert str(Estimate(value, error, 10, 10.0)) == text


def test_relative_error_of_zero_is_infinite() -> None:
    assert Estimate(0.0, 1.0, 5, 5.0).relative_error == math.inf
