"""An autoregressive spline transform: z_i = f(x_i; parameters from the x before it and the context).

Forward (x → z) takes one pass of the masked network. The inverse takes one number after another in the order of
degrees; each step works out only the hidden units of its degree, so that all steps together cost one pass.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from partonic.nn.flows.masked import MaskedNetwork
from partonic.nn.flows.spline import spline_forward, spline_inverse, spline_parameters

__all__ = ["AutoregressiveTransform"]


class AutoregressiveTransform(nn.Module):
    """One autoregressive transform of D numbers under a condition."""

    def __init__(
        self,
        order: Sequence[int],
        context: int,
        hidden: Sequence[int],
        bins: int,
        bound: float,
        generator: torch.Generator | None = None,
    ) -> None:
        """Build the masked network.

        Args:
            order: degree of each number: those of smaller degree condition it.
            context: length of the context.
            hidden: units of each hidden layer.
            bins: bins of the splines.
            bound: the splines act in [−bound, bound].
            generator: source of the first weights; torch's global one if None.
        """
        super().__init__()
        self.network = MaskedNetwork(order, context, hidden, spline_parameters(bins), generator)
        self.bound = bound

    def forward(
        self, x: Float[Tensor, "features n"], context: Float[Tensor, "context n"]
    ) -> tuple[Float[Tensor, "features n"], Float[Tensor, "n"]]:
        """Return z and ln |∂z/∂x|; events are columns."""
        ordered = x[self.network.drawn]
        z, log_derivative = spline_forward(ordered, self.network(ordered, context), self.bound)
        return z[self.network.place], log_derivative.sum(dim=0)

    def inverse(
        self, z: Float[Tensor, "features n"], context: Float[Tensor, "context n"]
    ) -> tuple[Float[Tensor, "features n"], Float[Tensor, "n"]]:
        """Return x and ln |∂x/∂z|; events are columns. Differentiable."""
        log_det = z.new_zeros(z.shape[1])
        known = context
        steps = _Steps(self.network)
        for row in z[self.network.drawn]:
            x, log_derivative = spline_inverse(row, steps.parameters(known), self.bound)
            known = torch.cat((known, x[None]))
            log_det = log_det - log_derivative
        return known[self.network.context :][self.network.place], log_det


class _Steps:
    """The masked network, one degree at a time, keeping the hidden units that are known."""

    def __init__(self, network: MaskedNetwork) -> None:
        self._degree = 0
        self._layers = [layer.by_degree(len(network.order)) for layer in network.masked_layers()]
        self._hidden: list[Tensor | None] = [None] * len(network.degrees)

    def parameters(self, known: Float[Tensor, "known n"]) -> Float[Tensor, "outputs n"]:
        """Return the raw parameters of the next number, given the context and the numbers before it."""
        values = known
        for place, layer in enumerate(self._layers[:-1]):
            units = torch.relu(_linear(values, layer[self._degree]))
            before = self._hidden[place]
            values = units if before is None else torch.cat((before, units))
            self._hidden[place] = values
        raw = _linear(values, self._layers[-1][self._degree])
        self._degree += 1
        return raw


def _linear(values: Tensor, rows: tuple[Tensor, Tensor]) -> Tensor:
    """Return the outputs of some rows of a sorted layer; they see all values known so far, so no mask is needed."""
    weight, bias = rows
    return torch.addmm(bias[:, None], weight[:, : values.shape[0]], values)
