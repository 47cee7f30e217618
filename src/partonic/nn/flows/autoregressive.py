"""An autoregressive spline transform: z_i = f(x_i; parameters from the x before it and the context).

Forward (x → z) takes one pass of the masked network. The inverse takes one number after another in the order of
degrees; each step works out only the hidden units of its degree, so that all steps together cost one pass.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from partonic.nn.flows.masked import MaskedLinear, MaskedNetwork
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
        self, x: Float[Tensor, "n features"], context: Float[Tensor, "n context"]
    ) -> tuple[Float[Tensor, "n features"], Float[Tensor, "n"]]:
        """Return z and ln |∂z/∂x|."""
        z, log_derivative = spline_forward(x, self.network(x, context), self.bound)
        return z, log_derivative.sum(dim=-1)

    def inverse(
        self, z: Float[Tensor, "n features"], context: Float[Tensor, "n context"]
    ) -> tuple[Float[Tensor, "n features"], Float[Tensor, "n"]]:
        """Return x and ln |∂x/∂z|. Differentiable."""
        columns: list[Tensor] = [z[:, :0]] * len(self.network.order)
        log_det = z.new_zeros(len(z))
        known = context
        steps = _Steps(self.network)
        for degree, feature in steps.features:
            raw = steps.parameters(degree, known)
            x, log_derivative = spline_inverse(z[:, feature], raw, self.bound)
            columns[feature] = x[:, None]
            log_det = log_det - log_derivative
            known = torch.cat((known, x[:, None]), dim=-1)
        return torch.cat(columns, dim=-1), log_det


class _Steps:
    """The masked network, one degree at a time, keeping the hidden units that are known."""

    def __init__(self, network: MaskedNetwork) -> None:
        self.network = network
        features = len(network.order)
        drawn = sorted(range(features), key=lambda feature: network.order[feature])
        self.features = list(enumerate(drawn))
        context = torch.arange(features, features + network.context)
        self._known: list[Tensor] = []
        self._sources = [torch.cat((context, torch.tensor(drawn)))]
        self._sources += [torch.argsort(degrees, stable=True) for degrees in network.degrees]

    def parameters(self, degree: int, known: Float[Tensor, "n known"]) -> Float[Tensor, "n outputs"]:
        """Return the raw parameters of the number of this degree from the context and the numbers before it."""
        network = self.network
        values = known
        for place, degrees in enumerate(network.degrees):
            units = (degrees == degree).nonzero()[:, 0]
            hidden = functional.relu(self._layer(network.layers[place], place, units, values))
            if degree == 0:
                self._known.append(hidden)
            else:
                self._known[place] = torch.cat((self._known[place], hidden), dim=-1)
            values = self._known[place]
        first = self.features[degree][1] * network.outputs
        rows = torch.arange(first, first + network.outputs)
        return self._layer(network.layers[-1], len(network.degrees), rows, values)

    def _layer(self, layer: nn.Module, place: int, units: Tensor, values: Tensor) -> Tensor:
        """Return the outputs `units` of a layer; they see all values known so far, so that no mask is needed."""
        columns = self._sources[place][: values.shape[1]].to(values.device)
        units = units.to(values.device)
        if not isinstance(layer, MaskedLinear):
            raise TypeError(f"expected a masked layer, got {type(layer).__name__}")
        return functional.linear(values, layer.weight[units[:, None], columns], layer.bias[units])
