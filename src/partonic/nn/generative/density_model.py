"""Generative models that know their density: exactly, or as an estimate with an error."""

from abc import abstractmethod
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from partonic.errors import ParameterError
from partonic.nn.generative.model import GenerativeModel, chunks

__all__ = ["DensityModel", "LogDensity"]


@dataclass(frozen=True)
class LogDensity:
    """Log-densities of events with the error of their estimate.

    Attributes:
        value: ln p(x|c), float64, `(N,)`.
        error: statistical error of each, float64; 0 where the density is exact or an integral that a solver does to its
            tolerance. `(N,)`
        evaluations: evaluations of the network that each event took.
    """

    value: Float[Tensor, " events"]
    error: Float[Tensor, " events"]
    evaluations: int


class DensityModel(GenerativeModel):
    """A generative model that knows its density, or an estimate of it."""

    @property
    def density_is_estimated(self) -> bool:
        """Whether the density is an estimate by random draws, which needs a generator and has an error."""
        return False

    @abstractmethod
    def _log_density(self, x: Tensor, c: Tensor, generator: torch.Generator | None) -> LogDensity:
        """Return the log-density of standardised numbers, with respect to these."""

    def log_density(
        self,
        x: Float[Tensor, "events features"],
        conditions: Float[Tensor, "_ context"],
        generator: torch.Generator | None = None,
    ) -> LogDensity:
        """Return ln p(x|c) with the error of its estimate; differentiable.

        Args:
            x: numbers of events.
            conditions: of the same events.
            generator: of the draws of an estimate; exact densities need none.

        Raises:
            ParameterError: if shapes are not those of the fit, or an estimate has no generator.
            NonFiniteError: if a number is not finite.
        """
        if len(x) != len(conditions):
            message = f"expected one row of conditions for each event, got {len(conditions)} rows for {len(x)} events"
            raise ParameterError(message)
        scaled = self._scaled(x, self.scale, "numbers")
        given = self._scaled(conditions, self.context_scale, "conditions")
        if self.density_is_estimated and generator is None:
            raise ParameterError(f"the density of '{self.kind}' is an estimate by random draws: pass a generator")
        if not len(scaled):
            nothing = scaled.new_zeros(0, dtype=torch.float64)
            return LogDensity(nothing, nothing, 0)
        parts_of_both = zip(chunks(scaled), chunks(given), strict=True)
        parts = [self._log_density(*chunk, generator) for chunk in parts_of_both]
        values, errors = (torch.cat([getattr(part, name).double() for part in parts]) for name in ("value", "error"))
        return LogDensity(values + self.scale.log_jacobian(), errors, max(part.evaluations for part in parts))

    def log_prob(
        self,
        x: Float[Tensor, "events features"],
        conditions: Float[Tensor, "_ context"],
        generator: torch.Generator | None = None,
    ) -> Float[Tensor, " events"]:
        """Return ln p(x|c), float64; arguments and errors as for `log_density`, which tells its error, too."""
        return self.log_density(x, conditions, generator).value
