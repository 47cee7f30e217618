"""A toy with a long tail and a known answer: |1 + θ A|² with A that grows exponentially, of which a part is seen."""

import numpy as np
from tests.inference.toy_coefficients import toy_events

from partonic.polynomial import Monomials

MONOMIALS = Monomials.up_to_degree(("t",), 2)


def long_tails(rng, count, tail=1.2, hidden=0.5):
    """Return events with the exact ratios of what is seen of them, and their true weights, `(N, 3)`.

    A = e^u a with u of a half normal distribution and a = s + hidden n, of which u and s are seen: R_1 = 2 e^u s and
    R_2 = e^2u (s² + hidden²).
    """
    size = np.exp(tail * np.abs(rng.normal(size=count)))
    seen, unseen = rng.normal(size=(2, count)) + np.array([[0.3], [0.0]])
    true = size * (seen + hidden * unseen)
    weights = 1e-6 * np.stack([np.ones(count), 2 * true, true**2], axis=1)
    ratios = np.stack([np.ones(count), 2 * size * seen, size**2 * (seen**2 + hidden**2)], axis=1)
    return toy_events(ratios, monomials=MONOMIALS), weights
