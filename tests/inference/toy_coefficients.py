"""A toy with a closed form: densities that are squares of amplitudes linear in θ, so positive for all θ."""

import numpy as np

from partonic.event_status import OK
from partonic.inference.coefficients.event_coefficients import EventCoefficients
from partonic.polynomial import Monomials

MONOMIALS = Monomials.up_to_degree(("a", "b"), 2)


def squared_amplitude(amplitudes):
    """Return the coefficients of Σ_h |M_0 + a M_1 + b M_2|² from M `(N, helicities, 3)`."""
    products = np.einsum("nhi,nhj->nij", amplitudes, amplitudes)
    names = [(0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2)]
    return np.stack([products[:, i, j] * (1 if i == j else 2) for i, j in names], axis=1)


def toy_weights(generator, events, cross_section=0.01):
    """Return coefficients of weighted events in pb, `(N, 6)`, whose constant ones sum to the cross section."""
    amplitudes = generator.normal(size=(events, 2, 3)) * np.array([1.0, 0.6, 0.4])
    amplitudes[:, 0, 0] += 1.5
    coefficients = squared_amplitude(amplitudes)
    return coefficients * cross_section / coefficients[:, 0].sum()


def toy_events(coefficients, bad=(), monomials=MONOMIALS, event_id=None):
    """Return event coefficients that are exact, without those with the numbers `bad`."""
    n, a = coefficients.shape
    ratios = coefficients / coefficients[:, :1]
    log_reference = np.log(coefficients[:, 0])
    status = [OK] * n
    for number in bad:
        ratios[number], log_reference[number], status[number] = np.nan, np.nan, "outside of the support"
    return EventCoefficients(
        monomials=monomials,
        event_id=np.arange(n) if event_id is None else event_id,
        ratios=ratios,
        log_reference=log_reference,
        covariance=np.zeros((n, a, a)),
        status=tuple(status),
        relative_error=np.zeros(n),
        source="truth",
    )
