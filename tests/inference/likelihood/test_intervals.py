import numpy as np
import pytest
from tests.inference.likelihood.test_fit import counting
from tests.inference.line_toy import draw, likelihood

from partonic.errors import InferenceError
from partonic.inference.likelihood.fit import fit
from partonic.inference.likelihood.intervals import (
    Interval,
    asymptotic_intervals,
    crossings,
    scan_range,
    threshold,
    total_q,
)


def test_thresholds():
    assert threshold(0.95) == pytest.approx(3.841459, rel=1e-6)
    assert threshold(0.682689492) == pytest.approx(1.0, rel=1e-6)
    assert threshold(0.95, 2) == pytest.approx(5.991465, rel=1e-6)
    assert threshold(0.68, 3) == pytest.approx(3.505883, rel=1e-6)
    with pytest.raises(ValueError, match="expected a level between 0 and 1"):
        threshold(1.0)
    with pytest.raises(ValueError, match="one dimension or more"):
        threshold(0.5, 0)


def test_interval_of_a_counting_experiment():
    """Edges solve 2 [ν − n + n log(n/ν)] = z², the likelihood ratio of a Poisson number."""
    function = counting(50.0, fitted=(), free_signal_strength=True)
    best = fit(function)
    curve, (_, interval) = asymptotic_intervals(function, best, "signal_strength", levels=(0.68, 0.95))
    ((low, high),) = interval.segments
    for edge in (low, high):
        expected = 1000 * edge
        assert 2 * (expected - 50 + 50 * np.log(50 / expected)) == pytest.approx(threshold(0.95), abs=3e-3)
    assert not interval.open_below
    assert not interval.open_above
    assert best.value("signal_strength") in interval
    assert 2 * high not in interval
    assert curve.profiled[[0, -1]].min() > threshold(0.95)


def test_two_valleys_give_two_segments(rng):
    function = likelihood(draw(rng, 1400, b=1.0), fitted=("b",))
    _, (interval,) = asymptotic_intervals(function, fit(function), "b", levels=(0.68,))
    (low, inner), (inner_again, high) = interval.segments
    assert (low, inner) == (pytest.approx(-high, rel=1e-3), pytest.approx(-inner_again, rel=1e-3))
    assert interval.length == pytest.approx(2 * (high - inner_again), rel=1e-3)
    assert 0.0 not in interval


def test_range_reaches_beyond_the_threshold(rng):
    function = likelihood(draw(rng, 1000))
    best = fit(function)
    for name in ("a", "b"):
        for edge in scan_range(function, best, name, 6.0):
            number = function.mixture.index(name)
            held = likelihood(np.zeros(0), fitted=tuple({"a", "b"} - {name}))
            inner = type(function)(held.mixture, function.events, function.weights)
            start = best.phi.copy()
            start[number] = edge
            q = 2 * (best.log_likelihood - fit(inner, start, verify=False).log_likelihood)
            assert 6.0 < q < 12.0


def test_edges_outside_of_the_scan_are_open(rng):
    function = likelihood(draw(rng, 1000))
    best = fit(function)
    limits = (best.value("a") - 0.01, best.value("a") + 1.0)
    _, (interval,) = asymptotic_intervals(function, best, "a", levels=(0.95,), limits=limits)
    assert interval.open_below
    assert not interval.open_above
    assert interval.segments[0][0] == limits[0]
    with pytest.raises(InferenceError, match=r"no point of the scan of a .* is within the 95% interval"):
        asymptotic_intervals(function, best, "a", levels=(0.95,), limits=(0.8, 0.9))


def test_crossings_interpolate_and_refine():
    values = np.linspace(-3, 3, 13)
    linear = crossings("a", values, values**2, 0.682689492)
    assert linear.segments[0] == (pytest.approx(-1.0, abs=1e-6), pytest.approx(1.0, abs=1e-6))
    refined = crossings("a", values, values**2, 0.95, lambda value: value**2)
    assert refined.segments[0][1] == pytest.approx(1.959964, abs=1e-3)
    looser = crossings("a", values, values**2, 0.95, critical=np.full(13, 4.0), kind="toys")
    assert looser.segments[0][1] == pytest.approx(2.0)
    assert looser.kind == "toys"


def test_further_errors_widen_as_for_gaussians():
    """log L of width σ, its maximum known to e only: the interval is that of √(σ² + e²)."""
    width, error = 0.5, 0.3
    values = np.linspace(-3, 3, 20_001)
    q = (values / width) ** 2
    interval = crossings("a", values, total_q(q, q * (error / width) ** 2), 0.95)
    assert interval.segments[0][1] == pytest.approx(1.959964 * np.hypot(width, error), rel=1e-3)
    assert total_q(np.array([0.0, 4.0]), np.zeros(2)).tolist() == [0.0, 4.0]


def test_a_scan_that_beats_the_fit_is_refused(rng):
    function = likelihood(draw(rng, 1200, a=0.5))
    best = fit(function)
    from dataclasses import replace

    wrong = replace(best, log_likelihood=best.log_likelihood - 2.0)
    with pytest.raises(InferenceError, match=r"the scan of a found q = -4.* below the best fit"):
        asymptotic_intervals(function, wrong, "a", limits=(0.3, 0.7))


def test_membership():
    interval = Interval("a", 0.95, ((-2.0, -1.0), (1.0, 2.0)))
    assert 1.5 in interval
    assert 0.0 not in interval
    assert interval.length == 2.0
