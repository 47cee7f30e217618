"""One fitted parameter as the report states it: its intervals first, then the best fit with errors by their cause.

Where a likelihood has two valleys, or nearly so, the curvature at its maximum says little about where its intervals
end. So the intervals are what is stated, and whether ± tells the same is a question that is asked here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from partonic.inference.likelihood.intervals import Interval
from partonic.inference.parabola import parabola_misleads
from partonic.inference.record import InferenceRecord

__all__ = ["CAUSES", "FittedValue", "fitted_values"]

CAUSES: Final = ("statistical", "integration", "rate", "calibration", "training", "total")
"""Causes of the errors in a result, in the order of tables."""

_KINDS: Final = ("toys", "total", "asymptotic")
"""Kinds of intervals, those that promise most first."""


@dataclass(frozen=True)
class FittedValue:
    """A parameter that was fitted.

    Attributes:
        name: ASCII name.
        value: best fit.
        errors: standard errors by cause, from the curvature at the best fit; None where not known.
        kind: of the intervals: ``"toys"``, ``"total"`` (likelihood, all errors) or ``"asymptotic"`` (likelihood only);
            empty where there are none, as for normalisations.
        intervals: of that kind, lowest level first.
        truth: true value; None for collision data and for normalisations.
    """

    name: str
    value: float
    errors: Mapping[str, float | None]
    kind: str
    intervals: tuple[Interval, ...]
    truth: float | None

    @property
    def error(self) -> float | None:
        """Standard error of all causes together."""
        return self.errors["total"]

    @property
    def widest(self) -> Interval | None:
        """The interval of the highest level."""
        return self.intervals[-1] if self.intervals else None

    @property
    def truth_inside(self) -> bool | None:
        """Whether the widest interval holds the truth; None where either is not known."""
        if self.widest is None or self.truth is None:
            return None
        return self.truth in self.widest

    @property
    def parabola_misleads(self) -> bool:
        """Whether best fit ± error says something else than the intervals."""
        return any(self._differs(interval) for interval in self.intervals)

    def _differs(self, interval: Interval) -> bool:
        error = self.errors["statistical" if self.kind == "asymptotic" else "total"]
        return parabola_misleads(self.value, error, interval)


def fitted_values(record: InferenceRecord) -> tuple[FittedValue, ...]:
    """Return the parameters that an inference fitted: those of the theory first, then normalisations."""
    free = [name for name, found in record.result["best_fit"].items() if found["free"]]
    return tuple(_fitted(record, name) for name in sorted(free, key=lambda name: name not in record.fitted))


def _fitted(record: InferenceRecord, name: str) -> FittedValue:
    found = record.result["best_fit"][name]
    kind, intervals = "", tuple[Interval, ...]()
    if name in record.fitted:
        each = {kind: record.intervals(name, kind) for kind in _KINDS}
        kind = next((kind for kind in _KINDS if each[kind]), "")
        intervals = tuple(sorted(each.get(kind, ()), key=lambda interval: interval.level))
    truth = record.truth(name) if name in record.result["parameters"] else None
    return FittedValue(name, found["value"], {cause: found[cause] for cause in CAUSES}, kind, intervals, truth)
