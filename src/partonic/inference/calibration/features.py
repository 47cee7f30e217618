"""What the joint calibration looks at: bounded shares of a reference density, shrunk by their noise, and products.

See `partonic.inference.calibration.joint_calibration` for the formulas.
"""

import numpy as np
from numpy.typing import NDArray

from partonic.inference.coefficients.event_coefficients import EventCoefficients

__all__ = ["features_of", "shares_of_reference", "shrunk_shares"]

Array = NDArray[np.float64]


def shares_of_reference(
    events: EventCoefficients, reference: Array, constant: float, inputs: tuple[int, ...]
) -> tuple[Array, Array]:
    """Return p = R/R_h of the inputs `(N, I)` with their covariance `(N, I, I)`; R_h is at least R_ref = 1.

    Args:
        events: with their ratios R.
        reference: R_h − `constant` as a sum of ratios that are not negative, `(A,)`.
        constant: 1 where R_ref = 1 is no ratio of its own, else 0.
        inputs: numbers of I ratios.
    """
    positive = np.where(reference > 0, np.maximum(events.ratios, 0.0), 0.0)
    in_reference = constant + positive @ reference
    by_ratio = np.where(events.ratios > 0, reference, 0.0)
    shares = events.ratios[:, inputs] / in_reference[:, None]
    # dp_b = (dR_b − p_b dR_h)/R_h
    with_reference = np.einsum("nab,nb->na", events.covariance, by_ratio)
    mixed = shares[:, :, None] * with_reference[:, None, inputs]
    of_reference = np.einsum("na,na->n", with_reference, by_ratio)
    noise = events.covariance[:, inputs][:, :, inputs] - mixed - mixed.transpose(0, 2, 1)
    noise = noise + of_reference[:, None, None] * shares[:, :, None] * shares[:, None, :]
    return shares, noise / in_reference[:, None, None] ** 2


def shrunk_shares(centred: Array, noise: Array, signal: Array) -> Array:
    """Return T (T + C)⁻¹ applied to each event, `(N, I)`."""
    if not centred.size:
        return centred
    solved = np.linalg.solve(signal + noise, centred[:, :, None])[:, :, 0]
    values: Array = solved @ signal
    return values


def features_of(inputs: Array, products: bool) -> Array:
    """Return the inputs, and their products of two if they are wanted, `(N, F)`."""
    if not products:
        return inputs
    first, second = np.triu_indices(inputs.shape[1])
    return np.concatenate([inputs, inputs[:, first] * inputs[:, second]], axis=1)
