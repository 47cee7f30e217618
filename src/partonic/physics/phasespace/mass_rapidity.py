"""The momentum fractions x1 and x2 from one number for the invariant mass and one for the rapidity.

With t = −ln(x1 x2) = −ln(ŝ/S), a = −ln x1 and q = ln(S/(Σm)²), the allowed region is 0 ≤ a ≤ t ≤ q. The map fills it
uniformly in (a, t), like `MomentumFractions`, but with axes along mass and rapidity, which detectors measure with very
different precision:

    u₁ = (t/q)²,   u₂ = a/t,   |d(x1, x2)/du| = (q²/2) x1 x2.

u₁ = 1 is the threshold; u₂ = ½ is a system at rest along the beam, and u₂ → 1 − u₂ exchanges the beams.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from partonic.physics.phasespace.fractions import MomentumFractions

__all__ = ["MassRapidity"]


class MassRapidity(MomentumFractions):
    """The map of the unit square to (x1, x2) along mass and rapidity; attributes as in `MomentumFractions`."""

    def forward(
        self, numbers: Float[Tensor, "events 2"]
    ) -> tuple[Float[Tensor, " events"], Float[Tensor, " events"], Float[Tensor, " events"]]:
        """Map numbers in [0, 1]² to x1, x2 and log |d(x1, x2)/du|."""
        smallest = torch.finfo(numbers.dtype).eps
        log_inverse = self.log_range * numbers[:, 0].clamp(min=smallest).sqrt()
        first = log_inverse * numbers[:, 1]
        x1, x2 = torch.exp(-first), torch.exp(first - log_inverse)
        return x1, x2, self._log_jacobian(-first, first - log_inverse)

    def inverse(
        self, x1: Float[Tensor, " events"], x2: Float[Tensor, " events"]
    ) -> tuple[Float[Tensor, "events 2"], Float[Tensor, " events"]]:
        """Return the numbers of (x1, x2) and log |du/d(x1, x2)|, numbers beyond [0, 1] outside the region."""
        log_x1, log_x2 = torch.log(x1), torch.log(x2)
        log_inverse = -(log_x1 + log_x2)
        numbers = torch.stack([(log_inverse / self.log_range).square(), -log_x1 / log_inverse], dim=-1)
        return numbers, -self._log_jacobian(log_x1, log_x2)
