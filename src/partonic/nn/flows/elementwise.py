"""How a transform moves single numbers, by name: scale and shift, or splines of two kinds."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal

from torch import Tensor

from partonic.nn.flows.affine import AFFINE_PARAMETERS, affine_forward, affine_inverse
from partonic.nn.flows.quadratic_spline import quadratic_forward, quadratic_inverse, quadratic_parameters
from partonic.nn.flows.spline import spline_forward, spline_inverse, spline_parameters

__all__ = ["Elementwise", "TransformName", "elementwise"]

TransformName = Literal["affine", "quadratic", "rational_quadratic"]
"""Names of the transforms of single numbers."""

_Map = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]


@dataclass(frozen=True)
class Elementwise:
    """A monotonic map of single numbers.

    Attributes:
        parameters: raw parameters of each number.
        forward: y and ln dy/dx of x `(*batch, n)` and raw parameters `(*batch, parameters, n)`.
        inverse: x, and ln dy/dx of the forward direction, of y and raw parameters.
    """

    parameters: int
    forward: _Map
    inverse: _Map


def elementwise(name: TransformName, bins: int, bound: float) -> Elementwise:
    """Return a transform by its name; `bins` and `bound` are those of splines."""
    if name == "affine":
        return Elementwise(AFFINE_PARAMETERS, affine_forward, affine_inverse)
    if name == "quadratic":
        forward, inverse = partial(quadratic_forward, bound=bound), partial(quadratic_inverse, bound=bound)
        return Elementwise(quadratic_parameters(bins), forward, inverse)
    forward, inverse = partial(spline_forward, bound=bound), partial(spline_inverse, bound=bound)
    return Elementwise(spline_parameters(bins), forward, inverse)
