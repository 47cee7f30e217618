"""What happened in training, as tables: one row for each epoch, and one for every few steps."""

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from partonic.files import write_text

__all__ = ["History", "RunningMean"]

Row = dict[str, float]


@dataclass
class RunningMean:
    """Means of named figures since the last reset."""

    sums: dict[str, float] = field(default_factory=dict)
    """Sum of each figure."""

    count: int = 0
    """How many times figures were added."""

    def add(self, figures: Mapping[str, float]) -> None:
        """Add one step."""
        self.count += 1
        for name, figure in figures.items():
            self.sums[name] = self.sums.get(name, 0.0) + figure

    def means(self) -> Row:
        """Return the means; none if nothing was added."""
        return {name: total / self.count for name, total in self.sums.items()}


@dataclass
class History:
    """The course of a phase, for plots and reports."""

    epochs: list[Row] = field(default_factory=list)
    """Rows with ``epoch`` (from 1), ``step``, ``learning_rate``, ``skipped`` (steps of this epoch), ``validation``,
    means of ``loss``, ``lagrangian``, ``gradient`` and of the values by name, and ``multiplier.<name>`` at the end."""

    steps: list[Row] = field(default_factory=list)
    """The same without ``validation``, for a tenth of an epoch each."""

    def write(self, folder: Path) -> None:
        """Write `epochs.csv` and `steps.csv` into `folder`.

        Raises:
            OutputError: if they cannot be written.
        """
        write_text(folder / "epochs.csv", _table(self.epochs))
        write_text(folder / "steps.csv", _table(self.steps))


def _table(rows: list[Row]) -> str:
    names = list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
