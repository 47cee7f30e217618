"""A flow on the unit cube: numbers in [0, 1], some of them periodic, given the conditions of an event.

The numbers u are shifted, where they are periodic, so that a centre û known for each event becomes ½ (a rotation of the
unit circle, which changes no density); then mapped by the logit, standardised and handed to a conditional spline flow:

    log q(u|x) = log q_flow(y|c) + Σ_i log |dy_i/du_i|,   y = s (logit(m + (1 − 2m) v) − μ)/σ,   v = u − û + ½ (mod 1).

The margin m keeps the faces of the cube finite; the flow's probability beyond them is of the order of its tails at five
standard deviations.
"""

from collections.abc import Sequence
from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor, nn

from partonic.config.unfolding import FlowConfig
from partonic.nn.flows.flow import ConditionalFlow, FlowShape, Precision

__all__ = ["CubeFlow"]

_LEVELS = (0.6827, 0.9545)
"""Contents of the regions whose coverage the base of the flow is fitted to."""


class CubeFlow(nn.Module):
    """Density and samples of numbers in the unit cube; numbers are float64, networks float32."""

    mean: Tensor
    scale: Tensor

    def __init__(self, config: FlowConfig, dimensions: int, periodic: Sequence[int], context: int) -> None:
        """Build the flow.

        Args:
            config: sizes of the flow, and how numbers are scaled.
            dimensions: how many numbers, D.
            periodic: which of them are periodic.
            context: length of what the flow is conditioned on.
        """
        super().__init__()
        self.margin = config.logit_margin
        self.data_scale = config.data_scale
        self.centred = tuple(periodic) if config.centre_azimuths else ()
        self.flow = ConditionalFlow(
            dimensions,
            context,
            FlowShape(
                kind=config.kind,
                transforms=config.transforms,
                bins=config.bins,
                hidden=config.hidden,
                bound=config.bound,
                base_scale=config.base_scale,
            ),
        )
        self.register_buffer("mean", torch.zeros(dimensions, dtype=torch.float64))
        self.register_buffer("scale", torch.ones(dimensions, dtype=torch.float64))

    @property
    def base_scale(self) -> float:
        """Standard deviation of the Gaussian base."""
        return self.flow.config.base_scale

    def fit_scale(
        self, numbers: Float[Tensor, "events dimensions"], centre: Float[Tensor, "events dimensions"]
    ) -> None:
        """Set means and standard deviations from the numbers of training events and their centres."""
        values = self._logit(self._centre(numbers, centre))
        self.mean.copy_(values.mean(dim=0))
        self.scale.copy_(values.std(dim=0).clamp(min=1e-6))

    @torch.no_grad()
    def fit_base_scale(
        self,
        numbers: Float[Tensor, "events dimensions"],
        centre: Float[Tensor, "events dimensions"],
        known: Float[Tensor, "events known"],
    ) -> float:
        """Widen or narrow the base until it fits events that the flow was not trained on, and return its scale.

        A flow that knows its training events too well maps others to |z|²/s² that is too large for its base. The scale
        chosen makes the larger error of the coverages of the regions |z| < r that should hold 68.3% and 95.4% as small
        as it can be; samples and density follow it exactly.
        """
        base, _ = self.flow(self._encode(self._centre(numbers, centre))[0], self.context(centre, known))
        radii = base.double().square().sum(dim=-1)
        degrees = torch.full_like(radii, 0.5 * base.shape[1])
        scales = (self.base_scale * torch.linspace(0.8, 1.25, 226, dtype=torch.float64)).tolist()
        errors = []
        for scale in scales:
            content = torch.special.gammainc(degrees, 0.5 * radii / scale**2)
            errors.append(max(abs(float((content < level).double().mean()) - level) for level in _LEVELS))
        best = scales[errors.index(min(errors))]
        self.flow.config = replace(self.flow.config, base_scale=best)
        return float(best)

    def context(
        self, centre: Float[Tensor, "events dimensions"], known: Float[Tensor, "events known"]
    ) -> Float[Tensor, "events context"]:
        """Return what the flow is conditioned on, float32: here what is known of the events, as it is."""
        return known

    def log_density(
        self,
        numbers: Float[Tensor, "events dimensions"],
        centre: Float[Tensor, "events dimensions"],
        known: Float[Tensor, "events known"],
    ) -> Float[Tensor, " events"]:
        """Return log q(u|x) with respect to du, float64; differentiable.

        Args:
            numbers: points of the cube.
            centre: of the periodic numbers of each event; the others do not matter here.
            known: what is known of the events.
        """
        values, log_jacobian = self._encode(self._centre(numbers, centre))
        return self.flow.log_prob(values, self.context(centre, known)).double() + log_jacobian

    def sample(
        self,
        centre: Float[Tensor, "events dimensions"],
        known: Float[Tensor, "events known"],
        samples: int,
        generator: torch.Generator,
        precision: Precision = "float32",
    ) -> tuple[Float[Tensor, "events samples dimensions"], Float[Tensor, "events samples"]]:
        """Draw numbers for each event, with log q(u|x); without gradients."""
        values, log_prob = self.flow.sample_and_log_prob(
            self.context(centre, known), samples, generator, precision=precision
        )
        numbers, log_jacobian = self._decode(values, centre[:, None])
        return numbers, log_prob.double() + log_jacobian

    def transport(
        self,
        centre: Float[Tensor, "events dimensions"],
        known: Float[Tensor, "events known"],
        noise: Float[Tensor, "events samples dimensions"],
        precision: Precision = "float32",
    ) -> tuple[Float[Tensor, "events samples dimensions"], Float[Tensor, "events samples"]]:
        """Map base numbers of the flow to the unit cube, with log |d(noise)/du|; without gradients.

        Base numbers that the margin maps beyond the faces of the cube come back on the face with +inf: the cube has
        no such point, so that the weight f/q of an integrand over the cube is zero there, and densities within stay
        exact.
        """
        values, log_det = self.flow.transport(noise, self.context(centre, known), precision)
        centred, log_jacobian = self._centred(values)
        beyond = ((centred < 0.0) | (centred > 1.0)).any(dim=-1)
        numbers = self._uncentre(centred.clamp(0.0, 1.0), centre[:, None])
        return numbers, (log_det.double() + log_jacobian).masked_fill(beyond, torch.inf)

    def rsample(
        self,
        centre: Float[Tensor, "events dimensions"],
        known: Float[Tensor, "events known"],
        generator: torch.Generator,
    ) -> Float[Tensor, "events dimensions"]:
        """Draw one set of numbers for each event, differentiable in everything (reparametrised)."""
        values, _ = self.flow.rsample(self.context(centre, known), generator)
        return self._decode(values, centre)[0]

    def _encode(self, centred: Tensor) -> tuple[Tensor, Tensor]:
        """Return the flow's variables (float32) of centred numbers, and Σ log |dy/du|."""
        inside = self.margin + (1.0 - 2.0 * self.margin) * centred.clamp(0.0, 1.0)
        stretch = self.data_scale / self.scale
        log_slope = torch.log(stretch * (1.0 - 2.0 * self.margin)) - torch.log(inside) - torch.log1p(-inside)
        values = (torch.logit(inside) - self.mean) * stretch
        return values.to(next(self.flow.parameters()).dtype), log_slope.sum(dim=-1)

    def _decode(self, values: Tensor, centre: Tensor) -> tuple[Tensor, Tensor]:
        """Return the numbers of the flow's variables, and Σ log |dy/du|."""
        centred, log_slope = self._centred(values)
        return self._uncentre(centred.clamp(0.0, 1.0), centre), log_slope

    def _centred(self, values: Tensor) -> tuple[Tensor, Tensor]:
        """Return the centred numbers of the flow's variables, a little outside of [0, 1] beyond the margin."""
        stretch = self.data_scale / self.scale
        logits = values.double() / stretch + self.mean
        log_slope = torch.log(stretch * (1.0 - 2.0 * self.margin)) + _log_inverse_logistic(logits)
        return (torch.sigmoid(logits) - self.margin) / (1.0 - 2.0 * self.margin), log_slope.sum(dim=-1)

    def _logit(self, numbers: Tensor) -> Tensor:
        return torch.logit(self.margin + (1.0 - 2.0 * self.margin) * numbers.clamp(0.0, 1.0))

    def _centre(self, numbers: Tensor, centre: Tensor) -> Tensor:
        return self._shifted(numbers, 0.5 - centre)

    def _uncentre(self, numbers: Tensor, centre: Tensor) -> Tensor:
        return self._shifted(numbers, centre - 0.5)

    def _shifted(self, numbers: Tensor, shift: Tensor) -> Tensor:
        if not self.centred:
            return numbers
        columns, shifts = list(numbers.unbind(dim=-1)), shift.unbind(dim=-1)
        for i in self.centred:
            columns[i] = torch.remainder(columns[i] + shifts[i], 1.0)
        return torch.stack(columns, dim=-1)


def _log_inverse_logistic(logits: Tensor) -> Tensor:
    """Return log |d logit(p)/dp| = −log p − log(1 − p) at p = sigmoid(logits), without cancellation."""
    return nn.functional.softplus(logits) + nn.functional.softplus(-logits)
