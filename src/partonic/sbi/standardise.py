"""Features as the networks take them: standardised, with a flag for each that an event may lack."""

import logging
from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor, nn

from partonic.errors import NonFiniteError, TrainingError
from partonic.sbi.stacking.names import is_coefficient

__all__ = ["FeatureScaler"]

_LOG = logging.getLogger(__name__)

_MIDDLE_HALF = 1.349
"""Width of the middle half of a Gaussian of width 1."""


class FeatureScaler(nn.Module):
    """(x − mean)/deviation; a feature that an event does not have becomes 0, and its flag 1.

    Coefficients of another estimator have long tails, of which the networks get a logarithm:
    asinh((x − median)/width), with the width of the middle half in units of that of a Gaussian.

    Attributes:
        names: of the F features.
        bounded: which of them are coefficients, `(F,)`.
        bounds: whether any of them is.
        mean, deviation: of each feature over the events that have it, `(F,)`; the deviation of a feature that is
            constant, or that no event has, is infinite, so that it is always 0.
        flagged: whether a feature has a flag, `(F,)`.
        lowest, highest: range of the standardised features in the sample, `(F,)`.
    """

    mean: Tensor
    deviation: Tensor
    flagged: Tensor
    lowest: Tensor
    highest: Tensor
    bounded: Tensor

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__()
        self.names: tuple[str, ...] = tuple(names)
        self.bounds = any(is_coefficient(name) for name in names)
        features = len(names)
        bounded = torch.tensor([is_coefficient(name) for name in names], dtype=torch.bool)
        self.register_buffer("bounded", bounded, persistent=False)
        for name, value in (("mean", 0.0), ("deviation", 1.0), ("lowest", -torch.inf), ("highest", torch.inf)):
            self.register_buffer(name, torch.full((features,), value, dtype=torch.float64))
        self.register_buffer("flagged", torch.zeros(features, dtype=torch.bool))

    @property
    def width(self) -> int:
        """Numbers an event that the networks get."""
        return len(self.mean) + int(self.flagged.sum())

    def fit(self, features: NDArray[np.float64]) -> None:
        """Take mean, deviation and flags from a sample `(N, F)`.

        Raises:
            NonFiniteError: if a feature is infinite.
            TrainingError: if all features are constant, or no event has any.
        """
        if (bad := np.flatnonzero(np.isinf(features).any(axis=0))).size:
            raise NonFiniteError(f"the features {_named(self.names, bad)} are infinite for some events: leave them out")
        present = ~np.isnan(features)
        known = np.flatnonzero(present.any(axis=0))
        mean, deviation = np.zeros(len(self.mean)), np.full(len(self.mean), np.inf)
        mean[known] = np.nanmean(features[:, known], axis=0)
        spread = np.nanstd(features[:, known], axis=0)
        for place in np.flatnonzero(self.bounded.numpy()[known]):
            low, mean[known[place]], high = np.nanquantile(features[:, known[place]], [0.25, 0.5, 0.75])
            spread[place] = (high - low) / _MIDDLE_HALF if high > low else spread[place]
        varies = spread > 1e-12 * np.maximum(np.abs(mean[known]), 1e-300)
        deviation[known[varies]] = spread[varies]
        flagged = present.any(axis=0) & ~present.all(axis=0)
        if not varies.any() and not flagged.any():
            raise TrainingError(
                f"the features {', '.join(self.names)} are constant, or no event has them: nothing can be learned from "
                "them"
            )
        if len(known) < len(mean):
            absent = np.flatnonzero(~present.any(axis=0))
            _LOG.warning("no event of the training has the features %s", _named(self.names, absent))
        if not varies.all():
            _LOG.warning("the features %s are constant and tell nothing", _named(self.names, known[~varies]))
        scaled = np.where(present, (features - mean) / deviation, 0.0)
        scaled = np.where(self.bounded.numpy(), np.arcsinh(scaled), scaled)
        self.mean.copy_(torch.from_numpy(mean))
        self.deviation.copy_(torch.from_numpy(deviation))
        self.flagged.copy_(torch.from_numpy(flagged))
        self.lowest.copy_(torch.from_numpy(scaled.min(axis=0)))
        self.highest.copy_(torch.from_numpy(scaled.max(axis=0)))

    def forward(self, features: Float[Tensor, "events features"]) -> Float[Tensor, "events inputs"]:
        """Return the inputs of the networks, float32."""
        scaled = self._scaled(features)
        missing = torch.isnan(scaled)
        inputs = torch.where(missing, 0.0, scaled)
        return torch.cat([inputs, missing[:, self.flagged].to(inputs)], dim=1).float()

    def outside(self, features: Float[Tensor, "events features"]) -> Float[Tensor, " events"]:
        """Return the largest distance of a feature from the range of the sample, in standard deviations; 0 within.

        A feature that an event lacks, but no event of the sample did, counts with the whole width of the range: what
        the networks get for it, the mean, is a guess.
        """
        scaled = self._scaled(features)
        beyond = torch.maximum(scaled - self.highest, self.lowest - scaled)
        never_missing = ~self.flagged & torch.isfinite(self.deviation)
        beyond = torch.where(torch.isnan(features) & never_missing, self.highest - self.lowest, beyond)
        return torch.nan_to_num(beyond, nan=0.0).clamp(min=0.0).amax(dim=1)

    def _scaled(self, features: Float[Tensor, "events features"]) -> Float[Tensor, "events features"]:
        scaled = (features - self.mean) / self.deviation
        if not self.bounds:
            return scaled
        # asinh, in functions that ONNX Runtime has in float64
        size = scaled.abs()
        return torch.where(self.bounded, scaled.sign() * (size + (size.square() + 1.0).sqrt()).log(), scaled)


def _named(names: Sequence[str], which: NDArray[np.int64]) -> str:
    return ", ".join(names[number] for number in which)
