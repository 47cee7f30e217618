"""What a fit is made of beside the signal: backgrounds, further components that depend on θ, and constraints."""

from pydantic import Field

from partonic.config.base import StrictModel
from partonic.config.paths import LocalPath

__all__ = ["BackgroundConfig", "BackgroundEventsConfig", "ComponentConfig", "ConstraintConfig"]


class ConstraintConfig(StrictModel):
    """A Gaussian constraint on a theory parameter, e.g. of another measurement."""

    centre: float = 0.0
    """Its centre."""

    width: float = Field(gt=0.0)
    """Its standard deviation."""


class BackgroundEventsConfig(StrictModel):
    """Simulated events of a background, which pseudo-data and pseudo-experiments draw from."""

    store: LocalPath
    """Their event store."""

    coefficients: dict[str, LocalPath]
    """Files with their coefficients under each hypothesis: ``signal`` and the names of all backgrounds."""


class BackgroundConfig(StrictModel):
    """A background, whose density and rate do not depend on θ."""

    uncertainty: float | None = Field(0.0, ge=0.0)
    """Relative uncertainty of its normalisation, a Gaussian constraint; 0 fixes it, null leaves it free."""

    cross_section: float | None = Field(None, gt=0.0)
    """Fiducial cross section in pb; null: the one that travels with its coefficients."""

    coefficients: LocalPath | None = None
    """File of log P_b(x) of the same events as those of the signal; null: ``mem/<name>.parquet``."""

    events: BackgroundEventsConfig | None = None
    """Its simulated events; null if there are none: then it enters no pseudo-data, and only real data can be fitted."""


class ComponentConfig(StrictModel):
    """A component beside the signal whose density and rate depend on theory parameters, e.g. tHq beside tt̄H.

    Parameters of the same name are one parameter of the fit. Its cross section travels with its coefficients.
    """

    coefficients: LocalPath | None = None
    """File of its coefficients of the same events as those of the signal; null: ``mem/<name>.parquet``."""

    uncertainty: float | None = Field(0.0, ge=0.0)
    """Relative uncertainty of its normalisation, a Gaussian constraint; 0 fixes it, null leaves it free."""

    map: dict[str, str | float] = Field(default_factory=dict)
    """Its parameters as sums of numbers and parameters of the fit, e.g. ``kappa_e: 1 + delta_kappa_t``; those not named
    are parameters of the fit themselves."""

    events: BackgroundEventsConfig | None = None
    """Its simulated events; null if there are none: then it enters no pseudo-data."""
