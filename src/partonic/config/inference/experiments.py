"""Pseudo-experiments: intervals from toys, and studies of coverage."""

from pydantic import Field

from partonic.config.base import StrictModel

__all__ = ["CoverageConfig", "ToyCoverageConfig", "ToysConfig"]


class ToyCoverageConfig(StrictModel):
    """Coverage of intervals from pseudo-experiments (toys), at the points of the study of coverage."""

    experiments: int = Field(150, ge=2)
    """Data sets at each point."""

    toys: int = Field(200, ge=20)
    """Toys of each data set, from which its interval follows."""

    parameters: tuple[str, ...] | None = None
    """Theory parameters whose intervals are looked at; null: all that are fitted."""


class CoverageConfig(StrictModel):
    """A study of coverage by pseudo-experiments."""

    points: tuple[dict[str, float], ...] = Field(({},), min_length=1)
    """True θ of the experiments; parameters not named are at their values in the Standard Model."""

    experiments: int = Field(500, ge=2)
    """Pseudo-experiments at each point."""

    toys: ToyCoverageConfig | None = None
    """Coverage of intervals from toys, too; null for none. It takes `experiments` × `toys` fits a point."""


class ToysConfig(StrictModel):
    """Intervals from pseudo-experiments (Feldman–Cousins) beside the asymptotic ones."""

    experiments: int = Field(200, ge=20)
    """Pseudo-experiments at each value of a parameter."""

    points: int = Field(15, ge=3)
    """Values of each parameter."""

    parameters: tuple[str, ...] | None = None
    """Theory parameters that get such an interval; null: all that are fitted."""
