"""Coefficients from parton truth: what a perfect estimator that saw the partons themselves would give.

A simulated event carries the coefficients c_a of its own weight, so R_a(z) = c_a/c_ref with c_ref = Σ_a m_a(θ_ref) c_a
is exact. A likelihood of them is the bound that no estimate from reconstructed objects can beat.
"""

from collections.abc import Mapping

import numpy as np

from partonic.errors import EventFileError
from partonic.event_status import OK
from partonic.events.batch import EventBatch
from partonic.events.store import EventStore
from partonic.inference.coefficients.event_coefficients import EventCoefficients

__all__ = ["NO_REFERENCE", "coefficients_of_weights", "truth_coefficients"]

NO_REFERENCE = "its weight at the reference point is not positive"
"""Status of an event whose c_ref ≤ 0: no ratios can be formed."""


def truth_coefficients(store: EventStore, reference_point: Mapping[str, float] | None = None) -> EventCoefficients:
    """Return R_a = c_a/c_ref of the selected events of `store`, without error.

    Args:
        store: simulated events.
        reference_point: θ_ref, usually the Standard Model; parameters not named are 0.

    `log_reference` is log c_ref: the density of the event but for a factor that does not depend on θ.

    Raises:
        EventFileError: if no event is selected.
    """
    batch = store.read(["event_id", "coefficients"], accepted_only=True)
    if not len(batch):
        raise EventFileError(f"{store.path} has no selected event: expected simulated events that pass the selection")
    return coefficients_of_weights(batch, reference_point or {})


def coefficients_of_weights(batch: EventBatch, reference_point: Mapping[str, float]) -> EventCoefficients:
    """Return R_a = c_a/c_ref of the N events of a batch with the columns ``event_id`` and ``coefficients``."""
    coefficients = batch.coefficients
    monomials, point = batch.metadata.monomials, dict(reference_point)
    theta = monomials.point(point)
    at_reference = coefficients @ monomials.evaluate(theta) if theta.any() else coefficients[:, 0]
    good = at_reference > 0
    reference = np.where(good, at_reference, np.nan)
    n, a = coefficients.shape
    return EventCoefficients(
        monomials=monomials,
        event_id=batch.column("event_id").astype(np.int64),
        ratios=coefficients / reference[:, None],
        log_reference=np.log(reference),
        covariance=np.zeros((n, a, a)),
        status=tuple(OK if is_good else NO_REFERENCE for is_good in good),
        relative_error=np.zeros(n),
        source="truth",
        reference_point=point,
    )
