"""Parton densities on torch tensors, from grids in the LHAPDF format.

The grids are interpolated by `madspace`, with the bicubic Hermite polynomials in (ln x, ln μ²) of LHAPDF
(arXiv:1412.7420, section 3.2): exact at the knots, continuous slopes, thresholds not crossed. Outside the grid:

- x > 1 (and x = 1): the density is 0;
- x below the grid, or μ outside it: x f(x, μ) is frozen at the edge of the grid, as Pythia 8 does.

Densities are as the set gives them: some sets go negative in corners, and are left so.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from partonic.errors import DependencyError, PdfError
from partonic.physics.pdf_sets import PdfSet, coupling_from_name, find_set
from partonic.physics.strong_coupling import RunningCoupling, StrongCoupling, TabulatedCoupling

__all__ = ["PartonDensities"]

_EDGE = 1e-12
"""Relative distance from the edge of the grid at which densities are frozen; on the edge the kernel returns zero."""
_STEP = 1e-4
"""Step in ln x and ln μ of the derivative; cells of the grids are about a thousand times wider."""


class PartonDensities:
    """The densities of one member of a set, and its α_s.

    Args:
        name: of the set, as LHAPDF calls it, e.g. ``"NNPDF31_lo_as_0130"``.
        folder: with the set; default the folders of `LHAPDF_DATA_PATH`, then the grids that ship with Pythia 8.
        member: 0 is the central one.
        coupling: α_s(μ). Default: the table of the set's `.info` file; without a table, run from its `AlphaS_MZ`;
            without a file (the grids of Pythia 8), run from the value and the order in the name of the set.

    Attributes:
        set: name, member and files of the set.
        flavours: PDG identifiers in the grid.
        x_min: lower edge of the grid.
        scale_min: lower edge of the grid in μ, GeV.
        scale_max: upper edge, GeV.

    Raises:
        PdfError: if the set is not found or its grid cannot be read.
        DependencyError: if `madspace` is not installed.
    """

    def __init__(
        self, name: str, folder: Path | None = None, member: int = 0, coupling: StrongCoupling | None = None
    ) -> None:
        self.set: PdfSet = find_set(name, folder, member)
        self._grid, self._context = _load(self.set.grid)
        self.flavours: tuple[int, ...] = tuple(self._grid.pids)
        self.x_min: float = _lower_edge(self._grid.x)
        self.scale_min: float = self._grid.q[0]
        self.scale_max: float = self._grid.q[-1]
        self._coupling = coupling if coupling is not None else _coupling_of(self.set, self.flavours)
        self._kernels: dict[tuple[int, ...], _Kernel] = {}

    def __repr__(self) -> str:
        return f"PartonDensities({self.set.name!r}, member={self.set.member}, grid={str(self.set.grid)!r})"

    def x_times_density(
        self, pdg_ids: Sequence[int], x: Float[Tensor, " events"], scale: Float[Tensor, " events"]
    ) -> Float[Tensor, "events flavours"]:
        """Return x f(x, μ) of several partons.

        First derivatives with respect to x and μ are those of the interpolation.

        Args:
            pdg_ids: 21 for the gluon, negative for antiquarks.
            x: momentum fractions, positive.
            scale: factorisation scales μ in GeV, positive.

        Returns:
            in float64, one column for each parton, in the order of `pdg_ids`.

        Raises:
            PdfError: if a parton is not in the set, or x or μ is not positive (or NaN).
        """
        if not bool(((x > 0) & (scale > 0)).all()):
            raise PdfError(
                "momentum fractions and scales must be positive numbers; "
                f"{int((~(x > 0)).sum())} fractions and {int((~(scale > 0)).sum())} scales of {len(x)} are not"
            )
        kernel = self._kernel(tuple(pdg_ids))
        values: Tensor = _Interpolation.apply(x, scale, kernel)  # type: ignore[no-untyped-call]
        return values

    def alpha_s(self, scale: Float[Tensor, " events"]) -> Float[Tensor, " events"]:
        """Return α_s(μ) at renormalisation scales μ in GeV.

        Raises:
            PdfError: if neither the set nor its name says what α_s is, and none was given.
        """
        if self._coupling is None:
            raise PdfError(
                f"the PDF set '{self.set.name}' has no .info file beside {self.set.grid} and its name does not tell "
                "alpha_s: give PartonDensities(..., coupling=RunningCoupling(value=..., order=...))"
            )
        return self._coupling(scale)

    def _kernel(self, pdg_ids: tuple[int, ...]) -> "_Kernel":
        missing = [pdg_id for pdg_id in pdg_ids if pdg_id not in self.flavours]
        if missing:
            raise PdfError(f"the PDF set '{self.set.name}' has no density of {missing}; it has {list(self.flavours)}")
        if pdg_ids not in self._kernels:
            self._kernels[pdg_ids] = _Kernel(self._grid, self._context, pdg_ids)
        return self._kernels[pdg_ids]


class _Kernel:
    """The compiled interpolation of some partons, extended beyond the edges of the grid."""

    def __init__(self, grid: Any, context: Any, pdg_ids: tuple[int, ...]) -> None:
        import madspace
        from madspace.torch import FunctionModule

        self._function = FunctionModule(madspace.PartonDensity(grid, list(pdg_ids)).function(), context)
        self._x_min = _lower_edge(grid.x) * (1.0 + _EDGE)
        self._scales = grid.q[0] * (1.0 + _EDGE), grid.q[-1] * (1.0 - _EDGE)

    def __call__(self, x: Tensor, scale: Tensor) -> Tensor:
        inside = x.detach().to("cpu", torch.float64).clamp(min=self._x_min)
        held = scale.detach().to("cpu", torch.float64).clamp(*self._scales)
        with torch.no_grad():
            values: Tensor = self._function(inside.contiguous(), held.contiguous())
        return values.masked_fill((inside >= 1.0)[:, None], 0.0).to(x.device)


class _Interpolation(torch.autograd.Function):
    """The interpolation with its first derivatives.

    The kernel has no derivatives of its own. The interpolation is a cubic polynomial in ln x and in ln μ inside a
    cell, for which the difference of five points is exact; within two steps of a knot it mixes the two cubics.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, scale: Tensor, kernel: _Kernel) -> Tensor:
        ctx.save_for_backward(x, scale)
        ctx.kernel = kernel
        return kernel(x, scale)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        x, scale = ctx.saved_tensors
        gradients: list[Tensor | None] = [None, None]
        if ctx.needs_input_grad[0]:
            slope = _five_point_slope(lambda factor: ctx.kernel(x * factor, scale))
            gradients[0] = ((slope * grad_outputs[0]).sum(dim=1) / x).to(x.dtype)
        if ctx.needs_input_grad[1]:
            slope = _five_point_slope(lambda factor: ctx.kernel(x, scale * factor))
            gradients[1] = ((slope * grad_outputs[0]).sum(dim=1) / scale).to(scale.dtype)
        return gradients[0], gradients[1], None


