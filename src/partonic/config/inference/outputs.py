"""What is drawn of a likelihood, and what other programs get of it: scans and templates."""

from pydantic import Field, model_validator

from partonic.config.base import SettingError, StrictModel

__all__ = ["PyhfConfig", "ScanConfig"]


class ScanConfig(StrictModel):
    """Scans of the likelihood."""

    points: int = Field(41, ge=5)
    """Points of the scan of one parameter."""

    ranges: dict[str, tuple[float, float]] = Field(default_factory=dict)
    """Lowest and highest value by parameter; by default as wide as the intervals need."""

    contours: tuple[tuple[str, str], ...] | None = None
    """Pairs of parameters to scan together; null: all pairs of theory parameters that are fitted."""

    contour_points: int = Field(25, ge=5)
    """Points along each side of such a scan."""

    @model_validator(mode="after")
    def _ranges_ascend(self) -> "ScanConfig":
        for name, (low, high) in self.ranges.items():
            if not low < high:
                raise SettingError(("ranges", name), f"the range must ascend, got {low} to {high}")
        for index, (first, second) in enumerate(self.contours or ()):
            if first == second:
                raise SettingError(("contours", index), f"a pair needs two parameters, got '{first}' twice")
        return self


class PyhfConfig(StrictModel):
    """Templates of the optimal observables of one parameter, R_1 and R_2, as a workspace of pyhf."""

    parameter: str
    """Theory parameter whose optimal observables are binned."""

    bins: tuple[int, int] = (5, 4)
    """Bins of R_2, and of R_1 in each of them, of equal weight of the simulated signal at its reference point."""

    @model_validator(mode="after")
    def _some_bins(self) -> "PyhfConfig":
        if min(self.bins) < 1:
            raise SettingError(("bins",), f"expected one bin or more of each observable, got {list(self.bins)}")
        return self
