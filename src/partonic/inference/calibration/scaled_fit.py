"""The fit of a calibration of each ratio by its own mean and slopes: Newton's method on the likelihood of classes."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from partonic.errors import ParameterError
from partonic.inference.calibration.class_likelihood import ClassLikelihood
from partonic.inference.calibration.reference_density import ReferenceDensity, reference_density
from partonic.inference.calibration.scaled_ratios import Kind, ScaledRatios, log_of_density, tail_features
from partonic.inference.coefficients.event_coefficients import EventCoefficients

__all__ = ["fit_scaled_ratios"]

Array = NDArray[np.float64]

_STEP = (0.5, 0.98)
"""Quantiles of u in the sample between which slopes pass from those of the bulk to those of the tail."""

_EVENTS_PER_NUMBER = 20
_SMALLEST_SPREAD = 1e-6
_ITERATIONS = 400
_TOLERANCE = 1e-9
_SINGULAR = 1e-10


def fit_scaled_ratios(coefficients: EventCoefficients, weights: Array, kind: Kind) -> ScaledRatios:
    """Fit the calibration to simulated events that nothing was trained on.

    Args:
        coefficients: estimated ratios of the events.
        weights: θ-coefficients c_a of the weights of the same events in the same order, pb, `(N, A)`.
        kind: which numbers are fitted; ``none`` for none at all.

    Raises:
        ParameterError: if the shapes differ, or too few events can be used.
    """
    density = reference_density(coefficients, weights)
    good = density.good & (coefficients.reference_weights(weights) > 0)
    fit = _Sample(coefficients.select(good), weights[good], density, kind)
    if len(fit.weights) < _EVENTS_PER_NUMBER * max(1, int(fit.free.sum())):
        raise ParameterError(
            f"a calibration of the kind '{kind}' fits {int(fit.free.sum())} numbers and needs "
            f"{_EVENTS_PER_NUMBER * max(1, int(fit.free.sum()))} usable events or more, got {len(fit.weights)} of "
            f"{len(good)}: take more events, or a simpler kind"
        )
    slopes = fit.maximum() if kind in ("slopes", "tails") else fit.start
    ones = torch.ones(len(fit.weights), dtype=torch.float64)
    means, feature_mean = (each.numpy() for each in fit.means(ones))
    return ScaledRatios(
        kind=kind,
        monomials=coefficients.monomials,
        reference=density.reference,
        step=fit.step,
        means=means,
        feature_mean=feature_mean,
        slopes=slopes.numpy(),
        covariance=np.zeros((2 * len(means) + slopes.numel(),) * 2) if kind == "none" else fit.covariance(slopes),
        events=len(fit.weights),
        reference_point=dict(coefficients.reference_point),
    )


class _Sample:
    """Simulated events, and the likelihood of slopes."""

    def __init__(self, events: EventCoefficients, weights: Array, density: ReferenceDensity, kind: Kind) -> None:
        centre = events.reference
        self.at = events.monomials.evaluate(centre) if centre.any() else np.eye(len(events.monomials))[0]
        elsewhere = self.at if centre.any() else None
        u = log_of_density(events.ratios, density.reference, elsewhere)
        self.step = np.quantile(u, _STEP) if kind == "tails" else np.empty(0)
        if kind == "tails" and not self.step[1] > self.step[0]:
            message = "the events have no tail: expected ratios that vary, for slopes that differ in it"
            raise ParameterError(message)
        self.features = torch.as_tensor(tail_features(events.ratios, density.reference, elsewhere, self.step))
        own = weights @ self.at
        self.weights = torch.as_tensor(weights / own.sum())
        self.own = torch.as_tensor(own / own.sum())
        self.start = torch.zeros(self.features.shape[1:], dtype=torch.float64)
        self.start[:, 0] = 1.0
        spread = self.features.std(dim=0)
        largest = self.features.abs().amax(dim=0)
        self.free = (spread > _SMALLEST_SPREAD * largest.clamp(min=1.0)) & bool(kind in ("slopes", "tails"))
        scales = density.scales
        self.classes = ClassLikelihood.of(events.monomials, scales, centre, weights) if self.free.any() else None

    def means(self, counts: Tensor) -> tuple[Tensor, Tensor]:
        """Return σ_a/σ_ref `(A,)` and f̄ `(A, J)` of events that are there so many times."""
        total = counts @ self.own
        features = torch.einsum("n,naj->aj", counts * self.own, self.features)
        return counts @ self.weights / total, features / total

    def total(self, free: Tensor, counts: Tensor) -> Tensor:
        """Return the likelihood of the classes at the free slopes."""
        slopes = self.start.clone()
        slopes[self.free] = free
        means, centre = self.means(counts)
        values = means + torch.einsum("naj,aj->na", self.features - centre, slopes)
        norm = values @ torch.as_tensor(self.at)
        # a density at the reference that is not positive is no scale: the floor of the likelihood is for it
        own = values / torch.where(norm > 0, norm, torch.ones_like(norm))[:, None]
        if self.classes is None:
            return torch.zeros((), dtype=torch.float64)
        return self.classes(own, counts).sum()

    def maximum(self) -> Tensor:
        """Return the slopes `(A, J)` of the largest likelihood near 1.

        Raises:
            ParameterError: if it is not found.
        """
        counts = torch.ones(len(self.weights), dtype=torch.float64)
        free = self.start[self.free].clone().requires_grad_()
        if not free.numel():
            return self.start
        optimiser = torch.optim.LBFGS(
            [free], max_iter=_ITERATIONS, tolerance_grad=1e-9, tolerance_change=_TOLERANCE, history_size=50,
            line_search_fn="strong_wolfe",
        )  # fmt: skip

        def loss() -> float:
            optimiser.zero_grad()
            value = -self.total(free, counts)
            value.backward()  # type: ignore[no-untyped-call]
            return float(value.detach())

        optimiser.step(loss)  # type: ignore[no-untyped-call]
        slopes = self.start.clone()
        slopes[self.free] = free.detach()
        if not torch.isfinite(slopes).all():
            message = (
                "the slopes of the calibration have no finite maximum of the likelihood: calibrate with more events"
            )
            raise ParameterError(message)
        return slopes

    def covariance(self, slopes: Tensor) -> Array:
        """Return the covariance of means, shifts and slopes: the sandwich formula, by what each event contributes."""
        counts = torch.ones(len(self.weights), dtype=torch.float64)
        means, centre = self.means(counts)
        of_means = self.weights - self.own[:, None] * means
        of_shift = -self.own[:, None] * ((self.features - centre) * slopes).sum(dim=2)
        of_slopes = torch.zeros((len(counts), *slopes.shape), dtype=torch.float64)
        if self.free.any():
            of_slopes[:, self.free] = self._influence(slopes[self.free], counts)
        each = torch.cat([of_means, of_shift, of_slopes.reshape(len(counts), -1)], dim=1).numpy()
        values: Array = each.T @ each
        return values

    def _influence(self, free: Tensor, counts: Tensor) -> Tensor:
        """Return how much each event moves the free slopes, `(N, P)`: −H⁻¹ ∂(gradient)/∂(its count)."""
        at, number = free.clone().requires_grad_(), counts.clone().requires_grad_()
        (gradient,) = torch.autograd.grad(self.total(at, number), at, create_graph=True)
        rows, columns = [], []
        for part in gradient:
            row, column = torch.autograd.grad(part, (at, number), retain_graph=True)
            rows.append(row)
            columns.append(column)
        hessian = torch.stack(rows)
        size = hessian.diagonal().abs().clamp(min=1e-300).sqrt()
        inverse = torch.linalg.pinv(hessian / torch.outer(size, size), rtol=_SINGULAR, hermitian=True)
        moved: Tensor = -torch.stack(columns, dim=1) @ (inverse / torch.outer(size, size))
        return moved