def _five_point_slope(function: Any) -> Tensor:
    """Return the logarithmic derivative at factor 1 of a function of a factor."""
    steps = torch.exp(_STEP * torch.tensor([-2.0, -1.0, 1.0, 2.0], dtype=torch.float64)).tolist()
    far_below, below, above, far_above = (function(step) for step in steps)
    slope: Tensor = (8.0 * (above - below) - (far_above - far_below)) / (12.0 * _STEP)
    return slope


def _load(path: Path) -> tuple[Any, Any]:
    """Read a grid and give it to a context of the kernel, with as many threads as torch uses."""
    try:
        import madspace
    except ImportError as error:
        raise DependencyError(
            f"parton densities need madspace ({error}): pip install 'partonic[generation]'"
        ) from error
    try:
        grid = madspace.PdfGrid(str(path))
        _check(grid)
    except (RuntimeError, ValueError) as error:
        raise PdfError(f"the grid {path} is not a readable LHAPDF grid (format lhagrid1): {error}") from error
    context = madspace.Context(torch.get_num_threads())
    grid.initialize_globals(context)
    return grid, context


def _check(grid: Any) -> None:
    """Raise ValueError for what the reader of the kernel lets pass: a grid without contents, or with NaN."""
    if len(grid.x) < 4 or len(grid.q) < 2 or not grid.pids:
        message = f"it has {len(grid.x)} knots in x, {len(grid.q)} in the scale and partons {list(grid.pids)}"
        raise ValueError(message)
    unusable = int((~np.isfinite(np.array(grid.values))).sum())
    if unusable:
        message = f"{unusable} of its values are not finite"
        raise ValueError(message)


def _lower_edge(knots: Sequence[float]) -> float:
    """Return the first knot in x from which the interpolation is regular.

    Grids of CTEQ list the first knot twice, which leaves no slope for the cell above it.
    """
    repeated = sum(knot == knots[0] for knot in knots)
    return float(knots[0] if repeated == 1 else knots[repeated])


def _coupling_of(pdf_set: PdfSet, flavours: tuple[int, ...]) -> StrongCoupling | None:
    """Return the α_s of a set, or None where nothing tells it."""
    info = pdf_set.info
    if "AlphaS_Qs" in info and "AlphaS_Vals" in info:
        return TabulatedCoupling(info["AlphaS_Qs"], info["AlphaS_Vals"])
    active = 6 if 6 in flavours else 5
    if "AlphaS_MZ" in info:
        order = min(int(info.get("AlphaS_OrderQCD", 0)) + 1, 2)
        return RunningCoupling(value=float(info["AlphaS_MZ"]), order=order, flavours=active)
    told = coupling_from_name(pdf_set.name)
    return None if told is None else RunningCoupling(value=told[0], order=told[1], flavours=active)
