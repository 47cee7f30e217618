"""Exponential moving average of weights: a + (1 − d)(w − a) after each step, in float32 as the weights themselves.

It takes out the noise of the last steps at no cost (B. T. Polyak, A. B. Juditsky, SIAM J. Control Optim. 30 (1992)
838). Early averages forget faster, d = min(decay, (1 + n)/(10 + n)) after n steps, so that they do not hold the start.
"""

import contextlib
from collections.abc import Iterator

import torch
from torch import Tensor, nn

__all__ = ["WeightAverage"]


class WeightAverage:
    """The average of the trainable parameters of a module. Buffers are not averaged."""

    def __init__(self, module: nn.Module, decay: float) -> None:
        """Start from the present weights."""
        self.decay, self.steps = decay, 0
        self._weights = [parameter for parameter in module.parameters() if parameter.requires_grad]
        self._average = [weight.detach().clone() for weight in self._weights]

    def update(self) -> None:
        """Take the present weights into the average."""
        self.steps += 1
        decay = min(self.decay, (1.0 + self.steps) / (10.0 + self.steps))
        torch._foreach_lerp_(self._average, [weight.detach() for weight in self._weights], 1.0 - decay)

    @contextlib.contextmanager
    def in_place(self) -> Iterator[None]:
        """Within the block the module has the averaged weights."""
        self.swap()
        try:
            yield
        finally:
            self.swap()

    def swap(self) -> None:
        """Exchange weights and averages."""
        with torch.no_grad():
            for weight, average in zip(self._weights, self._average, strict=True):
                kept = weight.detach().clone()
                weight.copy_(average)
                average.copy_(kept)

    def state_dict(self) -> dict[str, int | list[Tensor]]:
        """Return the averages in the order of the parameters."""
        return {"steps": self.steps, "average": self._average}

    def load_state_dict(self, state: dict[str, int | list[Tensor]]) -> None:
        """Take the averages that `state_dict` returned."""
        steps, average = state["steps"], state["average"]
        if isinstance(steps, int) and isinstance(average, list):
            self.steps = steps
            for own, other in zip(self._average, average, strict=True):
                own.copy_(other)
