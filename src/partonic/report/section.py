"""Sections of the report: what they are given, and what they must do.

A section is built once for a sample, sees every batch of events once, and then gives its content. New sections
are classes like the existing ones, added to their group in `partonic.report.sections`.
"""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from partonic.config.report import ReportConfig
from partonic.errors import ConfigError
from partonic.events.batch import EventBatch
from partonic.events.schema import StoreMetadata
from partonic.plots.axis import Axis
from partonic.report.content import Content
from partonic.report.limits import Limits
from partonic.report.unfolded import UnfoldedModel

__all__ = ["Filled", "FitSection", "ModelSection", "Sample", "Section", "ThetaPoint"]


@dataclass(frozen=True, eq=False)
class ThetaPoint:
    """A θ point of the report.

    Attributes:
        values: the K parameters.
        label: for legends, with mathematics.
        text: for tables, plain.
        parameter: the only parameter that differs from the reference; empty if several do.
        colour: of its curves; the points that vary the same parameter share it.
        dashed: whether its curves are dashed, to tell points of the same colour apart.
    """

    values: NDArray[np.float64]
    label: str
    text: str
    parameter: str
    colour: str
    dashed: bool


@dataclass(frozen=True)
class Sample:
    """What is known of the events before they are read.

    Attributes:
        metadata: of the event store.
        num_events: rows of the store.
        config: what the report shows.
        generation: content of ``generation.json``; None if the events were not generated here.
        reference: θ that other points are compared with.
        reference_text: its name, ``"SM"`` if all parameters are 0.
        points: the other θ points.
        unfolded: the unfolding models, judged on the events; empty if they were not asked for.
        limits: coefficients of the events and what was inferred from them; None if there is nothing.
    """

    metadata: StoreMetadata
    num_events: int
    config: ReportConfig
    generation: Mapping[str, Any] | None
    reference: NDArray[np.float64]
    reference_text: str
    points: tuple[ThetaPoint, ...]
    unfolded: tuple[UnfoldedModel, ...] = ()
    limits: Limits | None = None
    _known_axes: set[str] = field(default_factory=set, repr=False)

    def axis(self, default: Axis) -> Axis:
        """Return `default`, with the bins that the configuration asks for under its name."""
        self._known_axes.add(default.name)
        wanted = self.config.binnings.get(default.name)
        return default if wanted is None else default.with_edges(wanted.bin_edges())

    def check_binnings(self) -> None:
        """Check that every binning of the configuration belongs to a variable that a section asked for.

        Raises:
            ConfigError: if one does not.
        """
        for name in self.config.binnings:
            if name not in self._known_axes:
                close = difflib.get_close_matches(name, self._known_axes, n=3)
                hint = (
                    f"did you mean {' or '.join(close)}?" if close else f"known: {', '.join(sorted(self._known_axes))}"
                )
                raise ConfigError(f"report.binnings has no variable '{name}'; {hint}")

    @property
    def depends_on_theta(self) -> bool:
        """Whether the events carry a dependence on theory parameters.

        A background or collision data may have the monomials of the process, with all coefficients but the constant 0.
        """
        section = self.metadata.cross_section
        if section is None:
            return bool(self.metadata.parameters)
        pairs = zip(self.metadata.exponents, section.coefficients, section.errors, strict=True)
        return any(any(powers) and (value != 0 or error != 0) for powers, value, error in pairs)

    @property
    def is_data(self) -> bool:
        """Whether the events are collision data, whose weights count events instead of being cross sections."""
        section = self.metadata.config.get("import")
        return isinstance(section, dict) and bool(section.get("data"))

    @property
    def weight_unit(self) -> str:
        """Unit of the weights."""
        return "events" if self.is_data else "pb"


@runtime_checkable
class Filled(Protocol):
    """What sees every batch of events once.

    Attributes:
        columns: columns of the event store that it reads.
    """

    columns: ClassVar[tuple[str, ...]]

    def fill(self, batch: EventBatch) -> None:
        """Add one batch of events; columns that are null there are left out."""


@runtime_checkable
class Section(Protocol):
    """One section of the page.

    Attributes:
        name: anchor in the page, key in the JSON results, and name in `ReportConfig.sections`.
        title: heading.
        columns: columns of the event store that it reads.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    columns: ClassVar[tuple[str, ...]]

    def fill(self, batch: EventBatch) -> None:
        """Add one batch of events; columns that are null there are left out."""

    def content(self) -> Content:
        """Return what the page shows, after the last batch."""


class ModelSection:
    """A section on the unfolding models, which have been judged on the events before the report begins."""

    columns: ClassVar[tuple[str, ...]] = ()

    def __init__(self, sample: Sample) -> None:
        """Prepare for `sample`."""
        self.models = sample.unfolded

    def fill(self, batch: EventBatch) -> None:
        """Ignore the events: the models have been judged on them already."""


class FitSection:
    """A section on what was inferred from the events before the report begins; `record` is None if nothing was."""

    columns: ClassVar[tuple[str, ...]] = ()

    def __init__(self, sample: Sample) -> None:
        """Prepare for `sample`."""
        self.record = sample.limits.inference if sample.limits else None

    def fill(self, batch: EventBatch) -> None:
        """Ignore the events: they were fitted already."""
