"""Standardisation of padded objects: (x − mean) / standard deviation of each feature, over real objects only.

Means and deviations are buffers, so they are saved with the network that was trained on them. They are accumulated in
float64 batch by batch (T. F. Chan, G. H. Golub, R. J. LeVeque, Am. Stat. 37 (1983) 242, eq. 1.5), so a sample larger
than memory can be used, and adding batches one by one gives the same as all at once.
"""

from collections.abc import Collection, Iterable

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from partonic.errors import NonFiniteError, TrainingError

__all__ = ["MaskedStandardiser"]


class MaskedStandardiser(nn.Module):
    """Brings each feature to mean 0 and standard deviation 1 over the real objects of a sample; padding becomes 0."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, features: int, unscaled: Collection[int] = ()) -> None:
        """Start as the identity.

        Args:
            features: numbers per object.
            unscaled: features to leave as they are, such as tags and probabilities.

        Raises:
            ValueError: if one of `unscaled` is not among the features.
        """
        super().__init__()
        outside = sorted(set(unscaled) - set(range(features)))
        if outside:
            raise ValueError(f"there are {features} features, numbered from 0; {outside} are not among them")
        self.unscaled = sorted(set(unscaled))
        self.register_buffer("mean", torch.zeros(features, dtype=torch.float64))
        self.register_buffer("deviation", torch.ones(features, dtype=torch.float64))

    def fit(self, values: Float[Tensor, "events objects features"], mask: Bool[Tensor, "events objects"]) -> None:
        """Take mean and deviation from a sample.

        Args:
            values: padded objects; what stands in the padding does not matter.
            mask: True for real objects.

        Raises:
            NonFiniteError: if a real object has a number that is not finite.
            TrainingError: if there is no real object.
        """
        self.fit_batches([(values, mask)])

    def fit_batches(self, batches: Iterable[tuple[Tensor, Tensor]]) -> None:
        """Take mean and deviation from a sample that comes in batches of (values, mask) as for `fit`.

        Raises:
            NonFiniteError: if a real object has a number that is not finite.
            TrainingError: if there is no real object.
        """
        count, mean, squares = 0, torch.zeros_like(self.mean), torch.zeros_like(self.mean)
        for values, mask in batches:
            real = values[mask].to(self.mean)
            if len(real) == 0:
                continue
            if not bool(torch.isfinite(real).all()):
                broken = (~torch.isfinite(real)).any(0).nonzero().flatten().tolist()
                raise NonFiniteError(f"features {broken} of real objects are not finite; mask such objects out")
            shift = real.mean(0) - mean
            total = count + len(real)
            squares += ((real - real.mean(0)) ** 2).sum(0) + shift**2 * count * len(real) / total
            mean = mean + shift * len(real) / total
            count = total
        if count == 0:
            msg = "a standardisation needs at least one real object, but the sample has none"
            raise TrainingError(msg)
        self._take(mean, (squares / count).sqrt())

    def forward(
        self, values: Float[Tensor, "*batch objects features"], mask: Bool[Tensor, "*batch objects"]
    ) -> Float[Tensor, "*batch objects features"]:
        """Return the standardised features of real objects and 0 for padding, whatever stands in it."""
        scaled = (values - self.mean.to(values.dtype)) / self.deviation.to(values.dtype)
        return torch.where(mask[..., None], scaled, torch.zeros_like(scaled))

    def inverse(
        self, scaled: Float[Tensor, "*batch objects features"], mask: Bool[Tensor, "*batch objects"]
    ) -> Float[Tensor, "*batch objects features"]:
        """Return the features that `forward` standardised, and 0 for padding."""
        values = scaled * self.deviation.to(scaled.dtype) + self.mean.to(scaled.dtype)
        return torch.where(mask[..., None], values, torch.zeros_like(values))

    def _take(self, mean: Tensor, deviation: Tensor) -> None:
        """Keep mean and deviation; a feature that never varies is only shifted, and unscaled ones stay."""
        constant = deviation <= 1e-12 * mean.abs()
        deviation = torch.where(constant, torch.ones_like(deviation), deviation)
        mean[self.unscaled], deviation[self.unscaled] = 0.0, 1.0
        self.mean.copy_(mean)
        self.deviation.copy_(deviation)
