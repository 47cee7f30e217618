"""Figures of merit against closed forms, and against the intervals of the general likelihood."""

from dataclasses import replace

import numpy as np
import pytest
from tests.inference.optimised_template.plane_toy import (
    EXPECTED,
    LUMINOSITY,
    MONOMIALS,
    SIGMA,
    kept_by_quantiles,
    plane,
)

from partonic.config.inference.template import TemplateConfig
from partonic.errors import InferenceError
from partonic.inference.binned.binned_likelihood import asimov_counts, binned_mixture
from partonic.inference.binned.binning import Binning
from partonic.inference.binned.templates import BackgroundTemplate, Templates
from partonic.inference.optimised_template.intervals import intervals_of
from partonic.inference.optimised_template.merit import expected_lengths, information_of, log_determinant
from partonic.inference.optimised_template.template import BinRules, choose_bins, fill_template

THETA = MONOMIALS.point({"a": 0.3, "b": 0.1})
RULES = BinRules.of(TemplateConfig(theta_star={}, bins=6))


def lengths(templates: Templates, luminosity: float = LUMINOSITY) -> np.ndarray:
    return expected_lengths(templates, ("a", "b"), np.zeros(2), luminosity, 0.95, np.array([1.0, 1.0]))


def test_length_of_a_linear_template(rng: np.random.Generator) -> None:
    """±1.96/√I, where quadratic terms are small; the first reach is a hundred times too large."""
    events = plane(20_000, rng)
    theta = MONOMIALS.point({"a": 0.05})
    rules = BinRules.of(TemplateConfig(theta_star={}, bins=8, tail=0.0))
    found = lengths(fill_template(events, theta, choose_bins(events, theta, rules)))
    assert found[0] == pytest.approx(2 * 1.959964 / np.sqrt(4 * EXPECTED * kept_by_quantiles(8)), rel=0.01)


@pytest.mark.parametrize("uncertainty", [0.0, 0.1, None])
def test_they_are_those_of_the_general_likelihood(uncertainty: float | None, rng: np.random.Generator) -> None:
    """Quadratic terms and a background whose normalisation is known, constrained or free."""
    events = plane(3_000, rng, regions=2, background=0.4, uncertainty=uncertainty, luminosity=2.0)
    rules = replace(RULES, names=("signal", "control"), bins=(6, 1))
    templates = fill_template(events, THETA, choose_bins(events, THETA, rules))
    mixture = binned_mixture(templates, ("a", "b"), 2.0)
    general = intervals_of(templates, mixture, ("a", "b"), (0.95,), asimov_counts(templates, mixture))["alone"]
    expected = [general[name][0]["length"] for name in ("a", "b")]
    np.testing.assert_allclose(lengths(templates, 2.0), expected, rtol=5e-3)


def test_a_free_background_costs(rng: np.random.Generator) -> None:
    found = []
    for uncertainty in (0.0, 0.1, None):
        events = plane(3_000, np.random.default_rng(4), background=0.4, uncertainty=uncertainty)
        templates = fill_template(events, THETA, choose_bins(events, THETA, RULES))
        found.append((lengths(templates), np.diagonal(information_of(templates, np.zeros(2), LUMINOSITY))))
    assert (found[0][0] <= found[1][0] + 1e-6).all()
    assert (found[1][0] <= found[2][0] + 1e-6).all()
    assert found[0][0].sum() < found[2][0].sum()
    assert found[0][1].sum() > found[1][1].sum() > found[2][1].sum()


def two_bins(uncertainty: float | None) -> Templates:
    """Signal in one bin alone, a background in both."""
    signal = np.zeros((2, 6))
    signal[0] = SIGMA * np.array([1.0, 0.5, 0.0, 0.0, 0.0, 0.0])
    covariance = np.zeros((2, 6, 6))
    background = BackgroundTemplate("other", np.array([0.2, 0.4]), np.zeros(2), uncertainty)
    return Templates(Binning(("x",), (0.0,)), MONOMIALS, signal, covariance, (background,))


def test_a_control_region_in_closed_form() -> None:
    """With a free background the error of n is that of the control bin: 1/I = 1/I_signal + (b s'/ν)²/I_n."""
    nu, control = 0.3 * LUMINOSITY * 1e3, 0.4 * LUMINOSITY * 1e3
    slope, background = 0.05 * LUMINOSITY * 1e3, 0.2 * LUMINOSITY * 1e3
    variance = nu / slope**2 + (background / slope) ** 2 / control
    assert information_of(two_bins(None), np.zeros(2), LUMINOSITY)[0, 0] == pytest.approx(1 / variance, rel=1e-9)
    known = information_of(two_bins(0.0), np.zeros(2), LUMINOSITY)[0, 0]
    assert known == pytest.approx(slope**2 / nu, rel=1e-12)
    constrained = nu / slope**2 + (background / slope) ** 2 / (control + 0.01**-2)
    assert information_of(two_bins(0.01), np.zeros(2), LUMINOSITY)[0, 0] == pytest.approx(1 / constrained, rel=1e-9)


def test_determinant() -> None:
    assert log_determinant(np.diag([4.0, 9.0])) == pytest.approx(-np.log(6.0))
    assert log_determinant(np.diag([4.0, 0.0])) == np.inf


def test_nothing_expected() -> None:
    empty = Templates(Binning(("x",), (0.0,)), MONOMIALS, np.zeros((2, 6)), np.zeros((2, 6, 6)))
    with pytest.raises(InferenceError, match="no event is expected in the template"):
        lengths(empty)
