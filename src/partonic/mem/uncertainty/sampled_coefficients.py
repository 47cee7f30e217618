"""Integrals of networks with drawn weights, at points of the integral with the trained weights.

A set s of weights changes the integrand by ρ_s(z) = ε_s(z) p_s(x|z)/(ε(z) p_T(x|z)). With the weights w_i of the points
that were kept (`partonic.mem.uncertainty.chosen_points`), Y_a = Σ_i w_i c_a(z_i) and Y_a^s = Σ_i w_i ρ_s(z_i) c_a(z_i),

    R_a^s = R_a + Y_a^s/Y_0^s − Y_a/Y_0,    ln P_0^s = ln P_0 + ln(Y_0^s/Y_0),

so that what the points do not know cancels where ρ_s = 1: all sets have common random numbers. The variance of the
difference is Σ_i d_i² with d_i = w_i ρ_s (c_a − c_0 Y_a^s/Y_0^s)/Y_0^s − w_i (c_a − c_0 Y_a/Y_0)/Y_0, of the points of
the integral and of the choice among them together.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

from partonic.events.batch import RecoEvents
from partonic.inference.coefficients.diagnostics import Diagnostics
from partonic.inference.coefficients.event_coefficients import EventCoefficients
from partonic.inference.coefficients.weight_samples import WeightSamples
from partonic.mem.protocols import Acceptance, PartonMap, TransferDensity
from partonic.mem.uncertainty.chosen_points import KeptPoints

__all__ = ["NetworkPair", "SampledCoefficients", "sampled_coefficients"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class NetworkPair:
    """Transfer function and acceptance."""

    transfer: TransferDensity
    acceptance: Acceptance

    def log_density(
        self, x: RecoEvents, momenta: Float[Tensor, "events points partons 4"]
    ) -> Float[Tensor, "events points"]:
        """Return log ε(z) p_T(x|z), float64."""
        log_acceptance = self.acceptance.log_probability(momenta.flatten(0, 1)).double().cpu()
        return self.transfer.log_density(x, momenta).double().cpu() + log_acceptance.view(momenta.shape[:2])


@dataclass(frozen=True)
class SampledCoefficients:
    """What S sets of weights say of N events.

    Attributes:
        samples: their coefficients; those of the trained weights where a set has no positive P_0.
        noise_share: part of the variance over the sets that is noise of the points, largest of all a, `(N,)`.
        effective_size: effective number of points of a set, median over the sets, `(N,)`.
        missing: number of sets without a positive P_0, `(N,)`.
    """

    samples: WeightSamples
    noise_share: Array
    effective_size: Array
    missing: NDArray[np.int64]

    def of(self, coefficients: EventCoefficients) -> EventCoefficients:
        """Return coefficients with these samples of those events that have coefficients, and diagnostics of them."""
        good = coefficients.usable()
        whole = {
            name: _filled(values, good)
            for name, values in (("ratios", self.samples.ratios), ("log_reference", self.samples.log_reference))
        }
        own = {name: _filled(getattr(self, name), good) for name in ("noise_share", "effective_size")}
        missing = np.zeros(len(good), dtype=np.int64)
        missing[good] = self.missing
        columns = {f"sample_{name}": values for name, values in (own | {"missing": missing}).items()}
        diagnostics = Diagnostics({**coefficients.diagnostics.columns, **columns})
        return replace(coefficients, samples=WeightSamples(**whole), diagnostics=diagnostics)


def sampled_coefficients(
    x: RecoEvents,
    points: KeptPoints,
    view: PartonMap,
    trained: NetworkPair,
    drawn: Sequence[NetworkPair],
    known: tuple[Array, Array],
) -> SampledCoefficients:
    """Return the coefficients of events with each of the drawn networks.

    Args:
        x: N events.
        points: of their integrals.
        view: map of the unit cube to partons.
        trained: the networks of the integrals.
        drawn: the same with other weights, S of them.
        known: ratios `(N, A)` and log P_0 `(N,)` of the integrals.
    """
    momenta = view.partons(points.numbers.flatten(0, 1))[0].momenta
    momenta = momenta.view(*points.numbers.shape[:2], *momenta.shape[1:])
    before = trained.log_density(x, momenta)
    shift = points.log_weight.amax(dim=1, keepdim=True).clamp(min=torch.finfo(torch.float64).min)
    weights = (points.log_weight - shift).exp()
    central = _Ratios.of(weights, points.coefficients)
    ratios, logs, noise, sizes = [], [], [], []
    for pair in drawn:
        change = torch.where(points.log_weight > -torch.inf, pair.log_density(x, momenta) - before, -torch.inf)
        top = change.amax(dim=1, keepdim=True).clamp(min=torch.finfo(torch.float64).min)
        found = _Ratios.of(weights * (change - top).exp(), points.coefficients)
        ratios.append(found.ratios - central.ratios)
        logs.append((found.total / central.total).log() + top[:, 0])
        noise.append((found.influence - central.influence).square().sum(dim=1))
        sizes.append(found.effective_size)
    return _collected(known, [torch.stack(each, dim=1).numpy() for each in (ratios, logs, noise, sizes)])


def _filled(values: Array, good: NDArray[np.bool_]) -> Array:
    """Return values of all events, NaN where there are none."""
    whole = np.full((len(good), *values.shape[1:]), np.nan)
    whole[good] = values
    return whole


@dataclass(frozen=True)
class _Ratios:
    """Self-normalised sums over points.

    Attributes:
        total: Y_0; NaN where it is not positive, `(N,)`.
        ratios: Y_a/Y_0, `(N, A)`.
        influence: of each point on the ratios, `(N, M, A)`.
        effective_size: of the points, `(N,)`.
    """

    total: Tensor
    ratios: Tensor
    influence: Tensor
    effective_size: Tensor

    @classmethod
    def of(cls, weights: Tensor, coefficients: Tensor) -> "_Ratios":
        terms = weights[..., None] * coefficients
        sums = terms.sum(dim=1)
        total = torch.where(sums[:, 0] > 0, sums[:, 0], torch.nan)
        ratios = sums / total[:, None]
        first = terms[..., :1]
        influence = (terms - first * ratios[:, None]) / total[:, None, None]
        squares = first.square().sum(dim=(1, 2)).clamp(min=torch.finfo(torch.float64).tiny)
        return cls(total, ratios, influence, first.abs().sum(dim=(1, 2)).square() / squares)


def _collected(known: tuple[Array, Array], found: Sequence[Array]) -> SampledCoefficients:
    ratios, log_reference = known
    shifts, logs, noise, sizes = found
    good = np.isfinite(logs) & np.isfinite(shifts).all(axis=-1)
    of_samples = ratios[:, None] + np.where(good[..., None], shifts, 0.0)
    of_samples[..., 0] = ratios[:, None, 0]
    spread = of_samples.var(axis=1, ddof=1) if of_samples.shape[1] > 1 else np.zeros_like(ratios)
    noise = np.where(good[..., None], noise, 0.0).mean(axis=1)
    share = np.divide(noise, spread, out=np.zeros_like(noise), where=spread > 0).max(axis=-1)
    samples = WeightSamples(of_samples, log_reference[:, None] + np.where(good, logs, 0.0))
    return SampledCoefficients(samples, share, np.median(sizes, axis=1), (~good).sum(axis=1).astype(np.int64))
