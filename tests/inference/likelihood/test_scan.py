import numpy as np
import pytest
from tests.inference.line_toy import draw, likelihood

from partonic.errors import InferenceError
from partonic.inference.likelihood.fit import fit, minuit_maximum
from partonic.inference.likelihood.scan import contour, profile, scan


@pytest.fixture
def fitted(rng):
    function = likelihood(draw(rng, 1200, a=0.3, b=0.4))
    return function, fit(function)


def test_profile_against_minuit(fitted):
    """The profile at a value of a is what Minuit finds with a fixed there."""
    function, best = fitted
    curve = scan(function, best, "a", np.linspace(0.1, 0.5, 5))
    for value, q in zip(curve.values, curve.profiled, strict=True):
        fixed = likelihood(np.zeros(0), fitted=("b",))
        held = type(function)(fixed.mixture, function.events, function.weights)
        _, height, valid = minuit_maximum(held, held.mixture.point({"a": value, "b": 0.4}))
        assert valid
        assert q == pytest.approx(2 * (best.log_likelihood - height), abs=2e-3)


def test_fixed_parameters_give_a_steeper_curve(fitted):
    function, best = fitted
    curve = scan(function, best, "a", np.linspace(0.0, 0.6, 13))
    assert (curve.profiled >= -1e-9).all()
    assert (curve.fixed >= curve.profiled - 1e-9).all()
    assert curve.profiled.min() < 0.5
    np.testing.assert_array_equal(curve.points[:, 0], curve.values)


def test_scan_follows_the_lower_valley(fitted):
    """Of two valleys at ±b the profile over b takes the one that is lower at each a."""
    function, best = fitted
    curve = scan(function, best, "b", np.linspace(-0.8, 0.8, 17))
    np.testing.assert_allclose(curve.profiled, curve.profiled[::-1], atol=1e-5)


def test_contour_without_others_is_the_likelihood(fitted):
    function, best = fitted
    x, y = np.linspace(0.1, 0.5, 4), np.linspace(-0.6, 0.6, 5)
    found = contour(function, best, ("a", "b"), x, y)
    for i, a in enumerate(x):
        for j, b in enumerate(y):
            direct = 2 * (best.log_likelihood - float(function(np.array([a, b, 1.0, 1.0]))))
            assert found.profiled[i, j] == pytest.approx(direct, abs=1e-8)


def test_held_outside_of_the_domain(rng):
    function = likelihood(draw(rng, 100), free_signal_strength=True, luminosity_uncertainty=0.1)
    with pytest.raises(InferenceError, match="the likelihood does not exist at luminosity_scale = -1: narrow the scan"):
        profile(function, {3: -1.0}, function.mixture.point()[None])
