"""The strong coupling α_s(μ): running from its value at the Z mass, or the table that comes with a set of densities.

With L = ln(μ²/Λ²) and n_f active flavours, to second order

    α_s = 4π/(β₀ L) [1 − b₁ ln L/L],   β₀ = 11 − 2n_f/3,   b₁ = 2 (51 − 19n_f/3)/β₀²

(the leading terms of the expansion in 1/L in the Review of Particle Physics 2006, "Quantum chromodynamics", eq. 9.5),
and to first order the factor in front. Λ for each n_f follows from continuity at the quark masses. Pythia 8 has the
same expressions and, for the same masses, the same values.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

from partonic.errors import PdfError

__all__ = ["RunningCoupling", "StrongCoupling", "TabulatedCoupling"]

_ITERATIONS = 10
"""Of the matching at second order: converged to 1e−9 for perturbative values, and as many as Pythia 8 takes."""
_SAFETY = {1: 1.07, 2: 1.33}
"""The scale is not let below this multiple of Λ₃, where the coupling would diverge; by order."""


@runtime_checkable
class StrongCoupling(Protocol):
    """Anything that returns α_s at a scale."""

    def __call__(self, scale: Float[Tensor, "*batch"]) -> Float[Tensor, "*batch"]:
        """Return α_s(μ) at scales μ in GeV."""


def _beta(flavours: int) -> tuple[float, float]:
    """Return β₀ and b₁ for a number of active flavours."""
    beta_0 = 11.0 - 2.0 * flavours / 3.0
    return beta_0, 2.0 * (51.0 - 19.0 * flavours / 3.0) / beta_0**2


@dataclass(frozen=True, kw_only=True)
class RunningCoupling:
    """α_s evolved from a reference scale, with thresholds at the quark masses. Callable.

    Below the scale 1.07 Λ₃ (first order) or 1.33 Λ₃ (second) the coupling is frozen.

    Attributes:
        value: α_s at the reference scale.
        order: 0 for a constant, 1 and 2 for first- and second-order running.
        flavours: largest number of active flavours, 5 or 6; with 5 the top quark never enters the running.
        masses: charm, bottom and top mass in GeV, where the number of active flavours changes.
        reference_scale: in GeV, between the bottom and the top mass. Default: the Z mass of Pythia 8.

    Raises:
        PdfError: if a value makes no sense.
    """

    value: float
    order: int
    flavours: int = 5
    masses: tuple[float, float, float] = (1.5, 4.8, 171.0)
    reference_scale: float = 91.188
    _lambdas: dict[int, float] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not 0.0 < self.value < 0.5 or self.order not in (0, 1, 2) or self.flavours not in (5, 6):
            raise PdfError(
                "the running coupling needs a value between 0 and 0.5, order 0, 1 or 2 and 5 or 6 flavours; got "
                f"value {self.value}, order {self.order}, {self.flavours} flavours"
            )
        charm, bottom, top = self.masses
        if not 0.0 < charm < bottom < self.reference_scale < top:
            raise PdfError(
                "expected 0 < charm mass < bottom mass < reference scale < top mass (GeV), got "
                f"masses {self.masses} and reference scale {self.reference_scale}"
            )
        object.__setattr__(self, "_lambdas", self._matched_lambdas() if self.order else {})

    @property
    def smallest_scale(self) -> float:
        """Scale in GeV below which α_s is frozen; 0 for a constant."""
        return _SAFETY[self.order] * self._lambdas[3] if self.order else 0.0

    def __call__(self, scale: Float[Tensor, "*batch"]) -> Float[Tensor, "*batch"]:
        """Return α_s(μ) at scales μ in GeV."""
        if self.order == 0:
            return torch.full_like(scale, self.value)
        held = scale.clamp(min=self.smallest_scale)
        result = self._at(held, 3)
        for flavours, threshold in zip((4, 5, 6)[: self.flavours - 3], self.masses, strict=False):
            result = torch.where(held > threshold, self._at(held.clamp(min=threshold), flavours), result)
        return result

    def _at(self, scale: Tensor, flavours: int) -> Tensor:
        beta_0, _ = _beta(flavours)
        log_scale = 2.0 * (torch.log(scale) - math.log(self._lambdas[flavours]))
        return 4.0 * math.pi / (beta_0 * log_scale) * self._correction(log_scale, flavours)

    def _correction(self, log_scale: Tensor, flavours: int) -> Tensor:
        if self.order == 1:
            return torch.ones_like(log_scale)
        _, b_1 = _beta(flavours)
        return 1.0 - b_1 * torch.log(log_scale) / log_scale

    def _matched_lambdas(self) -> dict[int, float]:
        charm, bottom, top = self.masses
        lambdas = {5: self._lambda(self.value, self.reference_scale, 5, start=None)}
        object.__setattr__(self, "_lambdas", lambdas)
        for flavours, known, mass in ((6, 5, top), (4, 5, bottom), (3, 4, charm)):
            at_threshold = float(self._at(torch.tensor(mass, dtype=torch.float64), known))
            lambdas[flavours] = self._lambda(at_threshold, mass, flavours, start=lambdas[known])
        return lambdas

    def _lambda(self, value: float, scale: float, flavours: int, start: float | None) -> float:
        """Return Λ such that α_s(scale) = value, by iterating the correction of the second order."""
        beta_0, _ = _beta(flavours)
        result = start if start is not None else scale * math.exp(-2.0 * math.pi / (beta_0 * value))
        for _ in range(_ITERATIONS):
            log_scale = torch.tensor(2.0 * math.log(scale / result), dtype=torch.float64)
            first_order = value / float(self._correction(log_scale, flavours))
            result = scale * math.exp(-2.0 * math.pi / (beta_0 * first_order))
        return result


class TabulatedCoupling:
    """α_s from the table of a set (`AlphaS_Qs`, `AlphaS_Vals` of its `.info` file), cubic in ln μ². Callable.

    A scale that is listed twice is a flavour threshold: the cubic Hermite interpolation, with slopes from the
    neighbouring differences as in LHAPDF (arXiv:1412.7420, section 3.2), does not reach across it. Outside the table
    α_s is frozen at its first and last value.

    Args:
        scales: in GeV, not decreasing, at least two in each region between thresholds.
        values: α_s at the scales.

    Raises:
        PdfError: if the table is malformed.
    """

    def __init__(self, scales: Sequence[float], values: Sequence[float]) -> None:
        knots = torch.tensor(scales, dtype=torch.float64)
        self._values = torch.tensor(values, dtype=torch.float64)
        steps = knots[1:] - knots[:-1]
        if len(knots) < 2 or knots.shape != self._values.shape or not (knots > 0).all() or not (steps >= 0).all():
            raise PdfError(
                "a table of alpha_s needs as many values as positive, non-decreasing scales, at least two; "
                f"got {len(knots)} scales and {len(self._values)} values"
            )
        self._log_squares = 2.0 * torch.log(knots)
        self._slopes_left, self._slopes_right = self._slopes()

    def __call__(self, scale: Float[Tensor, "*batch"]) -> Float[Tensor, "*batch"]:
        """Return α_s(μ) at scales μ in GeV."""
        knots = self._log_squares.to(scale.device)
        log_square = (2.0 * torch.log(scale)).clamp(min=float(knots[0]), max=float(knots[-1]))
        cell = (torch.searchsorted(knots, log_square.detach().contiguous(), right=True) - 1).clamp(0, len(knots) - 2)
        cell = torch.where(knots[cell + 1] > knots[cell], cell, cell - 1)
        width = knots[cell + 1] - knots[cell]
        t = (log_square - knots[cell]) / width
        values, left, right = (table.to(scale) for table in (self._values, self._slopes_left, self._slopes_right))
        return (
            values[cell] * (1 + 2 * t) * (1 - t).square()
            + values[cell + 1] * (3 - 2 * t) * t.square()
            + width * t * (1 - t) * (left[cell] * (1 - t) - right[cell] * t)
        )

    def _slopes(self) -> tuple[Tensor, Tensor]:
        """Return the slopes at the left and right end of each cell: mean of neighbouring differences, or one-sided."""
        widths = self._log_squares[1:] - self._log_squares[:-1]
        inside = widths > 0
        differences = (self._values[1:] - self._values[:-1]) / torch.where(inside, widths, torch.ones_like(widths))
        both = inside[1:] & inside[:-1]
        mean = 0.5 * (differences[1:] + differences[:-1])
        left, right = differences.clone(), differences.clone()
        left[1:] = torch.where(both, mean, differences[1:])
        right[:-1] = torch.where(both, mean, differences[:-1])
        return left, right
