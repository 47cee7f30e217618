"""Log-densities of Gaussian numbers."""

import math

from jaxtyping import Float
from torch import Tensor

__all__ = ["normal_log_prob", "standard_normal_log_prob"]


def normal_log_prob(
    x: Float[Tensor, "*batch features"],
    mean: Float[Tensor, "*batch features"],
    log_deviation: Float[Tensor, "*batch features"],
) -> Float[Tensor, "*batch"]:
    """Return ln p of independent Gaussian numbers, summed over the last axis."""
    pull = (x - mean) * (-log_deviation).exp()
    log_density: Tensor = (-0.5 * pull.square() - log_deviation - 0.5 * math.log(2.0 * math.pi)).sum(dim=-1)
    return log_density


def standard_normal_log_prob(x: Float[Tensor, "*batch features"]) -> Float[Tensor, "*batch"]:
    """Return ln p of independent Gaussian numbers of mean 0 and deviation 1."""
    log_density: Tensor = -0.5 * x.square().sum(dim=-1) - 0.5 * x.shape[-1] * math.log(2.0 * math.pi)
    return log_density
