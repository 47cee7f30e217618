"""The cut flow: events, weights and efficiencies after each cut."""

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from partonic.events.batch import EventBatch
from partonic.plots.bars import draw_cut_flow
from partonic.plots.canvas import Headline
from partonic.plots.efficiency import Efficiency, efficiency
from partonic.plots.histogram import finite_weights
from partonic.report.content import Content, Plot, Table, number_with_error, percent_with_error
from partonic.report.section import Sample

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["CutFlowSection"]

_MOST_CUTS = 128


class CutFlowSection:
    """Events left after each cut, counted again from the events."""

    name: ClassVar[str] = "cut_flow"
    title: ClassVar[str] = "Cut flow"
    columns: ClassVar[tuple[str, ...]] = ("weight", "cut")

    def __init__(self, sample: Sample) -> None:
        """Prepare for `sample`."""
        self.sample = sample
        # Rows: events, Σw, Σw². Column k: events that fail cut k first; the last column: events that pass all.
        self.failed = np.zeros((3, _MOST_CUTS + 1))

    def fill(self, batch: EventBatch) -> None:
        """Add one batch of events."""
        known = batch.valid("cut")
        weight = finite_weights(batch.weight[known], "weight")
        cut = batch.table.column("cut").drop_null().to_numpy().astype(np.int64)
        place = np.where(cut < 0, _MOST_CUTS, cut)
        for row, amount in enumerate((np.ones_like(weight), weight, weight**2)):
            self.failed[row] += np.bincount(place, amount, minlength=_MOST_CUTS + 1)

    def content(self) -> Content:
        """Return the table of the cut flow and its figure."""
        if not self.failed[0].any():
            return Content(missing=("No selection was applied to these events: there is no cut flow.",))
        names, left = self._steps()
        total = efficiency((left[1], left[2]), (left[1][0], left[2][0]))
        before = np.concatenate([left[:, :1], left[:, :-1]], axis=1)
        step = efficiency((left[1], left[2]), (before[1], before[2]))
        return Content(
            paragraphs=("Efficiencies are of weights, with 68% Wilson intervals from the effective number of events.",),
            missing=self._disagreement(left),
            tables=(_table(names, left, step, total, self.sample.weight_unit),),
            plots=(Plot("cut_flow", "Share of all events that is left after each cut.", _Drawer(names, total)),),
            results={
                "steps": names,
                "events": left[0].tolist(),
                "weights": left[1].tolist(),
                "squared_weights": left[2].tolist(),
                "total_efficiency": total.record(),
                "step_efficiency": step.record(),
            },
        )

    def _steps(self) -> tuple[list[str], np.ndarray]:
        """Return the names of the steps and what is left after each, `(3, steps)`."""
        recorded = [step.name for step in self.sample.metadata.cut_flow[1:]]
        used = np.flatnonzero(self.failed[0, :_MOST_CUTS])
        number = max(len(recorded), int(used[-1]) + 1 if len(used) else 0)
        names = recorded + [f"cut {index + 1}" for index in range(len(recorded), number)]
        lost = np.cumsum(self.failed[:, :number], axis=1)
        everything = self.failed.sum(axis=1, keepdims=True)
        return ["all events", *names], np.concatenate([everything, everything - lost], axis=1)

    def _disagreement(self, left: np.ndarray) -> tuple[str, ...]:
        recorded = [step.events for step in self.sample.metadata.cut_flow]
        counted = [int(number) for number in left[0]]
        if not recorded or recorded == counted:
            return ()
        return (
            f"The cut flow recorded in the store ({recorded}) differs from the events in it ({counted}); the table "
            "shows the latter.",
        )


def _table(names: list[str], left: np.ndarray, step: Efficiency, total: Efficiency, unit: str) -> Table:
    rows = tuple(
        (
            name,
            f"{int(left[0, k]):,}",
            number_with_error(left[1, k], float(np.sqrt(left[2, k]))),
            "–" if k == 0 else percent_with_error(step.value[k], step.below[k], step.above[k]),
            "–" if k == 0 else percent_with_error(total.value[k], total.below[k], total.above[k]),
        )
        for k, name in enumerate(names)
    )
    headings = ("after the cut", "events", f"sum of weights [{unit}]", "efficiency of the cut", "efficiency so far")
    return Table("Events that pass this and all earlier cuts.", headings, rows)


class _Drawer:
    def __init__(self, names: list[str], total: Efficiency) -> None:
        self.names = names
        self.total = total

    def __call__(self, headline: Headline) -> "Figure":
        return draw_cut_flow(self.names, self.total, headline=headline)
