"""Where in θ the training events carry enough information.

Ratios at θ are learned from events with the weights that morphing gives them there. Where few events get most of the
weight nothing certain can be learned, whatever the networks say: derivative learning at one point fails where the
weights change much within the range of θ (arXiv:2410.07315, section 2.2).
"""

import numpy as np
from numpy.typing import NDArray

from partonic.sbi.expansion import Expansion
from partonic.sbi.weights import effective_number

__all__ = ["covered_range"]

Array = NDArray[np.float64]

SHARE = 0.05
"""Effective number of events at θ, relative to the reference, that is still enough."""

_REACH, _STEPS = 20.0, 200
"""How far along each parameter is looked, in units of the sensitivity, and in how many steps."""


def covered_range(expansion: Expansion, targets: Array, scale: Array, share: float = SHARE) -> Array:
    """Return lowest and highest value of each parameter, the others at the reference, `(K, 2)`.

    Args:
        expansion: of the events.
        targets: y of independent events, `(N, A)`.
        scale: sensitivity to each parameter (`partonic.sbi.weights.sensitivity`), `(K,)`.
        share: of the effective number of events at the reference.
    """
    centre, needed = expansion.points.mean(axis=0), share * effective_number(targets[:, 0])
    found = np.zeros((len(centre), 2))
    for k, step in enumerate(np.eye(len(centre)) * scale):
        for side, sign in enumerate((-1.0, 1.0)):
            reached = 0.0
            for distance in np.linspace(0.0, _REACH, _STEPS + 1)[1:]:
                weights = targets @ expansion.row(centre + sign * distance * step)
                if not weights.sum() > 0 or effective_number(weights) < needed:
                    break
                reached = float(distance)
            found[k, side] = centre[k] + sign * reached * scale[k]
    return found
