"""Single events with learned densities of backgrounds, against integrals over the plane."""

from dataclasses import replace

import numpy as np
import pytest
from tests.inference.optimised_template.plane_toy import EXPECTED, LUMINOSITY, SCALE, SIGMA, WIDTH, behind, plane

from partonic.errors import InferenceError
from partonic.inference.optimised_template.unbinned import UnbinnedEvents

BACKGROUND = 0.3


def exact(background: float, free: bool) -> np.ndarray:
    """Return the information on a and b by quadrature over the plane, the normalisation known or fitted."""
    axis = np.linspace(-7.0, 7.0, 1401)
    x = np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1).reshape(-1, 2)
    volume = (axis[1] - axis[0]) ** 2
    signal = EXPECTED * np.exp(-0.5 * (x**2).sum(axis=1)) / (2 * np.pi) * volume
    other = signal * behind(x, background)[:, 0]
    slopes = np.stack([signal * 2 * x[:, 0], signal * 2 * SCALE * x[:, 1], other])
    whole = slopes @ (slopes / (signal + other)).T
    found = np.diagonal(whole)[:2]
    return found - whole[:2, 2] ** 2 / whole[2, 2] if free else found


def test_signal_alone_has_all(rng: np.random.Generator) -> None:
    found = UnbinnedEvents.of(plane(4_000, rng)).information(LUMINOSITY)
    np.testing.assert_allclose(found, 4 * EXPECTED * np.array([1.0, SCALE**2]), rtol=0.02)


@pytest.mark.parametrize("uncertainty", [0.0, None])
def test_with_a_background(uncertainty: float | None, rng: np.random.Generator) -> None:
    """The background sits where the score is small: most of the information is left, in events that are few."""
    events = plane(40_000, rng, background=BACKGROUND, uncertainty=uncertainty)
    found = UnbinnedEvents.of(events).information(LUMINOSITY)
    expected = exact(BACKGROUND, uncertainty is None)
    np.testing.assert_allclose(found, expected, rtol=0.03)
    assert (expected < 0.95 * 4 * EXPECTED * np.array([1.0, SCALE**2])).all()


def test_the_interval_is_that_of_the_information(rng: np.random.Generator) -> None:
    events = plane(40_000, rng, background=BACKGROUND, uncertainty=None)
    single = UnbinnedEvents.of(events)
    length = single.asimov(LUMINOSITY).length("b", np.zeros(2), 0.95, 0.1)
    assert length == pytest.approx(2 * 1.959964 / np.sqrt(exact(BACKGROUND, True)[1]), rel=0.03)


def test_less_is_known_by_numbers_of_regions_alone(rng: np.random.Generator) -> None:
    """The background has a spread of its own, Var x = WIDTH²: what the score keeps of both together is known."""
    events = plane(40_000, rng, background=BACKGROUND, uncertainty=0.0)
    found = UnbinnedEvents.of(events, learned=False).information(LUMINOSITY)
    ratio = BACKGROUND / SIGMA
    np.testing.assert_allclose(found, 4 * EXPECTED * np.array([1.0, SCALE**2]) / (1 + ratio * WIDTH**2), rtol=0.03)
    assert (found < exact(BACKGROUND, False)).all()


def test_a_wrong_density_keeps_less(rng: np.random.Generator) -> None:
    events = plane(20_000, rng, background=BACKGROUND, uncertainty=0.0)
    other = replace(events.backgrounds[0], behind=1e3 * events.backgrounds[0].behind)
    wrong = replace(events, behind=1e3 * events.behind, backgrounds=(other,))
    assert (UnbinnedEvents.of(wrong).information(LUMINOSITY) < exact(BACKGROUND, False)).all()


def test_a_density_with_a_slope_biases(rng: np.random.Generator) -> None:
    """A background that is taken to be at larger x₁ than it is looks like a negative a; the right one like none."""
    events = plane(20_000, rng, background=BACKGROUND, uncertainty=None)
    tilt = [np.exp(0.5 * each.ratios[:, 1:2]) for each in (events, events.backgrounds[0])]
    other = replace(events.backgrounds[0], behind=tilt[1] * events.backgrounds[0].behind)
    wrong = replace(events, behind=tilt[0] * events.behind, backgrounds=(other,))
    right, shifted = (
        UnbinnedEvents.of(each).asimov(LUMINOSITY).interval("a", np.zeros(2), 0.95, 0.1) for each in (events, wrong)
    )
    assert abs(right[1]) < 0.05 * right[0]
    assert shifted[1] < -0.5 * shifted[0]


def test_densities_that_are_not_there(rng: np.random.Generator) -> None:
    events = plane(400, rng, background=BACKGROUND)
    with pytest.raises(InferenceError, match=r"how likely events are under the backgrounds is not known"):
        UnbinnedEvents.of(replace(events, behind=None))
    lost = replace(events.alone(), ratios=np.full_like(events.ratios, np.nan))
    with pytest.raises(InferenceError, match=r"no simulated event in the regions"):
        UnbinnedEvents.of(lost)
