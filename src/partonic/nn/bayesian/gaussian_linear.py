"""Linear layers whose weights are independent Gaussians (mean field), trained by flipout.

Weights w = μ + σ ε are drawn once for a step, and every row sees them with signs of its own, ΔW → ΔW ∘ s rᵀ, which
decorrelates the rows of a batch (Y. Wen et al., arXiv:1803.04386, eq. 4). The loss of N events gets the divergence from
the prior, KL/N (A. Graves, NeurIPS 2011; C. Blundell et al., arXiv:1505.05424):

    KL = Σ [ln(p/σ) + (σ² + μ²)/(2p²) − ½].

The width p of the prior is given, or that which makes the divergence of each tensor of weights smallest,
p² = ⟨σ² + μ²⟩ (empirical Bayes), so that KL = Σ ln(p/σ).
"""

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["LOG_DEVIATIONS", "GaussianLinear", "bayesian", "divergence", "drawing", "means_and_deviations"]

LOG_DEVIATIONS = {"weight_log_deviation": "weight", "bias_log_deviation": "bias"}
"""Parameters of a layer that hold ln σ, and those that hold the μ of the same weights."""


class GaussianLinear(nn.Linear):
    """A linear layer with Gaussian weights: `weight` and `bias` are the means.

    Attributes:
        weight_log_deviation, bias_log_deviation: ln σ, of the shapes of `weight` and `bias`.
        generator: where the noise comes from; None for the means alone.
    """

    def __init__(self, inputs: int, outputs: int, deviation: float) -> None:
        """Create the layer with σ = deviation/√inputs.

        Args:
            inputs: numbers of a row.
            outputs: numbers that are made of them.
            deviation: first standard deviation of an output that is made of inputs of size 1.
        """
        super().__init__(inputs, outputs)
        start = math.log(deviation) - 0.5 * math.log(inputs)
        self.weight_log_deviation = nn.Parameter(torch.full_like(self.weight, start))
        self.bias_log_deviation = nn.Parameter(torch.full_like(self.bias, start))
        self.generator: torch.Generator | None = None

    @classmethod
    def of(cls, layer: nn.Linear, deviation: float) -> "GaussianLinear":
        """Return the layer whose means are the weights of a plain one.

        Raises:
            ValueError: if it has no bias.
        """
        if layer.bias is None:
            message = "a Gaussian layer has a bias, the one given has none: give it one"
            raise ValueError(message)
        made = cls(layer.in_features, layer.out_features, deviation)
        made.load_state_dict(layer.state_dict(), strict=False)
        return made.to(layer.weight)

    def forward(self, inputs: Float[Tensor, "*rows inputs"]) -> Float[Tensor, "*rows outputs"]:
        """Return the outputs, with weights drawn anew where there is a generator.

        Rows of a matrix have signs of their own. Of a tensor with more dimensions it is the entries of the first: the
        objects of one event see the same weights.
        """
        outputs = functional.linear(inputs, self.weight, self.bias)
        return outputs if self.generator is None else outputs + self._change(inputs, self.generator)

    def divergence(self, prior: float | None) -> Float[Tensor, ""]:
        """Return KL from a Gaussian prior of width `prior`, or from that of the best width; a scalar."""
        pairs = ((self.weight, self.weight_log_deviation), (self.bias, self.bias_log_deviation))
        return torch.stack([_divergence(mean, log_deviation, prior) for mean, log_deviation in pairs]).sum()

    def _change(self, inputs: Tensor, generator: torch.Generator) -> Tensor:
        weight = self._noise(self.weight_log_deviation, generator)
        bias = self._noise(self.bias_log_deviation, generator)
        between = [1] * (inputs.dim() - 2)
        signs = [
            torch.randint(0, 2, (len(inputs), *between, size), generator=generator, device=generator.device)
            for size in (self.in_features, self.out_features)
        ]
        before, after = (2.0 * sign.to(inputs) - 1.0 for sign in signs)
        return functional.linear(inputs * before, weight, bias) * after

    @staticmethod
    def _noise(log_deviation: Tensor, generator: torch.Generator) -> Tensor:
        noise = torch.randn(log_deviation.shape, generator=generator, device=generator.device)
        return log_deviation.exp() * noise.to(log_deviation)


def bayesian(module: nn.Module, deviation: float) -> nn.Module:
    """Give all linear layers of a network Gaussian weights, in place, and return the network.

    Args:
        module: its weights become the means.
        deviation: see `GaussianLinear`.
    """
    for parent in list(module.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, nn.Linear) and not isinstance(child, GaussianLinear):
                setattr(parent, name, GaussianLinear.of(child, deviation))
    return module


@contextmanager
def drawing(module: nn.Module, generator: torch.Generator) -> Iterator[None]:
    """Within the block, Gaussian layers of `module` draw their weights."""
    layers = _layers(module)
    for layer in layers:
        layer.generator = generator
    try:
        yield
    finally:
        for layer in layers:
            layer.generator = None


def divergence(module: nn.Module, prior: float | None) -> Float[Tensor, ""]:
    """Return the sum of the KL of all Gaussian layers, a scalar; arguments as `GaussianLinear.divergence`."""
    return torch.stack([layer.divergence(prior) for layer in _layers(module)]).sum()


def means_and_deviations(state: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Part the state of a network with Gaussian layers into that of the plain one, and the σ of its weights by name."""
    means, deviations = {}, {}
    for name, values in state.items():
        place, _, last = name.rpartition(".")
        if last in LOG_DEVIATIONS:
            deviations[f"{place}.{LOG_DEVIATIONS[last]}" if place else LOG_DEVIATIONS[last]] = values.exp()
        else:
            means[name] = values
    return means, deviations


def _layers(module: nn.Module) -> list[GaussianLinear]:
    return [layer for layer in module.modules() if isinstance(layer, GaussianLinear)]


def _divergence(mean: Tensor, log_deviation: Tensor, prior: float | None) -> Tensor:
    square = mean.square() + (2.0 * log_deviation).exp()
    if prior is None:
        return (0.5 * square.mean().log() - log_deviation).sum()
    return (math.log(prior) - log_deviation + 0.5 * square / prior**2 - 0.5).sum()
