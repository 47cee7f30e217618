"""Whole numbers as Gaussian ones: what generative models of densities can learn of numbers of jets and of tags.

A whole number k of shares p_0, p_1, … becomes t = Φ⁻¹(p_0 + … + p_{k−1} + p_k u) with u even in [0, 1): of events with
these shares, t is Gaussian with mean 0 and width 1, whatever the shares, and k is found again exactly from the interval
that Φ(t) lies in (the randomised probability integral transform; M. Rosenblatt, Ann. Math. Statist. 23 (1952) 470).
"""

from collections.abc import Sequence

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

__all__ = ["gaussian_of", "gaussian_of_two", "shares_of", "whole_of"]

_MARGIN = 1e-6
"""Shares are kept this far from 0 and 1 on the way to the line."""


def shares_of(values: Int[Tensor, " events"], number: int) -> tuple[float, ...]:
    """Return the shares of the whole numbers 0 … `number` − 1, each as if it had been found once more."""
    counts = torch.bincount(values, minlength=number)[:number].double() + 1.0
    return tuple((counts / counts.sum()).tolist())


def gaussian_of(
    values: Int[Tensor, " events"], shares: Sequence[float], generator: torch.Generator
) -> Float[Tensor, " events"]:
    """Return Gaussian numbers of whole ones.

    Args:
        values: from 0 to the number of shares, exclusive.
        shares: of the whole numbers.
        generator: of the places within them.
    """
    own, below = _bounds(shares)
    place = below[values] + own[values] * torch.rand(values.shape, generator=generator, dtype=torch.float64)
    line: Tensor = torch.special.ndtri(place.clamp(_MARGIN, 1.0 - _MARGIN))
    return line


def gaussian_of_two(
    values: Bool[Tensor, " events"], share_of_false: Float[Tensor, " events"], generator: torch.Generator
) -> Float[Tensor, " events"]:
    """Return Gaussian numbers of False and True, whose shares each event has for itself.

    A number belongs to True if Φ of it is not below the share of False.

    Args:
        values: of events.
        share_of_false: of each event, between 0 and 1.
        generator: of the places within the shares.
    """
    place = torch.rand(values.shape, generator=generator, dtype=torch.float64)
    inside = torch.where(values, share_of_false + (1.0 - share_of_false) * place, share_of_false * place)
    line: Tensor = torch.special.ndtri(inside.clamp(_MARGIN, 1.0 - _MARGIN))
    return line


def whole_of(line: Float[Tensor, " events"], shares: Sequence[float]) -> Int[Tensor, " events"]:
    """Return the whole numbers of Gaussian ones, the inverse of `gaussian_of`."""
    _, below = _bounds(shares)
    return torch.bucketize(torch.special.ndtr(line.double()), below[1:], right=True)


def _bounds(shares: Sequence[float]) -> tuple[Tensor, Tensor]:
    """Return the shares, and for each one the sum of those before."""
    own = torch.tensor(shares, dtype=torch.float64)
    return own, own.cumsum(dim=0) - own
