"""Laplace's approximation for last layers: the curvature of the loss in their weights, as Kronecker factors.

Near the minimum of the loss Σ_events ℓ, which is a negative log-likelihood, the weights W of a linear layer with inputs
h (and a 1 for the bias) are Gaussian with the precision Σ_rows (h hᵀ) ⊗ (g gᵀ) + 1/p², g being the derivative of ℓ in
the outputs of a row. With the means A of h hᵀ and G of g gᵀ over R rows this is R A ⊗ G + 1/p² (H. Ritter et al., ICLR
2018; E. Daxberger et al., arXiv:2106.14806), diagonal in the eigenvectors of A and G. Layers are independent of each
other. The width p of the prior is given, or the root mean square of the weights of the layer.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from partonic.nn.bayesian.posterior import LaplacePosterior

__all__ = ["laplace_posterior"]

Batch = Mapping[str, Tensor]


@dataclass
class _Curvature:
    """Sums of h hᵀ and g gᵀ of one layer."""

    layer: nn.Linear
    inputs: Tensor = field(init=False)
    outputs: Tensor = field(init=False)
    rows: int = 0

    def __post_init__(self) -> None:
        device = self.layer.weight.device
        sizes = (self.layer.in_features + 1, self.layer.out_features)
        self.inputs, self.outputs = (torch.zeros(n, n, dtype=torch.float64, device=device) for n in sizes)

    def watch(self) -> RemovableHandle:
        """Take part in forward and backward passes until the handle is removed."""
        return self.layer.register_forward_hook(self._forward)

    def _forward(self, layer: nn.Module, inputs: tuple[Tensor, ...], outputs: Tensor) -> None:
        outputs.register_hook(partial(self._backward, inputs[0].detach()))  # type: ignore[no-untyped-call]

    def _backward(self, inputs: Tensor, slopes: Tensor) -> None:
        rows = nn.functional.pad(inputs.flatten(0, -2).double(), (0, 1), value=1.0)
        slopes = slopes.detach().flatten(0, -2).double()
        self.inputs += rows.T @ rows
        self.outputs += slopes.T @ slopes
        self.rows += len(rows)

    def factors(self, prior: float | None) -> tuple[Tensor, Tensor, Tensor]:
        """Return U_G, U_A and the standard deviations in the basis of eigenvectors."""
        count = max(self.rows, 1)
        of_inputs, basis_inputs = torch.linalg.eigh(self.inputs / count)
        of_outputs, basis_outputs = torch.linalg.eigh(self.outputs / count)
        width = float(self.layer.weight.detach().double().square().mean().sqrt()) if prior is None else prior
        curvature = count * of_outputs.clamp(min=0.0)[:, None] * of_inputs.clamp(min=0.0)[None]
        deviation = (curvature + width**-2).rsqrt()
        return basis_outputs.float().cpu(), basis_inputs.float().cpu(), deviation.float().cpu()


def laplace_posterior(
    layers: Mapping[str, nn.Linear],
    losses: Callable[[Batch], Float[Tensor, " events"]],
    batches: Iterable[Batch],
    seed: int,
    prior: float | None = None,
) -> LaplacePosterior:
    """Return the posterior of some linear layers of a trained network.

    Args:
        layers: by their names in the network.
        losses: negative log-likelihood of each event of a batch, through the layers.
        batches: of all events of the training.
        seed: root seed of the draws.
        prior: width p of the prior; None for the root mean square of the weights of each layer.
    """
    curvatures = {name: _Curvature(layer) for name, layer in layers.items()}
    handles = [curvature.watch() for curvature in curvatures.values()]
    try:
        for batch in batches:
            with torch.enable_grad():
                total = losses(batch).sum()
            torch.autograd.grad(total, [layer.weight for layer in layers.values()], allow_unused=True)
    finally:
        for handle in handles:
            handle.remove()
    found = {name: curvature.factors(prior) for name, curvature in curvatures.items()}
    outputs, inputs, deviations = ({name: values[part] for name, values in found.items()} for part in range(3))
    return LaplacePosterior(seed, outputs, inputs, deviations)
