"""A resonance with a tail: a Breit–Wigner shape and, beside it, a broad spectrum of what is not resonant.

With F_BW the cumulative distribution of `BreitWigner` and F_tail that of a spectrum ∝ ds/(s + s₀) on the same range,

    u = (1 − a) F_BW(s) + a F_tail(s),        du/ds = (1 − a)/|ds/du|_BW + a/|ds/du|_tail,

so that far from the resonance, where diagrams without it take over, the density does not fall with the propagator. The
map is one to one; s is found by bisection.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from partonic.errors import ProcessError
from partonic.physics.phasespace.breit_wigner import BreitWigner

__all__ = ["ResonanceWithTail"]

_BISECTIONS = 64


@dataclass(frozen=True)
class ResonanceWithTail:
    """The map of [0, 1] to the invariant mass squared of a resonance over a continuum.

    Attributes:
        resonance: the Breit–Wigner shape.
        share: a, the share of the tail, between 0 and 1.
        scale: √s₀ in GeV, below which the tail is flat in s.

    Raises:
        ProcessError: if share or scale is out of range.
    """

    resonance: BreitWigner
    share: float = 0.1
    scale: float = 40.0

    def __post_init__(self) -> None:
        if not (0.0 < self.share < 1.0 and self.scale > 0.0):
            raise ProcessError(
                f"a tail needs a share between 0 and 1 and a positive scale, got {self.share} and {self.scale} GeV"
            )

    def forward(
        self, numbers: Float[Tensor, " events"], lower: Float[Tensor, " events"], upper: Float[Tensor, " events"]
    ) -> tuple[Float[Tensor, " events"], Float[Tensor, " events"]]:
        """Map numbers in [0, 1] to s.

        Args:
            numbers: in [0, 1].
            lower: start of the range of s in GeV².
            upper: end of the range, above `lower`.

        Returns:
            s in GeV² and log |ds/du|.
        """
        with torch.no_grad():
            below, above = lower.clone(), upper.clone()
            for _ in range(_BISECTIONS):
                middle = 0.5 * (below + above)
                small = self.inverse(middle, lower, upper)[0] < numbers
                below, above = torch.where(small, middle, below), torch.where(small, above, middle)
            start = torch.minimum(torch.maximum(0.5 * (below + above), lower), upper)
        number, log_density = self.inverse(start, lower, upper)
        # A last Newton step changes s by rounding only, and carries the gradient.
        step = (numbers - number) * torch.exp(-log_density.detach())
        square = torch.minimum(torch.maximum(start + step, lower), upper)
        return square, -self.inverse(square, lower, upper)[1]

    def inverse(
        self, square: Float[Tensor, " events"], lower: Float[Tensor, " events"], upper: Float[Tensor, " events"]
    ) -> tuple[Float[Tensor, " events"], Float[Tensor, " events"]]:
        """Return the number in [0, 1] of an invariant mass squared, and log |du/ds|; arguments as of `forward`."""
        resonant, log_resonant = self.resonance.inverse(square, lower, upper)
        offset = self.scale**2
        length = torch.log1p((upper - lower) / (lower + offset))
        tail = torch.log1p((square - lower) / (lower + offset)) / length
        log_tail = -torch.log((square + offset) * length)
        number = (1.0 - self.share) * resonant + self.share * tail
        density = (1.0 - self.share) * log_resonant.exp() + self.share * log_tail.exp()
        return number, torch.log(density)
