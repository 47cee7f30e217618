"""Signal against background from their densities: D = P_sig/(P_sig + k P_bkg).

Both densities are of the same event, in pb per unit of x. With k = σ_sig/σ_bkg, D compares the normalised densities,
D = p_sig/(p_sig + p_bkg), and is ½ where an event is as likely in both; k moves D, but not the order of events. By the
lemma of Neyman and Pearson no other function of x separates better if the densities are right.
"""

import numpy as np
from numpy.typing import NDArray

from partonic.errors import ParameterError
from partonic.inference.coefficients.event_coefficients import EventCoefficients

__all__ = ["discriminant", "log_density_ratio"]

Array = NDArray[np.float64]


def discriminant(
    signal: EventCoefficients, background: EventCoefficients, k: float, theta: Array | None = None
) -> Array:
    """Return P_sig/(P_sig + k P_bkg) of each event, `(N,)`; NaN for events that lack one of the two.

    Args:
        signal: coefficients under the signal.
        background: coefficients of the same events under the background, at its first monomial.
        k: usually the ratio of fiducial cross sections, σ_sig/σ_bkg.
        theta: parameters of the signal, `(K,)`; default 0.

    Raises:
        ParameterError: if the events differ or k is not positive.
    """
    if not k > 0:
        raise ParameterError(f"the weight k of the background must be > 0, got {k}")
    log_ratio = log_density_ratio(signal, background, theta) - np.log(k)
    # 1/(1 + e^-r) without overflow on either side
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * log_ratio)), dtype=np.float64)


def log_density_ratio(signal: EventCoefficients, background: EventCoefficients, theta: Array | None = None) -> Array:
    """Return log P_sig(x|θ)/P_bkg(x) of each event, `(N,)`; NaN for events that lack one of the two.

    It is NaN, too, where noise of the integration has made P_sig(x|θ) not positive.

    Raises:
        ParameterError: if the events differ.
    """
    if not np.array_equal(signal.event_id, background.event_id):
        raise ParameterError(
            f"the coefficients of '{signal.source}' and '{background.source}' are not of the same events: expected the "
            "same event_id in the same order"
        )
    point = signal.reference if theta is None else theta
    value = signal.at(point)
    log_value = np.log(np.where(value > 0, value, np.nan))
    result: Array = log_value + signal.log_reference - background.log_reference
    return result
