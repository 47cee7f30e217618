"""Several components that depend on θ in one fit: parameters of one name are one."""

from dataclasses import replace

import numpy as np
import pytest
from tests.inference import circle_toy
from tests.inference.line_toy import LUMINOSITY, MONOMIALS, SIGMAS, coefficients, draw, grid, rate, ratios

from partonic.errors import ParameterError
from partonic.inference.coefficients.rate import FiducialRate
from partonic.inference.experiments.pool import Pool, PoolSample
from partonic.inference.experiments.pseudo_experiments import Setup, run_experiments
from partonic.inference.likelihood.components import BackgroundRate, SignalComponent, block_diagonal
from partonic.inference.likelihood.event_terms import EventTerms
from partonic.inference.likelihood.fit import fit
from partonic.inference.likelihood.mixture import Mixture
from partonic.inference.likelihood.parameter_map import affine
from partonic.inference.likelihood.unbinned import ExtendedLikelihood

RENAMED = circle_toy.MONOMIALS.up_to_degree(("k", "b"), 2)
OTHER_SIGMAS = circle_toy.SIGMA * circle_toy.densities(grid(20_000)).mean(axis=0)


def scaled(section, factor):
    return FiducialRate(section.monomials, factor * section.coefficients, factor**2 * section.covariance)


def test_a_sample_split_in_two_is_the_sample(rng):
    """Two components of the same density, 30% and 70% of the cross section, are the one component: same fit, errors."""
    x = draw(rng, 800, 0.3, 0.6)
    events = coefficients(x)
    whole = Mixture(rate(0.02), luminosity=LUMINOSITY, fitted=("a", "b"))
    split = Mixture(
        scaled(rate(0.02), 0.3), luminosity=LUMINOSITY, fitted=("a", "b"),
        components=(SignalComponent("more", scaled(rate(0.02), 0.7)),),
    )  # fmt: skip
    parts = [replace(events, log_reference=events.log_reference + np.log(share)) for share in (0.3, 0.7)]
    one = ExtendedLikelihood(whole, EventTerms.of(events), np.ones(800))
    two = ExtendedLikelihood(split, EventTerms.of(parts[0], components=[parts[1]]), np.ones(800))
    first, second = fit(one), fit(two)
    np.testing.assert_allclose(second.phi[:2], first.phi[:2], rtol=1e-6)
    np.testing.assert_allclose(second.errors[:2], first.errors[:2], rtol=1e-6)
    point = whole.point({"a": -0.2, "b": 0.1}), split.point({"a": -0.2, "b": 0.1})
    assert float(one(point[0])) - first.log_likelihood == pytest.approx(float(two(point[1])) - second.log_likelihood)


def mixed(backgrounds=()):
    """The line toy, and the circle toy whose parameter is k = 1 + a."""
    other = FiducialRate(RENAMED, OTHER_SIGMAS, np.zeros((6, 6)))
    return Mixture(
        rate(), backgrounds, LUMINOSITY / 2, fitted=("a", "b"),
        components=(SignalComponent("other", other, 0.05, {"k": affine("1 + a")}),),
    )  # fmt: skip


def hypotheses(x):
    """Coefficients of events at x under both."""
    own = coefficients(x)
    under = circle_toy.densities(x)
    other = replace(own, monomials=RENAMED, ratios=under, log_reference=np.full(len(x), np.log(circle_toy.SIGMA / 2)))
    return own, other


def test_derivatives_of_the_mixture_vector():
    mixture = mixed((BackgroundRate("flat", 0.01, uncertainty=0.1),))
    phi = mixture.point({"a": 0.2, "b": -0.4, "signal_strength": 1.2, "other_normalisation": 0.9})
    step = 1e-5 * np.eye(len(phi))
    slopes = np.stack([(mixture.vector(phi + d) - mixture.vector(phi - d)) / 2e-5 for d in step], axis=-1)
    np.testing.assert_allclose(mixture.jacobian(phi), slopes, atol=1e-8)
    factors = np.linspace(-1, 1, 13)
    curved = np.stack(
        [(factors @ mixture.jacobian(phi + d) - factors @ mixture.jacobian(phi - d)) / 2e-5 for d in step]
    )
    np.testing.assert_allclose(mixture.curvature(phi, factors), np.stack(curved), atol=1e-8)
    expected = mixture.expected_by_component(phi)
    assert expected.shape == (3,)
    assert expected.sum() == pytest.approx(mixture.per_picobarn * float(mixture.stacked_rate @ mixture.vector(phi)))


def test_pulls_of_a_joint_fit():
    """Pseudo-experiments of two processes that share a and b: pulls are N(0, 1)."""
    x = grid(2000)
    pool = Pool.of([
        PoolSample(0, SIGMAS[0] / 2000 * ratios(x), hypotheses(x)[0], (), (hypotheses(x)[1],)),
        PoolSample(1, circle_toy.SIGMA / 2000 * circle_toy.densities(x), hypotheses(x)[0], (), (hypotheses(x)[1],)),
    ])  # fmt: skip
    mixture = mixed()
    truth = mixture.point({"a": 0.2, "b": 0.5})
    found = run_experiments(Setup(mixture, ("a", "b"), seed=3), pool, truth, ("joint",), range(60))
    assert found.valid.all()
    pulls = (found.phi[:, :2] - truth[:2]) / found.errors[:, :2]
    assert (abs(pulls.mean(axis=0)) < 4 / np.sqrt(60)).all()
    assert (abs(pulls.std(axis=0, ddof=1) - 1) < 4 / np.sqrt(2 * 60)).all()


def test_what_does_not_fit():
    with pytest.raises(ParameterError, match="gives z, but its coefficients depend on k, b"):
        SignalComponent("other", FiducialRate(RENAMED, OTHER_SIGMAS, np.zeros((6, 6))), mapping={"z": affine("a")})
    with pytest.raises(ParameterError, match="the uncertainty of 'other' must be ≥ 0"):
        SignalComponent("other", rate(), -0.1)
    wrong = SignalComponent("other", FiducialRate(RENAMED, OTHER_SIGMAS, np.zeros((6, 6))), 0.0, {"k": affine("q")})
    with pytest.raises(ParameterError, match="'k' depends on 'q', which is no parameter of the fit"):
        (
            Mixture(rate(), fitted=("a",), components=(wrong,)).point({}),
            Mixture(rate(), fitted=("a",), components=(wrong,)).vector(np.zeros(6)),
        )


def test_blocks_along_the_diagonal():
    found = block_diagonal([np.ones((2, 2)), np.full((1, 1), 3.0)])
    np.testing.assert_array_equal(found, [[1, 1, 0], [1, 1, 0], [0, 0, 3]])
    assert MONOMIALS.parameters == ("a", "b")
