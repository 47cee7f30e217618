"""Coefficients of the same events by networks with other weights: what is not known of the training of networks.

Each set of weights is drawn from what the training leaves open (`partonic.nn.bayesian`). The error that it brings is
the same for all events, so that it does not become smaller with their number: what it does to a likelihood follows only
from the likelihood of each set.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from partonic.errors import ParameterError

__all__ = ["WeightSamples"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class WeightSamples:
    """Coefficients of N events with S sets of weights.

    Attributes:
        ratios: R_a = P_a/P_ref of each set, NaN for events without coefficients, `(N, S, A)`.
        log_reference: log P_ref of each set, `(N, S)`.
    """

    ratios: Array
    log_reference: Array

    def __post_init__(self) -> None:
        if self.ratios.ndim != 3 or self.log_reference.shape != self.ratios.shape[:2]:
            raise ParameterError(
                "coefficients of sets of weights must have the shapes (N, S, A) and (N, S), got "
                f"{self.ratios.shape} and {self.log_reference.shape}"
            )

    def __len__(self) -> int:
        """Return the number N of events."""
        return len(self.ratios)

    @property
    def count(self) -> int:
        """Number S of sets of weights."""
        return int(self.ratios.shape[1])

    def select(self, mask: NDArray[np.bool_]) -> "WeightSamples":
        """Return those of the events for which `mask` `(N,)` is True."""
        return WeightSamples(self.ratios[mask], self.log_reference[mask])

    @staticmethod
    def joined(parts: Sequence["WeightSamples | None"]) -> "WeightSamples | None":
        """Return the events of all parts, one after another; None if none of them has sets of weights.

        Raises:
            ParameterError: if parts have different numbers of sets.
        """
        known = [part for part in parts if part is not None]
        if not known:
            return None
        if len(known) < len(parts) or len({part.count for part in known}) > 1:
            counts = ", ".join("none" if part is None else str(part.count) for part in parts)
            raise ParameterError(f"events with different numbers of sets of weights cannot be put together: {counts}")
        return WeightSamples(
            np.concatenate([part.ratios for part in known]), np.concatenate([part.log_reference for part in known])
        )
