"""A coupling transform: half of the numbers is kept and says how the other half moves, usually by splines.

Both directions take one pass of a plain network (Dinh et al., arXiv:1605.08803, with splines: arXiv:1906.04032).
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor, nn

from partonic.nn.flows.elementwise import TransformName, elementwise
from partonic.nn.linear import is_fused, linear

__all__ = ["CouplingTransform"]


class CouplingTransform(nn.Module):
    """One coupling transform of D numbers under a condition."""

    kept: Tensor
    moved: Tensor

    def __init__(
        self,
        kept: Sequence[bool],
        context: int,
        hidden: Sequence[int],
        bins: int,
        bound: float,
        generator: torch.Generator | None = None,
        transform: TransformName = "rational_quadratic",
    ) -> None:
        """Build the network.

        Args:
            kept: for each number, whether it stays and conditions the others.
            context: length of the context.
            hidden: units of each hidden layer.
            bins: bins of the splines.
            bound: the splines act in [−bound, bound].
            generator: source of the first weights; torch's global one if None.
            transform: how a number moves.
        """
        super().__init__()
        keeps = torch.tensor(kept)
        self.register_buffer("kept", keeps.nonzero()[:, 0], persistent=False)
        self.register_buffer("moved", (~keeps).nonzero()[:, 0], persistent=False)
        self.moves = elementwise(transform, bins, bound)
        sizes = (len(self.kept) + context, *hidden, len(self.moved) * self.moves.parameters)
        layers = [_dense(inputs, outputs, generator) for inputs, outputs in pairwise(sizes)]
        self.layers = nn.ModuleList(layers)

    def forward(
        self, x: Float[Tensor, "features n"], context: Float[Tensor, "context n"]
    ) -> tuple[Float[Tensor, "features n"], Float[Tensor, "n"]]:
        """Return z and ln |∂z/∂x|; events are columns."""
        moved, log_derivative = self.moves.forward(x[self.moved], self._raw(x, context))
        return x.index_copy(0, self.moved, moved), log_derivative.sum(dim=0)

    def inverse(
        self, z: Float[Tensor, "features n"], context: Float[Tensor, "context n"]
    ) -> tuple[Float[Tensor, "features n"], Float[Tensor, "n"]]:
        """Return x and ln |∂x/∂z|; events are columns. Differentiable."""
        moved, log_derivative = self.moves.inverse(z[self.moved], self._raw(z, context))
        return z.index_copy(0, self.moved, moved), -log_derivative.sum(dim=0)

    def _raw(self, values: Tensor, context: Tensor) -> Tensor:
        hidden = torch.cat((values[self.kept], context))
        raw = (self._raw_by_rows if is_fused(hidden) else self._raw_by_columns)(hidden).to(values.dtype)
        return raw.view(len(self.moved), -1, values.shape[1])

    def _raw_by_columns(self, hidden: Tensor) -> Tensor:
        for layer in self.layers[:-1]:
            hidden = torch.relu_(_columns(layer, hidden))
        return _columns(self.layers[-1], hidden)

    def _raw_by_rows(self, hidden: Tensor) -> Tensor:
        """Return the same: oneDNN wants rows, and is faster with two transpositions than the other without."""
        rows, last = hidden.t(), len(self.layers) - 1
        for number, layer in enumerate(self.layers):
            rows = linear(cast("nn.Linear", layer), rows, relu=number < last)
        return rows.t().contiguous()


def _columns(layer: nn.Module, inputs: Tensor) -> Tensor:
    """Apply a linear layer to columns."""
    return torch.addmm(layer.get_parameter("bias")[:, None], layer.get_parameter("weight"), inputs)


def _dense(inputs: int, outputs: int, generator: torch.Generator | None) -> nn.Module:
    """Return a linear layer with weights uniform in ±1/√inputs."""
    layer: nn.Module = nn.utils.skip_init(nn.Linear, inputs, outputs)  # type: ignore[no-untyped-call]
    limit = inputs**-0.5
    for parameter in layer.parameters():
        nn.init.uniform_(parameter, -limit, limit, generator=generator)
    return layer
