"""Scale and shift of numbers: y = x e^s + t (Dinh et al., arXiv:1605.08803), with |s| < 3 so that no scale explodes."""

import torch
from jaxtyping import Float
from torch import Tensor

__all__ = ["AFFINE_PARAMETERS", "affine_forward", "affine_inverse"]

AFFINE_PARAMETERS = 2
"""Raw parameters of a number: for s and t."""

_LARGEST = 3.0
"""Bound on |s|."""


def affine_forward(
    x: Float[Tensor, "*batch n"], raw: Float[Tensor, "*batch 2 n"]
) -> tuple[Float[Tensor, "*batch n"], Float[Tensor, "*batch n"]]:
    """Return y and ln dy/dx; `raw` holds the raw parameters of each number."""
    log_scale, shift = _parameters(raw)
    return x * log_scale.exp() + shift, log_scale


def affine_inverse(
    y: Float[Tensor, "*batch n"], raw: Float[Tensor, "*batch 2 n"]
) -> tuple[Float[Tensor, "*batch n"], Float[Tensor, "*batch n"]]:
    """Return x, and ln dy/dx of the forward direction."""
    log_scale, shift = _parameters(raw)
    return (y - shift) * (-log_scale).exp(), log_scale


def _parameters(raw: Tensor) -> tuple[Tensor, Tensor]:
    return _LARGEST * torch.tanh(raw[..., 0, :] / _LARGEST), raw[..., 1, :]
