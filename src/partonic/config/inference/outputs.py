"""What is drawn of a likelihood, what it is compared with, and what other programs get of it."""

from typing import Literal

from pydantic import Field, model_validator

from partonic.config.base import SettingError, StrictModel

__all__ = ["HistogramConfig", "PyhfConfig", "ScanConfig"]


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


class HistogramConfig(StrictModel):
    """A histogram of one or two observables, whose expected intervals stand beside those of the likelihood."""

    edges: dict[str, tuple[float, ...]] = Field(min_length=1, max_length=2)
    """Edges between the bins by observable, one or two; the outermost bins are open. Of two, every bin of the first is
    divided by the edges of the second. GeV and radians."""

    of: Literal["objects", "partons"] = "objects"
    """``objects``: observables of the reconstructed events, high-level features (``higgs_pair_pt``) among them;
    ``partons``: those of the partons that the process has."""

    @model_validator(mode="after")
    def _edges_ascend(self) -> "HistogramConfig":
        for name, edges in self.edges.items():
            if not edges or list(edges) != sorted(set(edges)):
                message = f"the edges between bins must ascend, and be one or more, got {list(edges)}"
                raise SettingError(("edges", name), message)
        return self
