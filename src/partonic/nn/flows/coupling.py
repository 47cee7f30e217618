"""A coupling spline transform: half of the numbers is kept and conditions the splines of the other half.

Both directions take one pass of a plain network (Dinh et al., arXiv:1605.08803, with splines: arXiv:1906.04032).
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from partonic.nn.flows.spline import spline_forward, spline_inverse, spline_parameters

__all__ = ["CouplingTransform"]


class CouplingTransform(nn.Module):
    """One coupling transform of D numbers under a condition."""

    def __init__(
        self,
        kept: Sequence[bool],
        context: int,
        hidden: Sequence[int],
        bins: int,
        bound: float,
        generator: torch.Generator | None = None,
    ) -> None:
        """Build the network.

        Args:
            kept: for each number, whether it stays and conditions the others.
            context: length of the context.
            hidden: units of each hidden layer.
            bins: bins of the splines.
            bound: the splines act in [−bound, bound].
            generator: source of the first weights; torch's global one if None.
        """
        super().__init__()
        self.kept = [feature for feature, keep in enumerate(kept) if keep]
        self.moved = [feature for feature, keep in enumerate(kept) if not keep]
        self.bound = bound
        sizes = (len(self.kept) + context, *hidden, len(self.moved) * spline_parameters(bins))
        layers = [_dense(inputs, outputs, generator) for inputs, outputs in zip(sizes[:-1], sizes[1:], strict=True)]
        self.layers = nn.ModuleList(layers)

    def forward(
        self, x: Float[Tensor, "n features"], context: Float[Tensor, "n context"]
    ) -> tuple[Float[Tensor, "n features"], Float[Tensor, "n"]]:
        """Return z and ln |∂z/∂x|."""
        moved, log_derivative = spline_forward(x[:, self.moved], self._raw(x, context), self.bound)
        return self._put(x, moved), log_derivative.sum(dim=-1)

    def inverse(
        self, z: Float[Tensor, "n features"], context: Float[Tensor, "n context"]
    ) -> tuple[Float[Tensor, "n features"], Float[Tensor, "n"]]:
        """Return x and ln |∂x/∂z|. Differentiable."""
        moved, log_derivative = spline_inverse(z[:, self.moved], self._raw(z, context), self.bound)
        return self._put(z, moved), -log_derivative.sum(dim=-1)

    def _raw(self, values: Tensor, context: Tensor) -> Tensor:
        hidden = torch.cat((values[:, self.kept], context), dim=-1)
        for layer in self.layers[:-1]:
            hidden = functional.relu(layer(hidden), inplace=True)
        raw: Tensor = self.layers[-1](hidden)
        return raw.to(values.dtype).unflatten(-1, (len(self.moved), -1))

    def _put(self, values: Tensor, moved: Tensor) -> Tensor:
        place = torch.tensor(self.moved, device=values.device)
        return values.index_copy(-1, place, moved)


def _dense(inputs: int, outputs: int, generator: torch.Generator | None) -> nn.Linear:
    """Return a linear layer with weights uniform in ±1/√inputs."""
    layer = nn.utils.skip_init(nn.Linear, inputs, outputs)
    limit = inputs**-0.5
    nn.init.uniform_(layer.weight, -limit, limit, generator=generator)
    nn.init.uniform_(layer.bias, -limit, limit, generator=generator)
    return layer
