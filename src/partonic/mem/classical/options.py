"""How much work the classical method puts into an event."""

from dataclasses import dataclass

from partonic.errors import ConfigError

__all__ = ["ClassicalOptions"]


@dataclass(frozen=True, kw_only=True)
class ClassicalOptions:
    """Options of `ClassicalIntegrator`.

    Attributes:
        points: points of the final pass of an event, shared among its assignments.
        adaptation_points: points of one iteration of VEGAS for one assignment, per dimension beyond three.
        adaptation_iterations: iterations of VEGAS that adapt its grid and are not used otherwise.
        pilot_points: points from which each assignment's share of the final points is estimated.
        max_jets: leading jets that may belong to quarks; further ones are radiation.
        max_lost: quarks that may be without a jet.
        max_assignments: assignments of jets to quarks that are integrated at most, best first.
        neglected_share: share of P_0 that may be neglected if fewer do.

    Raises:
        ConfigError: if a number makes no sense.
    """

    points: int = 20_000
    adaptation_points: int = 200
    adaptation_iterations: int = 4
    pilot_points: int = 150
    max_jets: int = 8
    max_lost: int = 2
    max_assignments: int = 48
    neglected_share: float = 0.02

    def __post_init__(self) -> None:
        counts = (
            self.points,
            self.adaptation_points,
            self.adaptation_iterations,
            self.pilot_points,
            self.max_assignments,
        )
        if min(counts) < 1 or not (0 <= self.max_lost <= 2) or not (0.0 <= self.neglected_share < 1.0):
            raise ConfigError(
                "the classical method needs positive numbers of points, iterations and assignments, at most 2 lost "
                f"quarks and a neglected share in [0, 1), got {self}"
            )
        if self.max_jets < self.jets_min:
            raise ConfigError(f"max_jets must be {self.jets_min} or more with {self.max_lost} lost quarks, got {self}")

    @property
    def jets_min(self) -> int:
        """Fewest jets of an event that can be integrated."""
        return 6 - self.max_lost
