"""Collects what is needed of the events, batch by batch, and gives the quality at the end."""

from collections.abc import Sequence

import torch

from partonic.errors import EventFileError
from partonic.unfolding.quality.assess import Tested, assess
from partonic.unfolding.quality.classifier import ClassifierSettings
from partonic.unfolding.quality.events import EvaluatedEvents
from partonic.unfolding.quality.result import UnfoldingQuality
from partonic.unfolding.quality.single_event import SingleEvent
from partonic.unfolding.quality.table import EventTable, tabulate

__all__ = ["QualityAccumulator"]

_FEWEST_EVENTS = 50
"""Fewer events say nothing about the quality of a model."""


class QualityAccumulator:
    """Fill it with batches of held-out events, then ask for the `result`.

    About 1.2 kB are kept of each event, however many samples it has.
    """

    def __init__(self, view: str, periodic: Sequence[int], generator: torch.Generator) -> None:
        """Prepare for the events of one model.

        Args:
            view: name of the parton view.
            periodic: indices of the unit-cube numbers that are periodic.
            generator: draws the references of the coverage tests and the two-sample test.
        """
        self.view = view
        self.periodic = tuple(periodic)
        self.generator = generator
        self.unusable = 0
        self.single_events: list[SingleEvent] = []
        self._tables: list[EventTable] = []
        self._dimensions = 0
        self._samples = 0

    def fill(self, events: EvaluatedEvents) -> None:
        """Add a batch of events.

        Raises:
            NonFiniteError: if a number is NaN or infinite.
            ValueError: if the batches have different numbers of samples.
        """
        if not len(events):
            return
        _, samples, dimensions = events.samples.numbers.shape
        if self._tables and samples != self._samples:
            raise ValueError(f"all batches must have {self._samples} samples per event, got {samples}")
        self._samples, self._dimensions = samples, dimensions
        self._tables.append(tabulate(events, self.periodic, self.generator))

    @property
    def events(self) -> int:
        """Number of events so far."""
        return sum(len(table) for table in self._tables)

    def result(self, classifier: ClassifierSettings | None = None) -> UnfoldingQuality:
        """Return the quality.

        Raises:
            EventFileError: if there are too few events to say anything.
        """
        if self.events < _FEWEST_EVENTS:
            raise EventFileError(
                f"the quality of unfolding needs {_FEWEST_EVENTS} or more selected events that the model can use, got "
                f"{self.events}: generate and simulate more events"
            )
        tested = Tested(self.view, self._dimensions, self._samples, self.unusable)
        table = EventTable.joined(self._tables)
        return assess(table, tested, self.generator, classifier, tuple(self.single_events))
