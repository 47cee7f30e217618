import numpy as np
import pytest

from inference.toy_coefficients import MONOMIALS, toy_events, toy_weights
from partonic.errors import InferenceError, ParameterError
from partonic.inference.binned.binned_likelihood import (
    asimov_counts,
    binned_likelihood,
    binned_mixture,
    binned_pool,
    expected_counts,
)
from partonic.inference.binned.binning import Binning
from partonic.inference.binned.templates import BackgroundTemplate, Templates
from partonic.inference.experiments.baselines import optimal_binning, optimal_templates, rate_only
from partonic.inference.likelihood.event_terms import EventTerms
from partonic.inference.likelihood.fit import fit
from partonic.inference.likelihood.mixture import Mixture
from partonic.inference.likelihood.unbinned import ExtendedLikelihood

LUMINOSITY = 300.0


@pytest.fixture
def templates():
    rng = np.random.default_rng(1)
    weights = toy_weights(rng, 2000)
    binning = Binning(("x",), (-0.5, 0.5, 1.5))
    values = weights[:, 1:2] / weights[:, :1]
    background = BackgroundTemplate.fill("bb", binning, rng.normal(size=(500, 1)), np.full(500, 4e-6), 0.1)
    return Templates.fill(binning, MONOMIALS, values, weights).with_backgrounds([background])


def mixture_of(templates, fitted=("a", "b"), **options):
    return binned_mixture(templates, fitted, LUMINOSITY, luminosity_uncertainty=0.02, **options)


def test_it_is_the_poisson_likelihood_with_gaussian_constraints(templates):
    mixture = mixture_of(templates)
    counts = np.array([500.0, 700.0, 1200.0, 900.0])
    likelihood = binned_likelihood(templates, counts, mixture)
    points = np.array([[0.2, -0.3, 1.0, 1.05, 0.99], [0.0, 0.4, 1.0, 0.9, 1.02], [1.0, 1.0, 1.0, 1.2, 1.01]])
    expected = []
    for a, b, _, norm, scale in points:
        signal = templates.signal_yields(np.array([a, b]), LUMINOSITY)
        nu = scale * (signal + norm * 1000 * LUMINOSITY * templates.backgrounds[0].cross_sections)
        np.testing.assert_allclose(expected_counts(templates, mixture, np.array([a, b, 1.0, norm, scale])), nu)
        pulls = ((norm - 1) / 0.1) ** 2 + ((scale - 1) / 0.02) ** 2
        expected.append((counts * np.log(nu) - nu).sum() - 0.5 * pulls)
    found = likelihood(points)
    np.testing.assert_allclose(np.diff(found), np.diff(expected), rtol=0, atol=1e-8)


def test_asimov_fit_finds_its_parameters_and_the_fisher_errors(templates):
    mixture = mixture_of(templates)
    truth = {"a": 0.3, "b": -0.2}
    counts = asimov_counts(templates, mixture, truth)
    best = fit(binned_likelihood(templates, counts, mixture), mixture.point(truth), verify=False)
    np.testing.assert_allclose(best.phi, mixture.point(truth), atol=1e-5)
    step, slopes = 1e-5, []
    for number in np.flatnonzero(mixture.free):
        shift = step * np.eye(5)[number]
        ends = [expected_counts(templates, mixture, best.phi + sign * shift) for sign in (1, -1)]
        slopes.append((ends[0] - ends[1]) / (2 * step))
    information = np.array(slopes) / counts @ np.array(slopes).T
    information += np.diag(1 / mixture.constraints[1][mixture.free] ** 2)
    np.testing.assert_allclose(best.errors[mixture.free], np.sqrt(np.diag(np.linalg.inv(information))), rtol=1e-5)


def test_fine_bins_of_the_sufficient_statistic_become_the_unbinned_likelihood():
    """One parameter: all information is in R_1 and R_2, so the curves come together as bins get finer."""
    weights = toy_weights(np.random.default_rng(2), 20_000)
    events = toy_events(weights)
    rate = rate_only(MONOMIALS, weights).rate()
    mixture = Mixture(rate, (), LUMINOSITY, fitted=("a",))
    counts = 1000 * LUMINOSITY * weights[:, 0]
    points = np.stack([np.linspace(-0.2, 0.2, 9), *(np.full(9, v) for v in (0.0, 1.0, 1.0))], axis=1)
    curve = ExtendedLikelihood(mixture, EventTerms.of(events), counts)(points)
    differences = []
    for bins in ((1, 2), (5, 6), (25, 30)):
        binning = optimal_binning(events, weights, "a", bins, scale=0.3)
        templates = optimal_templates(binning, events, weights, "a", scale=0.3)
        likelihood = binned_likelihood(templates, asimov_counts(templates, mixture), mixture)
        values = likelihood(points)
        differences.append(np.abs((values - values[4]) - (curve - curve[4])).max() / np.ptp(curve))
    assert differences[0] > differences[1] > differences[2]
    assert differences[2] < 0.02


