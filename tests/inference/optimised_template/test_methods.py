"""Methods beside the template in its regions, where what each of them can know is known."""

from dataclasses import replace

import numpy as np
import pytest
from tests.inference.optimised_template.plane_toy import EXPECTED, MONOMIALS, SCALE, plane

from partonic.config.inference.template import TemplateConfig
from partonic.inference.optimised_template.events import TemplateEvents
from partonic.inference.optimised_template.methods import compared_in_regions

SECTION = TemplateConfig(theta_star={}, bins=12, tail=0.0)
THETA = MONOMIALS.point({"a": 0.05})
EVENTS = 4_000


def events(rng: np.random.Generator, background: float | None = 0.3) -> TemplateEvents:
    """Return events whose parton events are in no order, with x₁ of each as what a histogram shows."""
    found = plane(EVENTS, rng, background=background, uncertainty=None)
    others = tuple(replace(each, observed={"x": each.ratios[:, 1] / 2}) for each in found.backgrounds)
    return replace(
        found, parton_event=rng.permutation(EVENTS), observed={"x": found.ratios[:, 1] / 2}, backgrounds=others
    )


def test_signal_alone(rng: np.random.Generator) -> None:
    """Truth and ratios are the same here; x₁ is all that tells a, and the rate knows nothing of either."""
    found = compared_in_regions(events(rng, None), THETA, SECTION, ("a", "b"), 0.95, {"x": (-1.0, 0.0, 1.0)})
    assert set(found) == {"signal_alone"}
    numbers = found["signal_alone"]
    assert set(numbers) == {"truth", "unbinned", "template, signal", "histogram x", "rate"}
    whole = 4 * EXPECTED
    for method in ("truth", "unbinned"):
        assert numbers[method]["a"]["information"] == pytest.approx(whole, rel=0.01)
        assert numbers[method]["b"]["information"] == pytest.approx(whole * SCALE**2, rel=0.01)
        assert numbers[method]["a"]["length"] == pytest.approx(2 * 1.959964 / whole**0.5, rel=0.02)
    assert 0.96 * whole < numbers["template, signal"]["a"]["information"] < whole
    assert 0.85 * whole < numbers["histogram x"]["a"]["information"] < 0.92 * whole
    assert numbers["rate"]["a"]["information"] < 1e-3 * whole


def test_the_errors_are_those_of_the_simulation(rng: np.random.Generator) -> None:
    """I = 4 Σ w x² with n events: a relative error of √(2/n), of which ten groups know 24%."""
    truth = compared_in_regions(events(rng, None), THETA, SECTION, ("a",), 0.95, {})["signal_alone"]["truth"]["a"]
    expected = (2.0 / EVENTS) ** 0.5
    assert 0.4 * expected < truth["information_error"] / truth["information"] < 1.8 * expected
    assert 0.2 * expected < truth["length_error"] / truth["length"] < 0.9 * expected


def test_with_a_background(rng: np.random.Generator) -> None:
    """Who knows how likely events are under the background has more, unbinned and in the template."""
    found = compared_in_regions(events(rng), THETA, SECTION, ("a",), 0.95, {})
    numbers = {method: row["a"] for method, row in found["backgrounds"].items()}
    assert set(numbers) == {
        "unbinned", "unbinned, backgrounds by region", "template, mixture", "template, signal", "rate",
    }  # fmt: skip
    assert numbers["template, mixture"]["information"] > 1.02 * numbers["template, signal"]["information"]
    assert numbers["unbinned"]["information"] > 1.1 * numbers["unbinned, backgrounds by region"]["information"]
    assert numbers["template, mixture"]["information"] < numbers["unbinned"]["information"]
    assert numbers["template, mixture"]["length"] < numbers["template, signal"]["length"]
    assert found["signal_alone"]["truth"]["a"]["information"] > numbers["unbinned"]["information"]


def test_densities_that_are_not_known_are_not_used(rng: np.random.Generator) -> None:
    one = events(rng)
    blind = replace(one, behind=None, backgrounds=tuple(replace(each, behind=None) for each in one.backgrounds))
    found = compared_in_regions(blind, THETA, SECTION, ("a",), 0.95, {})["backgrounds"]
    assert set(found) == {"unbinned, backgrounds by region", "template, signal", "rate"}
