"""Normalizing flows as generative models."""

from typing import Literal

from pydantic import Field, PositiveInt

from partonic.config.base import StrictModel

__all__ = ["AutoregressiveFlowConfig", "CouplingFlowConfig"]


class _FlowConfig(StrictModel):
    """What both kinds of flow share."""

    transforms: int = Field(6, ge=1)
    """Transforms one after another."""

    bins: int = Field(16, ge=2)
    """Bins of each spline."""

    hidden: tuple[PositiveInt, ...] = Field((128, 128), min_length=1)
    """Hidden units of the network of each transform."""

    bound: float = Field(5.0, gt=0.0)
    """Splines act in [−bound, bound], in standard deviations of the data; beyond, the transform is the identity."""


class CouplingFlowConfig(_FlowConfig):
    """A coupling flow (arXiv:1605.08803): half of the numbers moves at a time, as the other half says."""

    kind: Literal["coupling"] = "coupling"
    """Name of the model."""

    transform: Literal["affine", "quadratic", "rational_quadratic"] = "rational_quadratic"
    """How a number moves: scale and shift (arXiv:1605.08803), or a spline with piecewise linear (arXiv:1808.03841) or
    rational-quadratic (arXiv:1906.04032) pieces."""


class AutoregressiveFlowConfig(_FlowConfig):
    """An autoregressive flow (arXiv:1705.07057) of rational-quadratic splines: a number moves as those before say."""

    kind: Literal["autoregressive"] = "autoregressive"
    """Name of the model."""
