r"""A polar angle with the poles of exchange in both directions, and a part without.

cos θ has the density

    p(c) = α/(A − c)² + β/(B + c)² + δ/2,    α = (1 − δ)(1 − ε)(A² − 1)/2,  β = (1 − δ) ε (B² − 1)/2,    A, B > 1.

Its distribution function is inverted by bisection and Newton's method; the last step carries the derivatives.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

__all__ = ["ExchangeAngle"]

_FLAT = 0.1
"""The part δ: H from the top is spread over all angles however near the poles of H from the W come."""
_BISECTIONS, _NEWTON_STEPS = 20, 3


@dataclass(frozen=True)
class ExchangeAngle:
    """The map of one number to cos θ.

    Attributes:
        ahead: A, the pole beyond cos θ = 1, `(N,)`.
        behind: B, of the pole beyond cos θ = −1, `(N,)`.
        share: ε of the second one, between 0 and 1, `(N,)`.
        flat: δ, between 0 and 1.
    """

    ahead: Float[Tensor, " events"]
    behind: Float[Tensor, " events"]
    share: Float[Tensor, " events"]
    flat: float = _FLAT

    def forward(self, number: Float[Tensor, " events"]) -> tuple[Float[Tensor, " events"], Float[Tensor, " events"]]:
        """Map [0, 1] to cos θ; return it and log |d(cos θ)/du|."""
        with torch.no_grad():
            lower, upper = torch.full_like(number, -1.0), torch.full_like(number, 1.0)
            for _ in range(_BISECTIONS):
                middle = 0.5 * (lower + upper)
                below = self._distribution(middle) < number
                lower, upper = torch.where(below, middle, lower), torch.where(below, upper, middle)
            cosine = 0.5 * (lower + upper)
            for _ in range(_NEWTON_STEPS):
                cosine = self._improved(cosine, number)
        cosine = self._improved(cosine, number)
        return cosine, -self._log_density(cosine)

    def inverse(self, cosine: Float[Tensor, " events"]) -> tuple[Float[Tensor, " events"], Float[Tensor, " events"]]:
        """Return the number of cos θ and log |du/d(cos θ)|."""
        return self._distribution(cosine), self._log_density(cosine)

    def _improved(self, cosine: Tensor, number: Tensor) -> Tensor:
        step = (self._distribution(cosine) - number) * torch.exp(-self._log_density(cosine))
        return (cosine - step).clamp(min=-1.0, max=1.0)

    def _distribution(self, cosine: Tensor) -> Tensor:
        """Return the integral of the density from −1, each part written without differences of large numbers."""
        first, second = self._strengths()
        near = first / ((self.ahead - cosine) * (self.ahead + 1.0))
        far = second / ((self.behind + cosine) * (self.behind - 1.0))
        return (1.0 + cosine) * (near + far + 0.5 * self.flat)

    def _log_density(self, cosine: Tensor) -> Tensor:
        first, second = self._strengths()
        poles = first / (self.ahead - cosine).square() + second / (self.behind + cosine).square()
        return torch.log(poles + 0.5 * self.flat)

    def _strengths(self) -> tuple[Tensor, Tensor]:
        half = 0.5 * (1.0 - self.flat)
        first = half * (1.0 - self.share) * (self.ahead - 1.0) * (self.ahead + 1.0)
        return first, half * self.share * (self.behind - 1.0) * (self.behind + 1.0)
