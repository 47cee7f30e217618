import numpy as np
import pytest

from inference.toy_coefficients import MONOMIALS, toy_events, toy_weights
from partonic.errors import NonFiniteError, ParameterError
from partonic.inference.binned.binning import Binning
from partonic.inference.binned.templates import BackgroundTemplate, Templates
from partonic.inference.experiments.baselines import histogram, optimal_binning, optimal_templates, rate_only

LUMINOSITY = 300.0


@pytest.fixture
def weights():
    return toy_weights(np.random.default_rng(1), 3000)


@pytest.fixture
def values():
    return np.random.default_rng(2).normal(size=(3000, 1))


def test_yields_are_those_of_reweighting_the_events_directly(weights, values):
    binning = Binning(("x",), (-1.0, 0.0, 1.0))
    templates = Templates.fill(binning, MONOMIALS, values, weights)
    for theta in np.random.default_rng(3).normal(size=(20, 2)):
        of_events = weights @ MONOMIALS.evaluate(theta)
        direct = 1000 * LUMINOSITY * np.histogram(values[:, 0], (-np.inf, -1, 0, 1, np.inf), weights=of_events)[0]
        squares = np.histogram(values[:, 0], (-np.inf, -1, 0, 1, np.inf), weights=of_events**2)[0]
        np.testing.assert_allclose(templates.signal_yields(theta, LUMINOSITY), direct, rtol=1e-12)
        np.testing.assert_allclose(
            templates.signal_errors(theta, LUMINOSITY), 1000 * LUMINOSITY * np.sqrt(squares), rtol=1e-9
        )
    many = templates.signal_yields(np.zeros((4, 5, 2)), LUMINOSITY)
    assert many.shape == (4, 5, 4)


def test_errors_are_the_scatter_over_samples():
    """Templates of a Poisson number of toy events: scatter over 300 samples against the quoted error."""
    rng, theta, contents, errors = np.random.default_rng(4), np.array([0.5, -0.5]), [], []
    pool, x = toy_weights(rng, 200), rng.normal(size=(200, 1))
    for _ in range(300):
        chosen = np.repeat(np.arange(200), rng.poisson(1.0, 200))
        templates = Templates.fill(Binning(("x",), (0.0,)), MONOMIALS, x[chosen], pool[chosen])
        contents.append(templates.signal_yields(theta, 1.0))
        errors.append(templates.signal_errors(theta, 1.0))
    ratio = np.std(contents, axis=0) / np.sqrt(np.mean(np.square(errors), axis=0))
    np.testing.assert_allclose(ratio, 1.0, atol=4 / np.sqrt(2 * 300))


def test_rate_is_the_sum_of_all_events(weights, values):
    templates = Templates.fill(Binning(("x",), (0.0,)), MONOMIALS, values, weights)
    np.testing.assert_allclose(templates.rate().coefficients, weights.sum(axis=0))
    np.testing.assert_allclose(templates.rate().covariance, weights.T @ weights)
    single = rate_only(MONOMIALS, weights)
    assert single.signal.shape == (1, 6)
    np.testing.assert_allclose(single.rate().coefficients, weights.sum(axis=0))


def test_backgrounds_add_to_the_signal(weights, values):
    binning = Binning(("x",), (0.0,))
    background = BackgroundTemplate.fill("bb", binning, values[:100], np.full(100, 2e-5), 0.1)
    templates = Templates.fill(binning, MONOMIALS, values, weights).with_backgrounds([background])
    added = templates.yields(np.ones(2), 10.0) - templates.signal_yields(np.ones(2), 10.0)
    np.testing.assert_allclose(added, 1e4 * background.cross_sections)
    rate = background.rate()
    assert rate.cross_section == pytest.approx(100 * 2e-5)
    assert rate.error == pytest.approx(10 * 2e-5)
    assert rate.uncertainty == 0.1


def test_histogram_by_number_of_bins_and_by_edges(weights, values):
    values = values[:, 0].copy()
    values[:10] = np.nan
    by_number = histogram("pt", MONOMIALS, values, weights, 5)
    assert len(by_number.binning) == 6
    np.testing.assert_allclose(by_number.signal[:5, 0], by_number.signal[:5, 0].mean(), rtol=0.02)
    by_edges = histogram("pt", MONOMIALS, values, weights, (0.0, 1.0))
    np.testing.assert_allclose(by_edges.signal[-1], weights[:10].sum(axis=0))
    np.testing.assert_allclose(by_edges.signal.sum(axis=0), weights.sum(axis=0))


def test_optimal_templates_hold_all_events(weights):
    events = toy_events(weights.copy(), bad=(5, 6))
    binning = optimal_binning(events, weights, "a", (4, 5))
    templates = optimal_templates(binning, events, weights, "a")
    assert len(binning) == 21
    assert binning.names == ("R2[a]", "R1[a]")
    np.testing.assert_allclose(templates.signal[-1], weights[[5, 6]].sum(axis=0))
    np.testing.assert_allclose(templates.rate().coefficients, weights.sum(axis=0))


def test_errors(weights, values):
    binning = Binning(("x",), (0.0,))
    with pytest.raises(ParameterError, match="need coefficients of that shape"):
        Templates.fill(binning, MONOMIALS, values[:5], weights)
    with pytest.raises(ParameterError, match=r"need a signal \(2, 6\)"):
        Templates(binning, MONOMIALS, np.zeros((3, 6)), np.zeros((3, 6, 6)))
    with pytest.raises(NonFiniteError, match="the signal is NaN or infinite"):
        Templates.fill(binning, MONOMIALS, values, np.full_like(weights, np.nan))
    with pytest.raises(NonFiniteError, match="the background 'b' is NaN"):
        BackgroundTemplate("b", np.array([np.nan]), np.zeros(1))
    with pytest.raises(ParameterError, match="negative in bin 1"):
        BackgroundTemplate("b", np.array([1.0, -1.0]), np.zeros(2))
    with pytest.raises(ParameterError, match="expected one for each bin"):
        BackgroundTemplate("b", np.ones(2), np.zeros(3))
    templates = Templates.fill(binning, MONOMIALS, values, weights)
    with pytest.raises(ParameterError, match="'b' has 3 bins, the signal 2"):
        templates.with_backgrounds([BackgroundTemplate("b", np.ones(3), np.ones(3))])
    with pytest.raises(ParameterError, match="must have the shape of the ratios"):
        optimal_binning(toy_events(weights), weights[:, :3], "a", (2, 2))
