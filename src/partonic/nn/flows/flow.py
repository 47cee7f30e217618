"""Conditional normalizing flow: an invertible map x ↔ z under a condition, with a Gaussian base for z.

ln q(x | c) = Σ_i ln N(z_i; 0, base_scale) + ln |∂z/∂x|, where z is x after spline transforms one after another. In an
autoregressive flow the numbers condition each other in ascending and descending order by turns; in a coupling flow the
two halves take turns.
"""

import math
from dataclasses import dataclass
from typing import Any, Literal, Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor, nn

from partonic.errors import ConfigError
from partonic.nn.flows.autoregressive import AutoregressiveTransform
from partonic.nn.flows.coupling import CouplingTransform
from partonic.nn.flows.elementwise import TransformName

__all__ = ["ConditionalFlow", "FlowShape", "Precision"]

Precision = Literal["float32", "bfloat16"]
"""Precision of the networks when sampling without gradient."""

CHUNK = 65_536
"""Samples that a coupling flow draws at once; bounds the memory."""


@dataclass(frozen=True)
class FlowShape:
    """Sizes of a flow."""

    kind: Literal["autoregressive", "coupling"] = "autoregressive"
    """Autoregressive flows are more precise per weight; coupling flows sample as fast as they evaluate."""

    transforms: int = 6
    """Spline transforms one after another."""

    bins: int = 40
    """Bins of each spline."""

    hidden: tuple[int, ...] = (512, 512)
    """Hidden units of the network of each transform."""

    bound: float = 5.0
    """The splines act in [−bound, bound]; beyond, the transform is the identity."""

    base_scale: float = 1.0
    """Standard deviation of the Gaussian base."""

    transform: TransformName = "rational_quadratic"
    """How a number moves; autoregressive flows know rational-quadratic splines only."""

    def __post_init__(self) -> None:
        if self.transforms < 1 or self.bins < 2 or not self.hidden or min(self.hidden) < 1:
            message = f"a flow needs at least 1 transform, 2 bins and 1 hidden layer with 1 unit, got {self}"
            raise ConfigError(message)
        if not (0.0 < self.bound < math.inf and 0.0 < self.base_scale < math.inf):
            message = f"the bound and the base scale of a flow must be positive and finite, got {self}"
            raise ConfigError(message)
        if self.kind == "autoregressive" and self.transform != "rational_quadratic":
            message = "an autoregressive flow has rational-quadratic splines; take kind 'coupling' for the transform"
            raise ConfigError(f"{message} '{self.transform}'")


