"""How many events a store has, and what their weights are worth."""

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from partonic.events.batch import EventBatch
from partonic.plots.histogram import finite_weights
from partonic.report.views import selection_of

__all__ = ["EventCounts"]


@dataclass
class EventCounts:
    """Numbers and weights of all and of the selected events, added up batch by batch.

    Attributes:
        sums: number, Σw and Σw² of all (first row) and of the selected events (second row), `(2, 3)`.
        largest: largest |w| among all and among the selected events, `(2,)`.
        negative: events with a negative weight, all and selected, `(2,)`.
        judged: events that a selection was applied to; parton events have none.
    """

    columns: ClassVar[tuple[str, ...]] = ("weight", "selected")

    sums: NDArray[np.float64] = field(default_factory=lambda: np.zeros((2, 3)))
    largest: NDArray[np.float64] = field(default_factory=lambda: np.zeros(2))
    negative: NDArray[np.int64] = field(default_factory=lambda: np.zeros(2, dtype=np.int64))
    judged: int = 0

    def fill(self, batch: EventBatch) -> None:
        """Add one batch of events.

        Raises:
            NonFiniteError: if a weight is NaN or infinite.
        """
        weight = finite_weights(batch.weight, "weight")
        column = batch.table.column("selected")
        self.judged += len(column) - column.null_count
        for row, chosen in enumerate((weight, weight[selection_of(batch)])):
            self.sums[row] += (len(chosen), chosen.sum(), (chosen**2).sum())
            self.largest[row] = max(self.largest[row], np.abs(chosen).max(initial=0.0))
            self.negative[row] += int((chosen < 0).sum())

    @property
    def events(self) -> int:
        """Number of all events."""
        return int(self.sums[0, 0])

    @property
    def selected(self) -> int:
        """Number of selected events."""
        return int(self.sums[1, 0])

    @property
    def weight(self) -> tuple[float, float]:
        """Sum of the weights of all events, and its error."""
        return float(self.sums[0, 1]), float(np.sqrt(self.sums[0, 2]))

    @property
    def selected_weight(self) -> tuple[float, float]:
        """Sum of the weights of the selected events, and its error."""
        return float(self.sums[1, 1]), float(np.sqrt(self.sums[1, 2]))

    def effective(self, *, selected: bool) -> float:
        """Return (Σw)²/Σw² of the selected, or of all events; 0 without any."""
        _, weight, squares = self.sums[int(selected)]
        return float(weight**2 / squares) if squares > 0 else 0.0
