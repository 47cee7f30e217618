"""The section `report` of an analysis file: what the HTML page shows and how."""

import itertools
from typing import Literal

from pydantic import Field, field_validator, model_validator

from partonic.config.base import StrictModel

__all__ = ["BinningConfig", "ReportConfig", "UnfoldingReportConfig"]


class BinningConfig(StrictModel):
    """Bins of one variable: either `edges`, or `bins` equal ones from `low` to `high`."""

    edges: tuple[float, ...] = ()
    """Increasing bin edges in the unit of the variable; empty to give `bins`, `low` and `high` instead."""

    bins: int | None = Field(default=None, ge=1, le=1000)
    """Number of equal bins."""

    low: float | None = None
    """Lower edge of the first equal bin."""

    high: float | None = None
    """Upper edge of the last equal bin."""

    @model_validator(mode="after")
    def _one_description(self) -> "BinningConfig":
        equal = (self.bins, self.low, self.high)
        if self.edges:
            if equal != (None, None, None):
                msg = "give either `edges` or `bins`, `low` and `high`, not both"
                raise ValueError(msg)
        elif None in equal:
            msg = "give `edges`, or all of `bins`, `low` and `high`"
            raise ValueError(msg)
        edges = self.bin_edges()
        if len(edges) < 2:
            raise ValueError(f"needs two or more edges, got {list(edges)}")
        if any(after <= before for before, after in itertools.pairwise(edges)):
            raise ValueError(f"the edges must increase, got {list(edges)}")
        return self

    def bin_edges(self) -> tuple[float, ...]:
        """Return the bin edges."""
        if self.bins is None or self.low is None or self.high is None:
            return self.edges
        width = (self.high - self.low) / self.bins
        return (*(self.low + width * number for number in range(self.bins)), self.high)


class UnfoldingReportConfig(StrictModel):
    """What the report shows of the unfolding models."""

    show: bool = False
    """Whether to judge the models on the events of the analysis (as `partonic report --unfolding` does)."""

    events: int = Field(default=2_000, ge=50)
    """Selected events that the models are judged on, at most."""

    samples: int = Field(default=50, ge=10)
    """Samples of each of them."""

    single_events: int = Field(default=6, ge=0, le=9)
    """Events that are shown one by one."""

    single_samples: int = Field(default=20_000, ge=100)
    """Samples of each of those."""

    batch_events: int = Field(default=500, ge=1)
    """Events in memory at a time."""

    seed: int = Field(default=1, ge=0)
    """Root seed of samples and tests."""


class ReportConfig(StrictModel):
    """What the report shows and how."""

    title: str = ""
    """Title of the page; empty for one made from the process."""

    theta: tuple[dict[str, float], ...] = ()
    """θ points that spectra and cross sections are shown at, beside the reference; parameters not named have
    their Standard Model values.
    Empty: +1 and −1 along each parameter."""

    reference: dict[str, float] = Field(default_factory=dict)
    """θ that the points are divided by; parameters not named have their Standard Model values."""

    sections: tuple[str, ...] = ()
    """Names of the sections of the page; empty for all."""

    formats: tuple[Literal["pdf", "png", "svg"], ...] = ("pdf", "png")
    """Formats in which each figure is saved beside the page."""

    figures: Literal["embedded", "linked"] = "embedded"
    """Whether the page holds its figures, so that it can be mailed alone, or shows SVG files beside it, which are
    sharp at any size and keep the page small."""

    binnings: dict[str, BinningConfig] = Field(default_factory=dict)
    """Bins of variables by name, where others than the default are wanted."""

    batch_size: int = Field(default=20_000, ge=1)
    """Events in memory at a time."""

    unfolding: UnfoldingReportConfig = UnfoldingReportConfig()
    """Sections on the unfolding models."""

    @field_validator("theta")
    @classmethod
    def _few_points(cls, points: tuple[dict[str, float], ...]) -> tuple[dict[str, float], ...]:
        if len(points) > 12:
            raise ValueError(f"at most 12 θ points can be told apart in a figure, got {len(points)}")
        return points

    @field_validator("formats")
    @classmethod
    def _distinct(cls, formats: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(formats)) != len(formats):
            raise ValueError(f"a format is listed twice: {list(formats)}")
        return formats
