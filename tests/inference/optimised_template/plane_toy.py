"""Events in a plane, x ~ N(0, 1)² at θ = 0, with p(x|a, b) ∝ (1 + a x₁ + s b x₂)²: all is known in closed form.

The score at θ = 0 is 2 (x₁, s x₂), so the information is 4 N (1, s²). A template in the direction (u, v/s) sees
t = u x₁ + v x₂, and keeps cos² and sin² of the angle of (u, v) of it, times what bins of t keep of a Gaussian.
"""

from itertools import pairwise
from statistics import NormalDist

import numpy as np
from jaxtyping import Float

from partonic.inference.coefficients.rate import FiducialRate
from partonic.inference.likelihood.mixture import Mixture
from partonic.inference.optimised_template.backgrounds import BackgroundEvents
from partonic.inference.optimised_template.events import TemplateEvents
from partonic.polynomial import Monomials

MONOMIALS = Monomials.up_to_degree(("a", "b"), 2)
SCALE = 3.0
"""s."""

WIDTH = 0.3
"""Of the background in x."""

SIGMA, LUMINOSITY = 0.1, 100.0
"""pb and fb⁻¹: 10,000 events at θ = 0, so that intervals are small and quadratic terms count for little."""

EXPECTED = SIGMA * LUMINOSITY * 1000.0


def points(events: int, generator: np.random.Generator) -> Float[np.ndarray, "events 2"]:
    """Return x with x₁ spread as evenly as a Gaussian can be, and x₂ in another order, uncorrelated to first order."""
    even = np.array([NormalDist().inv_cdf((row + 0.5) / events) for row in range(events)])
    return np.column_stack([even, generator.permutation(even)])


def ratios(x: Float[np.ndarray, "events 2"]) -> Float[np.ndarray, "events 6"]:
    """Return R_a(x)."""
    one, two = x[:, 0], SCALE * x[:, 1]
    return np.stack([np.ones_like(one), 2 * one, 2 * two, one**2, 2 * one * two, two**2], axis=1)


def plane(
    events: int, generator: np.random.Generator, regions: int = 1, background: float | None = None,
    uncertainty: float | None = None, luminosity: float = LUMINOSITY,
) -> TemplateEvents:  # fmt: skip
    """Return signal in some regions in turn, and a background of `background` pb that is narrow in x if asked for."""
    x = points(events, generator)
    weights = SIGMA / events * ratios(x)
    mixture = Mixture(
        FiducialRate(MONOMIALS, weights.sum(axis=0), np.zeros((6, 6))), luminosity=luminosity, fitted=("a", "b")
    )
    backgrounds: tuple[BackgroundEvents, ...] = ()
    if background is not None:
        narrow = WIDTH * points(events // 2, generator)
        of_background = ratios(narrow)
        backgrounds = (
            BackgroundEvents(
                "other", of_background, np.full(events // 2, background / (events // 2)),
                np.arange(events // 2) % regions, uncertainty, behind=behind(narrow, background),
            ),
        )  # fmt: skip
    known = None if background is None else behind(x, background)
    return TemplateEvents(mixture, ratios(x), weights, np.arange(events) % regions, backgrounds, behind=known)


def behind(x: Float[np.ndarray, "events 2"], background: float) -> Float[np.ndarray, "events 1"]:
    """Return the density of the background, N(0, WIDTH)², over that of the signal at θ = 0, in pb."""
    logs = -2.0 * np.log(WIDTH) - 0.5 * (WIDTH**-2.0 - 1.0) * (x**2).sum(axis=1)
    return background / SIGMA * np.exp(logs)[:, None]


def kept_by_quantiles(bins: int) -> float:
    """Return the part of the information on the mean of a Gaussian that `bins` bins of equal probability keep."""
    normal = NormalDist()
    heights = [0.0, *(normal.pdf(normal.inv_cdf(number / bins)) for number in range(1, bins)), 0.0]
    return sum(bins * (high - low) ** 2 for low, high in pairwise(heights))
