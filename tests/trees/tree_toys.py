"""Events with known ratios, and tree searches written down again without histograms."""

import numpy as np

from partonic.config.trees import TreeSettings
from partonic.polynomial import Monomials
from partonic.trees.data import ArrayData

LINEAR = Monomials.up_to_degree(("a",), 1)
QUADRATIC = Monomials.up_to_degree(("a",), 2)
SMEARING = 0.5


def power_law(events):
    """Events of p(x) ∝ x⁻³ between 20 and 420 at the middle of equal shares of probability, with scores.

    With p(x|θ) ∝ x^−(3−θ) beyond 20, the score is 1/2 − log(x/100) up to sign and a constant.
    """
    share = (np.arange(events) + 0.5) / events
    x = (20.0**-2 - share * (20.0**-2 - 420.0**-2)) ** -0.5
    score = 0.5 - np.log(x / 100.0)
    return ArrayData(x[:, None], np.column_stack([np.ones(events), score]), ["pt"]), score


def smeared_gaussian(events, rng, weights=None):
    """z ~ N(0, 1) seen as x = z + N(0, σ), with c = w (1, z, z²), and a feature of noise."""
    z = rng.normal(size=events)
    x = z + SMEARING * rng.normal(size=events)
    w = np.ones(events) if weights is None else weights
    coefficients = w[:, None] * np.column_stack([np.ones(events), z, z * z])
    return ArrayData(np.column_stack([x, rng.normal(size=events)]), coefficients, ["x", "noise"]), x


def true_ratios(x):
    """E[(1, z, z²) | x] of `smeared_gaussian`."""
    mean = x / (1.0 + SMEARING**2)
    return np.column_stack([np.ones(len(x)), mean, mean**2 + SMEARING**2 / (1.0 + SMEARING**2)])


def few(**changes):
    """Settings for small samples."""
    return TreeSettings(**({"trees": 30, "max_depth": 3, "min_leaf_events": 20} | changes))


def worth(weight, residuals, targets, entropy=False):
    """Minus the loss of a leaf, from the formulas of the papers."""
    projection = targets @ residuals / weight
    if not entropy:
        return weight * np.sum(projection**2)
    ratio = 1.0 + projection
    return weight * np.sum(ratio * np.log(ratio / (1.0 + ratio)) + np.log(1.0 / (1.0 + ratio)))


def best_split(codes, statistics, fewest, targets, entropy=False):
    """Try all splits one by one: gain, feature, highest code left, missing left."""
    best = (0.0, -1, -1, -1)
    for feature in range(codes.shape[1]):
        column = codes[:, feature]
        for missing_left in (0, 1):
            for highest in range(255):
                left = np.where(column == 255, missing_left == 1, column <= highest)
                sides = [statistics[side].astype(np.float64) for side in (left, ~left)]
                if min(map(len, sides)) == 0:
                    continue
                w = [side[:, 0].sum() for side in sides]
                if min(w) <= 0 or min(a * a / (s[:, 0] ** 2).sum() for a, s in zip(w, sides, strict=True)) < fewest:
                    continue
                parts = [worth(a, s[:, 1:].sum(axis=0), targets, entropy) for a, s in zip(w, sides, strict=True)]
                whole = statistics.astype(np.float64)
                gain = sum(parts) - worth(whole[:, 0].sum(), whole[:, 1:].sum(axis=0), targets, entropy)
                if gain > best[0] * (1 + 1e-12):
                    best = (gain, feature, highest, missing_left)
    return best
