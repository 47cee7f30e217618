import sys
from dataclasses import replace

import numpy as np
import pytest
from tests.inference.likelihood.test_unbinned import mixed
from tests.inference.line_toy import LUMINOSITY, SIGMA, coefficients, draw, grid, likelihood, mixture

from partonic.errors import DependencyError, InferenceError
from partonic.inference.likelihood.event_terms import EventTerms
from partonic.inference.likelihood.fit import fit, minuit_maximum
from partonic.inference.likelihood.newton import maximise
from partonic.inference.likelihood.unbinned import ExtendedLikelihood


def counting(number, **options):
    return ExtendedLikelihood(mixture(**options), EventTerms.of(coefficients(np.zeros(0))), np.zeros(0), number)


def test_signal_strength_of_a_counting_experiment():
    """μ̂ = n/(L σ), its error √n/(L σ)."""
    best = fit(counting(1234.0, fitted=(), free_signal_strength=True))
    assert best.valid
    assert best.verified
    assert best.value("signal_strength") == pytest.approx(1.234, rel=1e-5)
    assert best.error("signal_strength") == pytest.approx(np.sqrt(1234) / 1000, rel=1e-4)
    assert best.error("a") == 0.0


def test_constraint_and_count_share_out_an_excess():
    """n = λ L σ with λ = 1 ± δ: the maximum solves λ² + λ(N₀δ² − 1) − nδ² = 0."""
    function = counting(1100.0, fitted=(), luminosity_uncertainty=0.05)
    expected = (1 - 2.5 + np.sqrt((2.5 - 1) ** 2 + 4 * 1100 * 0.0025)) / 2
    assert fit(function).value("luminosity_scale") == pytest.approx(expected, rel=1e-5)


def test_symmetric_asimov_sample_is_fitted_at_its_truth():
    """An evenly spread sample is that of a = b = 0; the error of a is 1/√(4n/3)."""
    best = fit(likelihood(grid(int(1000 * LUMINOSITY * SIGMA))))
    assert abs(best.value("a")) < 1e-6
    assert best.error("a") == pytest.approx(1 / np.sqrt(4000 / 3), rel=1e-3)


def test_both_maxima_are_found(rng):
    """b enters squared: ±b are equally good."""
    n = int(rng.poisson(1000 * LUMINOSITY * SIGMA * (1 + 0.36 * 8 / 15)))
    best = fit(likelihood(draw(rng, n, b=0.6)))
    assert best.valid
    assert len(best.maxima) == 2
    np.testing.assert_allclose(best.maxima[0, 1], -best.maxima[1, 1], rtol=1e-4)
    np.testing.assert_allclose(best.heights[0], best.heights[1], atol=1e-6)
    assert abs(best.value("b")) == pytest.approx(0.6, abs=4 * best.error("b"))
    assert best.error("b") < 0.1


def test_minuit_agrees_from_elsewhere(rng):
    function = likelihood(draw(rng, 1100, a=0.3))
    best = fit(function, verify=False)
    assert not best.verified
    phi, value, valid = minuit_maximum(function, function.mixture.point({"a": 0.2, "b": 0.2}))
    assert valid
    assert value == pytest.approx(best.log_likelihood, abs=1e-3)
    assert phi[0] == pytest.approx(best.phi[0], abs=0.05 * best.errors[0])


def test_all_parameters_of_a_mixture(rng):
    best = fit(mixed(draw(rng, 1600)))
    assert best.valid
    assert np.isfinite(best.errors).all()
    assert maximise(mixed(draw(rng, 1600)), best.phi).converged


def test_degenerate_fits_are_not_valid():
    """One number cannot determine both signal strength and a."""
    best = fit(counting(1100.0, fitted=("a",), free_signal_strength=True))
    assert not best.valid


def test_nothing_to_fit_and_nowhere_to_start():
    with pytest.raises(InferenceError, match="no parameter is free"):
        fit(counting(100.0, fitted=()))
    function = replace(counting(100.0, fitted=("a",)), without_coefficients=10.0)
    with pytest.raises(InferenceError, match=r"the likelihood is -inf at the start of the fit .*signal_strength = -1"):
        fit(function, function.mixture.point({"signal_strength": -1.0}))


def test_without_iminuit(monkeypatch):
    monkeypatch.setitem(sys.modules, "iminuit", None)
    with pytest.raises(DependencyError, match=r"pip install 'partonic\[inference\]'"):
        fit(likelihood(grid(100)))
