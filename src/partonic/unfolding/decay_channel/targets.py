"""What the proposal network regresses: the numbers of the partons, azimuths as points on the circle.

Numbers that are no azimuths are regressed as standardised logits. Azimuths are regressed as (cos, sin), whose angle is
where the flow centres them; near 0 = 2π nothing breaks. Of two partons that cannot be told apart (`pair_exchange`) the
azimuth of their axis is regressed, as an angle of period π, and |2p − 1|, neither of which knows their order.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

from partonic.physics.phasespace import PartonCube

__all__ = ["RegressionTargets"]

_MARGIN = 1e-3
"""Numbers are regressed this far from the faces of the cube, beyond which the logit tells nothing more."""


class RegressionTargets(nn.Module):
    """The map of numbers to what is regressed, and of the regressed azimuths to centres."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, cube: PartonCube, exchangeable: bool) -> None:
        """Regress the numbers of `cube`, whose last two partons are perhaps exchangeable."""
        super().__init__()
        self.azimuths = list(cube.azimuth_numbers)
        self.others = [number for number in range(cube.dimensions) if number not in self.azimuths]
        self.exchangeable = exchangeable
        self.register_buffer("mean", torch.zeros(len(self.others), dtype=torch.float64))
        self.register_buffer("deviation", torch.ones(len(self.others), dtype=torch.float64))

    @property
    def outputs(self) -> int:
        """How many numbers are regressed: one for each number, two for each azimuth."""
        return len(self.others) + 2 * len(self.azimuths)

    def fit(self, numbers: Float[Tensor, "events dimensions"]) -> None:
        """Set means and deviations of the logits from training events."""
        logits = self._logits(numbers)
        self.mean.copy_(logits.mean(dim=0))
        self.deviation.copy_(logits.std(dim=0).clamp(min=1e-6))

    def forward(self, numbers: Float[Tensor, "events dimensions"]) -> Float[Tensor, "events outputs"]:
        """Return what is to be regressed of true numbers, float32."""
        angles = 2.0 * math.pi * self._periods() * numbers[:, self.azimuths]
        standardised = (self._logits(numbers) - self.mean) / self.deviation
        return torch.cat([standardised, torch.cos(angles), torch.sin(angles)], dim=-1).float()

    def centre(self, outputs: Float[Tensor, "events outputs"]) -> Float[Tensor, "events dimensions"]:
        """Return the regressed azimuths in turns, in their places, and ½ for the others; float64."""
        cosines, sines = outputs[:, len(self.others) :].double().chunk(2, dim=-1)
        turns = torch.remainder(torch.atan2(sines, cosines) / (2.0 * math.pi), 1.0) / self._periods()
        centre = torch.full((len(outputs), len(self.others) + len(self.azimuths)), 0.5, dtype=torch.float64)
        centre = centre.to(outputs.device)
        centre[:, self.azimuths] = turns
        return centre

    def _periods(self) -> Tensor:
        """Return in how many parts a full turn repeats, for each azimuth."""
        periods = torch.ones(len(self.azimuths), dtype=torch.float64, device=self.mean.device)
        if self.exchangeable:
            periods[-1] = 2.0
        return periods

    def _logits(self, numbers: Tensor) -> Tensor:
        values = numbers[:, self.others]
        if self.exchangeable:
            values = torch.cat([values[:, :-1], (2.0 * values[:, -1:] - 1.0).abs()], dim=-1)
        return torch.logit(values.clamp(_MARGIN, 1.0 - _MARGIN))
