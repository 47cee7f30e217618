"""What is sampled: dσ/du of a process on its unit cube, at the θ of generation."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from partonic.errors import NonFiniteError
from partonic.generation.bias import Bias, no_bias
from partonic.generation.protocol import Integrand
from partonic.physics.process import PartonEvents, Process

__all__ = ["ProcessIntegrand", "evaluate", "require_finite"]

_EVALUATION_BATCH = 20_000


@dataclass(frozen=True)
class ProcessIntegrand:
    """|dσ/du| in pb, at one θ or summed over several, times a bias.

    Attributes:
        process: the hard process.
        target: monomials m_a(θ), summed over the θ points that the events must cover, `(A,)`.
        bias: g of events.
    """

    process: Process
    target: Float[Tensor, " monomials"]
    bias: Bias = no_bias

    def __call__(self, numbers: Float[Tensor, "points dimensions"]) -> Float[Tensor, " points"]:
        """Return the integrand at points of the unit cube.

        Raises:
            NonFiniteError: if it is NaN or infinite; the message names the first such point.
        """
        events, log_jacobian = self.process.from_unit_cube(numbers)
        values = (self.process.coefficients(events) @ self.target).abs() * log_jacobian.exp() * self.bias(events)
        require_finite(values, numbers, events)
        return values.detach()


def evaluate(integrand: Integrand, points: Float[Tensor, "points dimensions"]) -> Float[Tensor, " points"]:
    """Return the integrand at `points`, in batches that bound the memory."""
    return torch.cat([integrand(batch) for batch in torch.split(points, _EVALUATION_BATCH)])


def require_finite(values: Tensor, numbers: Tensor, events: PartonEvents) -> None:
    """Raise a `NonFiniteError` that names the first point where `values` `(N, ...)` is NaN or infinite."""
    bad = ~values.isfinite().flatten(1).all(dim=1) if values.ndim > 1 else ~values.isfinite()
    if bool(bad.any()):
        first = int(bad.nonzero()[0, 0])
        raise NonFiniteError(
            f"dσ/du is not finite at {int(bad.sum())} of {len(bad)} points. The first is the point "
            f"{numbers[first].tolist()} of the unit cube: x1 = {float(events.x1[first])!r}, "
            f"x2 = {float(events.x2[first])!r}, momenta {events.momenta[first].tolist()}. "
            "The matrix element or the parton densities of the process fail there"
        )
