import json

import numpy as np
import pytest

from inference.toy_coefficients import MONOMIALS, toy_events, toy_weights
from partonic.errors import ParameterError
from partonic.inference.experiments.comparison import ComparedEvents, compare_methods, natural_scale, shape_norm_of


@pytest.fixture(scope="module")
def events():
    weights = toy_weights(np.random.default_rng(1), 3000)
    values = weights[:, 1] / weights[:, 0] + np.random.default_rng(2).normal(size=3000)
    return ComparedEvents(MONOMIALS, weights, {"truth": toy_events(weights)}, {"x": values})


@pytest.fixture(scope="module")
def comparison(events):
    return compare_methods(events, luminosity=300.0)


def test_less_is_read_off_the_event_the_wider_the_interval(comparison):
    for name in ("a", "b"):
        lengths = {method: row[name][-1].length for method, row in comparison.intervals.items()}
        assert list(lengths) == ["truth, unbinned", "truth, binned R1 and R2", "histogram of x", "rate only"]
        ordered = list(lengths.values())
        assert ordered[0] < ordered[1] < ordered[3]
        assert ordered[2] < ordered[3]
    assert (
        comparison.intervals["histogram of x"]["a"][-1].length < 0.9 * comparison.intervals["rate only"]["a"][-1].length
    )


def test_rate_only_by_hand(events):
    """One parameter and a quadratic yield: q = 2 [ν − ν_0 − ν_0 log(ν/ν_0)] = 3.84 at the ends."""
    found = compare_methods(events, 300.0, ("a",)).intervals["rate only"]["a"][-1]
    sums = 3e5 * events.weights.sum(axis=0)
    for low, high in found.segments:
        for end in (low, high):
            nu = sums[0] + sums[1] * end + sums[3] * end**2
            assert 2 * (nu - sums[0] - sums[0] * np.log(nu / sums[0])) == pytest.approx(3.841, abs=0.01)


def test_parameter_that_enters_squared(events):
    """No curvature at 0: the interval is that of the quartic q, here by hand for the rate."""
    weights = events.weights.copy()
    weights[:, [1, 4]] = 0.0
    even = ComparedEvents(MONOMIALS, weights, {"truth": toy_events(weights)}, {"x": events.observables["x"]})
    found = compare_methods(even, 300.0, ("a",)).intervals
    sums = 3e5 * weights.sum(axis=0)
    ((low, high),) = found["rate only"]["a"][-1].segments
    nu = sums[0] + sums[3] * high**2
    assert low == pytest.approx(-high, rel=1e-3)
    assert 2 * (nu - sums[0] - sums[0] * np.log(nu / sums[0])) == pytest.approx(3.841, abs=0.01)
    assert found["truth, unbinned"]["a"][-1].length < found["truth, binned R1 and R2"]["a"][-1].length < high - low


def test_record(comparison, events):
    content = json.loads(json.dumps(comparison.to_json(), allow_nan=False))
    assert content["simulated_events"] == 3000
    assert content["expected_events"] == pytest.approx(3e5 * events.weights[:, 0].sum())
    assert content["failures"] == {}
    assert len(content["methods"]["rate only"]["a"]["segments"][0]) == 2


def test_parameter_without_effect_is_told_and_stops_nothing(events):
    weights = events.weights.copy()
    weights[:, [2, 4, 5]] = 0.0  # b does nothing
    blind = ComparedEvents(MONOMIALS, weights, {"truth": toy_events(weights)}, {})
    found = compare_methods(blind, 300.0)
    for method, row in found.intervals.items():
        assert row["a"] is not None
        assert row["b"] is None
        assert "no event depends on b" in found.failures[method]["b"]
    assert found.to_json()["methods"]["rate only"]["b"] is None


def test_normalisation_with_the_mean_ratios(events):
    """The truth has it by itself; a P_1 that is wrong by a constant factor in all events no longer shifts the fit."""
    np.testing.assert_allclose(shape_norm_of(events.estimates["truth"], events.weights), events.weights.sum(axis=0))
    blurred = events.weights.copy()
    share = events.weights.sum(axis=0) / events.weights[:, 0].sum()
    blurred[:, 1:] = 0.7 * blurred[:, 1:] + blurred[:, :1] * share[1:]
    estimates = ComparedEvents(MONOMIALS, events.weights, {"blurred": toy_events(blurred)}, {})
    plain, normalised = (compare_methods(estimates, 300.0, ("a",), mean_ratios=flag) for flag in (False, True))
    found = [each.intervals["blurred, unbinned"]["a"][-1] for each in (plain, normalised)]
    middles = [abs(sum(sum(segment) / 2 for segment in each.segments) / len(each.segments)) for each in found]
    assert middles[1] < 0.5 * middles[0]
    assert 0.0 in found[1]


def test_natural_scale():
    weights = np.array([[4.0, 0.0, 0.0, 1.0, 0.0, 0.0]])
    assert natural_scale(weights, MONOMIALS, "a") == pytest.approx(2.0)
    assert natural_scale(weights, MONOMIALS, "b") == 1.0


def test_errors(events):
    with pytest.raises(ParameterError, match="the coefficients of 'mem' are of 10 events"):
        ComparedEvents(MONOMIALS, events.weights, {"mem": toy_events(events.weights[:10])}, {})
    with pytest.raises(ParameterError, match="the observable 'x' has shape"):
        ComparedEvents(MONOMIALS, events.weights, {}, {"x": np.zeros(3)})
    with pytest.raises(ParameterError, match="unknown theory parameter 'z'"):
        compare_methods(events, 300.0, ("z",))