@runtime_checkable
class _Sampler(Protocol):
    """What draws from a flow without gradient."""

    def sample_and_log_prob(self, context: Tensor, samples: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Draw `samples` x for each condition, with their log-density."""

    def transport(self, noise: Tensor, context: Tensor) -> tuple[Tensor, Tensor]:
        """Return x for given base numbers, with ln |∂z/∂x|."""


class ConditionalFlow(nn.Module):
    """Density of D numbers under a condition of C numbers, that can be evaluated and sampled."""

    def __init__(
        self, features: int, context: int, config: FlowShape, generator: torch.Generator | None = None
    ) -> None:
        """Build the transforms.

        Args:
            features: how many numbers, D.
            context: length of the condition, C; may be 0.
            config: sizes.
            generator: source of the first weights; torch's global one if None.

        Raises:
            ConfigError: if there are too few numbers for the kind of flow, or the context is negative.
        """
        super().__init__()
        smallest = 2 if config.kind == "coupling" else 1
        if features < smallest or context < 0:
            message = f"a flow of kind '{config.kind}' needs features ≥ {smallest} and context ≥ 0"
            raise ConfigError(f"{message}, got features={features}, context={context}")
        self.features = features
        self.context = context
        self.config = config
        self._kept_sampler: tuple[Precision, object, _Sampler] | None = None
        self.transforms = nn.ModuleList(self._transform(place, generator) for place in range(config.transforms))

    def _transform(self, place: int, generator: torch.Generator | None) -> AutoregressiveTransform | CouplingTransform:
        config = self.config
        upwards = place % 2 == 0
        if config.kind == "coupling":
            kept = [(feature < self.features // 2) == upwards for feature in range(self.features)]
            sizes = (config.hidden, config.bins, config.bound)
            return CouplingTransform(kept, self.context, *sizes, generator, config.transform)
        order = range(self.features) if upwards else range(self.features - 1, -1, -1)
        return AutoregressiveTransform(order, self.context, config.hidden, config.bins, config.bound, generator)

    def forward(
        self, x: Float[Tensor, "n features"], context: Float[Tensor, "n context"]
    ) -> tuple[Float[Tensor, "n features"], Float[Tensor, "n"]]:
        """Return z and ln |∂z/∂x|. Differentiable."""
        columns: Tensor = x.T.contiguous()
        condition = context.T.contiguous()
        log_det = x.new_zeros(len(x))
        for transform in self.transforms:
            columns, term = transform(columns, condition)
            log_det = log_det + term
        return columns.T, log_det

    def inverse(
        self, z: Float[Tensor, "n features"], context: Float[Tensor, "n context"]
    ) -> tuple[Float[Tensor, "n features"], Float[Tensor, "n"]]:
        """Return x and ln |∂x/∂z|. Differentiable."""
        columns, condition = z.T.contiguous(), context.T.contiguous()
        log_det = z.new_zeros(len(z))
        for transform in reversed(self.transforms):
            if isinstance(transform, AutoregressiveTransform | CouplingTransform):
                columns, term = transform.inverse(columns, condition)
                log_det = log_det + term
        return columns.T, log_det

    def base_log_prob(self, z: Float[Tensor, "*batch features"]) -> Float[Tensor, "*batch"]:
        """Return the log-density of the Gaussian base."""
        scale = self.config.base_scale
        constant = self.features * (math.log(scale) + 0.5 * math.log(2.0 * math.pi))
        log_density: Tensor = (z / scale).square().sum(dim=-1) * -0.5 - constant
        return log_density

    def log_prob(self, x: Float[Tensor, "n features"], context: Float[Tensor, "n context"]) -> Float[Tensor, "n"]:
        """Return ln q(x | context). Differentiable."""
        z, log_det = self.forward(x, context)
        return self.base_log_prob(z) + log_det

    def rsample(
        self, context: Float[Tensor, "n context"], generator: torch.Generator
    ) -> tuple[Float[Tensor, "n features"], Float[Tensor, "n"]]:
        """Draw x for each condition and return it with ln q(x | context).

        Both are differentiable with respect to the context and the weights, at fixed base noise.
        """
        z = self._noise(len(context), context, generator)
        x, log_det = self.inverse(z, context)
        return x, self.base_log_prob(z) - log_det

    @torch.no_grad()
    def sample_and_log_prob(
        self,
        context: Float[Tensor, "n context"],
        samples: int,
        generator: torch.Generator,
        precision: Precision = "float32",
    ) -> tuple[Float[Tensor, "n samples features"], Float[Tensor, "n samples"]]:
        """Draw `samples` x for each condition, with ln q(x | context). No gradient.

        Args:
            context: conditions.
            samples: how many for each.
            generator: source of the base noise.
            precision: of the networks. In ``bfloat16`` the density is that of the distribution drawn from, which
                differs slightly from that of `log_prob`.
        """
        if self.config.kind == "autoregressive":
            return self._sampler(precision).sample_and_log_prob(context, samples, generator)
        z = self._noise(len(context) * samples, context, generator).view(len(context), samples, self.features)
        x, log_det = self.transport(z, context, precision)
        return x, self.base_log_prob(z) + log_det

    @torch.no_grad()
    def transport(
        self,
        noise: Float[Tensor, "n samples features"],
        context: Float[Tensor, "n context"],
        precision: Precision = "float32",
    ) -> tuple[Float[Tensor, "n samples features"], Float[Tensor, "n samples"]]:
        """Return x for given base numbers z, with ln |∂z/∂x|, whatever density they were drawn from. No gradient.

        Args:
            noise: base numbers.
            context: conditions.
            precision: of the networks, as for `sample_and_log_prob`.
        """
        if self.config.kind == "autoregressive":
            return self._sampler(precision).transport(noise, context)
        rows = context.repeat_interleave(noise.shape[1], dim=0)
        pieces = []
        for part, condition in zip(torch.split(noise.flatten(0, 1), CHUNK), torch.split(rows, CHUNK), strict=True):
            with torch.autocast(context.device.type, torch.bfloat16, enabled=precision == "bfloat16"):
                x, log_det = self.inverse(part, condition)
            pieces.append((x, -log_det))
        x, log_det = (torch.cat(parts) for parts in zip(*pieces, strict=True))
        return x.view(noise.shape), log_det.view(noise.shape[:2])

    def _sampler(self, precision: Precision) -> "_Sampler":
        """Return a sampler with the present weights; kept until they change."""
        from partonic.nn.flows.incremental import IncrementalSampler

        state = tuple((weights._version, weights.data_ptr(), weights.dtype) for weights in self.parameters())
        if self._kept_sampler is None or self._kept_sampler[:2] != (precision, state):
            self._kept_sampler = (precision, state, IncrementalSampler(self, precision))
        return self._kept_sampler[2]

    def __getstate__(self) -> dict[str, Any]:
        """Leave out the sampler, which a copy makes anew."""
        return {**self.__dict__, "_kept_sampler": None}

    def _noise(self, rows: int, context: Tensor, generator: torch.Generator) -> Tensor:
        shape = (rows, self.features)
        noise = torch.randn(shape, generator=generator, dtype=context.dtype, device=generator.device)
        return noise.to(context.device) * self.config.base_scale
