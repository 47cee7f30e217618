"""A Breit–Wigner resonance: one number to an invariant mass squared s.

The map s = M² + MΓ tan φ, with φ linear in the number between its values at the ends of the range, has the density

    ds/du = [(s − M²)² + M²Γ²]/(MΓ) · (φ_max − φ_min),

which flattens the propagator 1/[(s − M²)² + M²Γ²].
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from partonic.errors import ProcessError

__all__ = ["BreitWigner"]


@dataclass(frozen=True)
class BreitWigner:
    """The map of [0, 1] to the invariant mass squared of a resonance.

    Attributes:
        mass: M in GeV, positive.
        width: Γ in GeV, positive.

    Raises:
        ProcessError: if mass or width is not positive.
    """

    mass: float
    width: float

    def __post_init__(self) -> None:
        if not (self.mass > 0.0 and self.width > 0.0):
            raise ProcessError(
                f"a Breit-Wigner needs a positive mass and width, got mass {self.mass} and width {self.width} GeV"
            )

    def forward(
        self, numbers: Float[Tensor, "*batch"], lower: Float[Tensor, "*#batch"], upper: Float[Tensor, "*#batch"]
    ) -> tuple[Float[Tensor, "*batch"], Float[Tensor, "*batch"]]:
        """Map numbers in [0, 1] to s.

        Args:
            numbers: in [0, 1].
            lower: start of the range of s in GeV², per event or one for all.
            upper: end of the range, above `lower`.

        Returns:
            s in GeV² and log |ds/du|.
        """
        length = self._angle(lower, upper)
        strength, start = self.mass * self.width, lower - self.mass**2
        tangent = torch.tan(length * numbers)
        square = lower + tangent * (strength**2 + start.square()) / (strength - start * tangent)
        square = torch.minimum(torch.maximum(square, lower), upper)
        return square, self._log_jacobian(square, length)

    def inverse(
        self, square: Float[Tensor, "*batch"], lower: Float[Tensor, "*#batch"], upper: Float[Tensor, "*#batch"]
    ) -> tuple[Float[Tensor, "*batch"], Float[Tensor, "*batch"]]:
        """Return the number in [0, 1] of an invariant mass squared, and log |du/ds|.

        Args:
            square: s in GeV².
            lower: start of the range of s in GeV².
            upper: end of the range.
        """
        length = self._angle(lower, upper)
        return self._angle(lower, square) / length, -self._log_jacobian(square, length)

    def _angle(self, lower: Tensor, upper: Tensor) -> Tensor:
        """Return φ(upper) − φ(lower) without the cancellation that both have far from the resonance."""
        strength, pole = self.mass * self.width, self.mass**2
        return torch.atan2(strength * (upper - lower), strength**2 + (upper - pole) * (lower - pole))

    def _log_jacobian(self, square: Tensor, length: Tensor) -> Tensor:
        strength = self.mass * self.width
        return torch.log(((square - self.mass**2).square() + strength**2) / strength * length)
