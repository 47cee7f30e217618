r"""A polar angle with the poles of exchange in both directions: cos θ with the density

    p(c) = (1 − ε) (A² − 1)/2/(A − c)² + ε (B² − 1)/2/(B + c)²,    A, B > 1 and 0 ≤ ε ≤ 1.

Its distribution function is a sum of two simple fractions, so that the inverse is the root of a quadratic equation:
with α = (1 − ε)(A² − 1)/2, β = ε (B² − 1)/2 and w = u + α/(A + 1) − β/(B − 1),

    w c² + [α + β − w (A − B)] c + αB − βA − wAB = 0.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

__all__ = ["ExchangeAngle"]


@dataclass(frozen=True)
class ExchangeAngle:
    """The map of one number to cos θ.

    Attributes:
        ahead: A, the pole beyond cos θ = 1, `(N,)`.
        behind: B, of the pole beyond cos θ = −1, `(N,)`.
        share: ε of the second one, `(N,)`.
    """

    ahead: Float[Tensor, " events"]
    behind: Float[Tensor, " events"]
    share: Float[Tensor, " events"]

    def forward(self, number: Float[Tensor, " events"]) -> tuple[Float[Tensor, " events"], Float[Tensor, " events"]]:
        """Map [0, 1] to cos θ; return it and log |d(cos θ)/du|."""
        first, second = self._strengths()
        w = number + first / (self.ahead + 1.0) - second / (self.behind - 1.0)
        linear = first + second - w * (self.ahead - self.behind)
        constant = first * self.behind - second * self.ahead - w * self.ahead * self.behind
        root = (linear.square() - 4.0 * w * constant).clamp(min=0.0).sqrt()
        cosine = (-2.0 * constant / (linear + root)).clamp(min=-1.0, max=1.0)
        return cosine, -self._log_density(cosine)

    def inverse(self, cosine: Float[Tensor, " events"]) -> tuple[Float[Tensor, " events"], Float[Tensor, " events"]]:
        """Return the number of cos θ and log |du/d(cos θ)|."""
        first, second = self._strengths()
        near = first * (1.0 + cosine) / ((self.ahead - cosine) * (self.ahead + 1.0))
        far = second * (1.0 + cosine) / ((self.behind + cosine) * (self.behind - 1.0))
        return near + far, self._log_density(cosine)

    def _strengths(self) -> tuple[Tensor, Tensor]:
        first = 0.5 * (1.0 - self.share) * (self.ahead - 1.0) * (self.ahead + 1.0)
        return first, 0.5 * self.share * (self.behind - 1.0) * (self.behind + 1.0)

    def _log_density(self, cosine: Tensor) -> Tensor:
        first, second = self._strengths()
        return torch.log(first / (self.ahead - cosine).square() + second / (self.behind + cosine).square())
