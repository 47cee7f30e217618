"""Whether weighted events can be learned from, and on which scale of θ they depend."""

import logging
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from partonic.errors import TrainingError
from partonic.sbi.expansion import Expansion

__all__ = [
    "check_weights",
    "effective_number",
    "sensitivity",
    "summed_by_group",
    "targets_by_group",
    "warn_of_blind_validation",
]

Array = NDArray[np.float64]

FEWEST_VALIDATED = 10.0
"""Effective number of events of the validation below which a target is not validated."""

FEWEST = 50.0
"""Effective number of events below which nothing is learned."""

_LOG = logging.getLogger(__name__)


def effective_number(weights: Array) -> float:
    """Return (Σ w)²/Σ w², the number of events of weight 1 with the same relative error; 0 without any."""
    squares = float(np.square(weights).sum())
    return float(weights.sum()) ** 2 / squares if squares > 0 else 0.0


def summed_by_group(weights: Array, group: NDArray[np.int64]) -> Array:
    """Return the sums of weights `(N,)` of the events of each group, `(G,)`: copies of one event count as one."""
    _, number = np.unique(group, return_inverse=True)
    return np.bincount(number, weights=weights).astype(np.float64)


def targets_by_group(targets: Array, group: NDArray[np.int64]) -> Array:
    """Return the sums of targets `(N, A)` of the events of each group, `(G, A)`."""
    names, number = np.unique(group, return_inverse=True)
    if len(names) == len(targets):
        return targets
    sums = np.zeros((len(names), targets.shape[1]))
    np.add.at(sums, number, targets)
    return sums


def check_weights(weights: Array, where: str) -> None:
    """Check that weights `(N,)` carry enough information.

    Args:
        weights: at one point of θ, any unit; may have both signs.
        where: name of the point, for the message.

    Raises:
        TrainingError: if a weight is not finite, their sum is not positive, or few events have all of it.
    """
    if not np.isfinite(weights).all():
        raise TrainingError(f"{int((~np.isfinite(weights)).sum())} events have a weight at {where} that is not finite")
    total, number = float(weights.sum()), effective_number(weights)
    if not total > 0:
        raise TrainingError(
            f"the weights of {len(weights)} events at {where} sum to {total:g}: expected a positive cross section. "
            "Choose a θ at which these events have a density"
        )
    if number < FEWEST:
        share = float(np.abs(weights).max()) / total
        raise TrainingError(
            f"at {where} the {len(weights)} events count as {number:.1f} (one of them has {share:.0%} of the weight); "
            f"expected {FEWEST:g} at least. Generate events near this θ (`generation.theta_mixture`), or choose another"
        )
    negative = float(-weights[weights < 0].sum()) / float(np.abs(weights).sum())
    if negative > 0.05:
        _LOG.warning(
            "%.0f%% of the weight of the events at %s is negative: the training is noisier", 100 * negative, where
        )


def warn_of_blind_validation(targets: Array, names: Sequence[str]) -> None:
    """Warn if few events of the validation decide on a target: then the best weights may be those that ignore it.

    Args:
        targets: y of the independent events of the validation, `(N, A)`.
        names: of the A targets.
    """
    sizes = np.abs(targets)
    for name, values in zip(names, sizes.T, strict=True):
        if values.sum() < 1e-9 * sizes.sum():  # rounding
            continue
        if (number := effective_number(values)) < FEWEST_VALIDATED:
            _LOG.warning(
                "%d events of the validation count as %.1f for the target %s: the weights that are kept may know "
                "little of it. Raise `sbi.training.validation_fraction`, or generate more events where it is large",
                len(values), number, name,
            )  # fmt: skip


def sensitivity(expansion: Expansion, targets: Array) -> Array:
    """Return the distance in each parameter over which the density of a typical event changes by its size, `(K,)`.

    It is 1/(⟨|∂ log c|⟩ + √⟨|∂²c/c|⟩) at the centre of the reference, with the weights of the reference.

    Args:
        expansion: of the events.
        targets: y, `(N, A)`.
    """
    centre = expansion.points.mean(axis=0)
    total = np.abs(targets[:, 0]).sum()
    slope = np.abs(targets @ expansion.gradient(centre)).sum(axis=0) / total
    hessian = np.einsum("akl,ab->bkl", expansion.monomials.hessian(centre), expansion.inverse)
    curvature = np.array([np.abs(targets @ hessian[:, k, k]).sum() / total for k in range(len(centre))])
    change = slope + np.sqrt(curvature)
    scale: Array = np.where(change > 0, 1.0 / np.where(change > 0, change, 1.0), 1.0)
    return scale
