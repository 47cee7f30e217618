"""The momentum fractions x1 and x2 from two numbers, above the threshold of the final state.

With a = −ln x1, b = −ln x2 and q = ln(S/(Σm)²), the region x1, x2 ≤ 1, x1 x2 S ≥ (Σm)² is the triangle a, b ≥ 0,
a + b ≤ q. The map fills it uniformly: a has density ∝ (q − a) on [0, q], b is uniform on [0, q − a], so

    u₁ = a (2q − a)/q²,   u₂ = b/(q − a),   |d(x1, x2)/du| = (q²/2) x1 x2.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from partonic.errors import ProcessError

__all__ = ["MomentumFractions"]


@dataclass(frozen=True)
class MomentumFractions:
    """The map of the unit square to (x1, x2).

    Attributes:
        mass_threshold: smallest invariant mass of the final state (the sum of its masses, or a cut), GeV, positive: a
            number, or one for each event `(N,)`.
        collider_energy: √S in GeV.

    Raises:
        ProcessError: if the threshold is not positive, or not below the collider energy.
    """

    mass_threshold: float | Tensor
    collider_energy: float

    def __post_init__(self) -> None:
        thresholds = torch.as_tensor(self.mass_threshold)
        if not bool(((thresholds > 0.0) & (thresholds < self.collider_energy)).all()):
            raise ProcessError(
                "the invariant mass of the final state must start above 0 and below the collider energy; got "
                f"a threshold of {self.mass_threshold} GeV at {self.collider_energy} GeV (a massless one needs a cut)"
            )

    @property
    def log_range(self) -> float | Tensor:
        """The range q = ln(S/(Σm)²) of −ln(x1 x2)."""
        if isinstance(self.mass_threshold, Tensor):
            return 2.0 * torch.log(self.collider_energy / self.mass_threshold)
        return 2.0 * math.log(self.collider_energy / self.mass_threshold)

    def forward(
        self, numbers: Float[Tensor, "events 2"]
    ) -> tuple[Float[Tensor, " events"], Float[Tensor, " events"], Float[Tensor, " events"]]:
        """Map numbers in [0, 1]² to (x1, x2).

        Returns:
            x1, x2 and log |d(x1, x2)/du|. Numbers at u₁ = 1 are moved inside by one rounding unit, where the map can
            be inverted.
        """
        half_unit = 0.5 * torch.finfo(numbers.dtype).eps
        first = numbers[:, 0].clamp(max=1.0 - half_unit)
        left = (1.0 - first).sqrt()
        log_x1 = -self.log_range * first / (1.0 + left)
        log_x2 = -self.log_range * left * numbers[:, 1]
        return torch.exp(log_x1), torch.exp(log_x2), self._log_jacobian(log_x1, log_x2)

    def inverse(
        self, x1: Float[Tensor, " events"], x2: Float[Tensor, " events"]
    ) -> tuple[Float[Tensor, "events 2"], Float[Tensor, " events"]]:
        """Return the numbers of (x1, x2) and log |du/d(x1, x2)|.

        Points outside the region (x > 1, or below the threshold) give numbers outside [0, 1].
        """
        log_x1, log_x2 = torch.log(x1), torch.log(x2)
        left = self.log_range + log_x1
        first = -log_x1 * (self.log_range + left) / self.log_range**2
        numbers = torch.stack([first, -log_x2 / left], dim=-1)
        return numbers, -self._log_jacobian(log_x1, log_x2)

    def _log_jacobian(self, log_x1: Tensor, log_x2: Tensor) -> Tensor:
        size = 0.5 * self.log_range**2
        return log_x1 + log_x2 + (torch.log(size) if isinstance(size, Tensor) else math.log(size))
