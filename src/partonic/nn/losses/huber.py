"""The Huber loss, quadratic for small residuals and linear for large ones, also for periodic numbers.

L(r) = r²/2 for |r| ≤ δ and δ (|r| − δ/2) beyond (P. J. Huber, Ann. Math. Statist. 35 (1964) 73, eq. 2.6 ff.). It keeps
the mean of well-measured events and does not let badly measured ones dominate the gradient.
"""

import torch
from jaxtyping import Float
from torch import Tensor

__all__ = ["huber", "periodic_difference"]


def huber(
    prediction: Float[Tensor, "*batch features"],
    target: Float[Tensor, "*batch features"],
    delta: float = 1.0,
    period: Float[Tensor, "features"] | None = None,
) -> Float[Tensor, "*batch features"]:
    """Return the Huber loss of each number, so that the caller can mask, weight and average.

    Args:
        prediction: what the network says, in the units of `target`.
        target: truth.
        delta: residual at which the loss turns from quadratic to linear, in the units of `target`.
        period: period of each feature, infinite where a feature is not periodic; None if none is.

    Raises:
        ValueError: if `delta` is not positive.
    """
    if not delta > 0.0:
        raise ValueError(f"the Huber loss needs a positive delta, got {delta}")
    residual = prediction - target if period is None else periodic_difference(prediction, target, period)
    inner = residual.abs().clamp(max=delta)
    # With a = min(|r|, δ), both branches are a (|r| − a/2): one formula, so no gradient of an unused branch.
    return inner * (residual.abs() - 0.5 * inner)


def periodic_difference(
    first: Float[Tensor, "*batch features"],
    second: Float[Tensor, "*batch features"],
    period: Float[Tensor, "features"],
) -> Float[Tensor, "*batch features"]:
    """Return `first` − `second`, brought into [−period/2, period/2] for each feature of finite period."""
    difference = first - second
    finite = torch.isfinite(period)
    length = torch.where(finite, period, torch.ones_like(period))
    turns = torch.where(finite, torch.round(difference.detach() / length), torch.zeros_like(difference))
    return difference - turns * length