def test_binning_loses_information_but_never_gains_it():
    weights = toy_weights(np.random.default_rng(3), 5000)
    events = toy_events(weights)
    mixture = Mixture(rate_only(MONOMIALS, weights).rate(), (), LUMINOSITY, fitted=("a",))
    unbinned = ExtendedLikelihood(mixture, EventTerms.of(events), 1000 * LUMINOSITY * weights[:, 0])
    start = mixture.point()
    information = [-unbinned.derivatives(start).hessian[0, 0]]
    for bins in ((6, 6), (2, 2), (1, 1)):
        templates = optimal_templates(optimal_binning(events, weights, "a", bins), events, weights, "a")
        likelihood = binned_likelihood(templates, asimov_counts(templates, mixture), mixture)
        information.append(-likelihood.derivatives(start).hessian[0, 0])
    assert information == sorted(information, reverse=True)


def test_pool_of_bins_draws_poisson_counts(templates):
    mixture = mixture_of(templates)
    pool, phi = binned_pool(templates), mixture.point({"a": 0.4})
    source = pool.source(mixture, phi)
    total = source.yields.reshape(2, -1).sum(axis=0)
    np.testing.assert_allclose(total, expected_counts(templates, mixture, phi), rtol=1e-10)
    rng = np.random.default_rng(4)
    drawn = np.array([source.draw(rng).weights.reshape(2, -1).sum(axis=0) for _ in range(400)])
    pulls = (drawn.mean(axis=0) - total) / np.sqrt(total / 400)
    assert np.abs(pulls).max() < 4
    np.testing.assert_allclose(drawn.var(axis=0) / total, 1.0, atol=5 * np.sqrt(2 / 400))
    sample = source.draw(rng)
    of_pool = ExtendedLikelihood(mixture, pool.terms, sample.weights)
    of_bins = binned_likelihood(templates, sample.weights.reshape(2, -1).sum(axis=0), mixture)
    assert float(of_pool(phi)) == pytest.approx(float(of_bins(phi)), rel=1e-12)


def test_signal_strength_and_fixed_values(templates):
    mixture = mixture_of(templates, fitted=("a",), fixed_values={"b": 0.5}, free_signal_strength=True)
    assert mixture.free.tolist() == [True, False, True, True, True]
    assert mixture.point()[1] == 0.5


def test_errors(templates):
    mixture = mixture_of(templates)
    with pytest.raises(ParameterError, match="expected the counts of 4 bins"):
        binned_likelihood(templates, np.ones(3), mixture)
    with pytest.raises(ParameterError, match="finite and not negative"):
        binned_likelihood(templates, np.array([1.0, 2.0, -1.0, 0.0]), mixture)
    empty = Templates.fill(Binning(("x",), (0.0,)), MONOMIALS, np.ones((3, 1)), np.ones((3, 6)))
    with pytest.raises(InferenceError, match="2 events in 1 bins of x in which none is expected, first bin 0"):
        binned_likelihood(empty, np.array([2.0, 3.0]), mixture)
    with pytest.raises(ParameterError, match="rates of the mixture are not those of the templates"):
        binned_likelihood(empty, np.array([0.0, 3.0]), mixture)


def test_bins_that_are_empty_at_zero_count_elsewhere():
    """Events whose weight vanishes at θ = 0 lie in a bin of their own: its yield at θ ≠ 0 must not be lost."""
    weights = toy_weights(np.random.default_rng(5), 500)
    weights[:20, :3] = 0.0
    values = np.repeat([[0.0], [1.0]], [20, 480], axis=0)
    templates = Templates.fill(Binning(("x",), (0.5,)), MONOMIALS, values, weights)
    mixture = binned_mixture(templates, ("a",), LUMINOSITY)
    counts = asimov_counts(templates, mixture, {"a": 0.5})
    assert counts[0] > 0
    likelihood = binned_likelihood(templates, counts, mixture)
    best = fit(likelihood, mixture.point({"a": 0.4}), verify=False)
    assert np.abs(best.maxima[:, 0] - 0.5).min() < 1e-4
    nu = expected_counts(templates, mixture, mixture.point({"a": 0.3}))
    change = float(likelihood(mixture.point({"a": 0.3})) - likelihood(mixture.point({"a": 0.5})))
    assert change == pytest.approx(float((counts * np.log(nu / counts) - nu + counts).sum()), rel=1e-6)
