"""How well signal and background are told apart: ROC curves of the densities and of a classifier."""

from functools import partial
from typing import TYPE_CHECKING, ClassVar

from partonic.classify.roc import RocCurve
from partonic.classify.roc_file import Discrimination
from partonic.errors import EventFileError, InferenceError, ParameterError
from partonic.events.batch import EventBatch
from partonic.plots.canvas import Headline
from partonic.plots.roc import draw_roc_curves
from partonic.report.content import Content, Plot, Table
from partonic.report.limits import Limits
from partonic.report.section import Sample

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["DiscriminantSection"]

_SIGNAL_EFFICIENCIES = (0.3, 0.5, 0.8)
_EXPLANATION = (
    "The discriminant of the matrix element method is P_sig/(P_sig + k P_bkg); if the densities are right, no other "
    "number of an event separates better. Areas under the curves: 0.5 separates nothing, 1 everything; their errors "
    "come from a bootstrap of the events."
)


class DiscriminantSection:
    """Separation of signal and background."""

    name: ClassVar[str] = "discriminant"
    title: ClassVar[str] = "Signal against background"
    columns: ClassVar[tuple[str, ...]] = ()

    def __init__(self, sample: Sample) -> None:
        """Prepare for `sample`."""
        self.limits = sample.limits or Limits()

    def fill(self, batch: EventBatch) -> None:
        """Ignore the events: the curves come from their coefficients."""

    def content(self) -> Content:
        """Return the curves and their areas, for each background."""
        missing, found = [], [self.limits.discrimination] if self.limits.discrimination else []
        try:
            known = {each.background for each in found}
            more = self.limits.fitted.discriminations() if self.limits.fitted else ()
            found += [each for each in more if each.background not in known]
        except (EventFileError, InferenceError, ParameterError) as error:
            missing.append(f"The events of the fit cannot be read any more: {error}.")
        if not found:
            missing.append("There are no ROC curves of signal against background.")
        return Content(
            paragraphs=(_EXPLANATION,) if found else (),
            missing=tuple(missing),
            tables=tuple(map(_areas, found)),
            plots=tuple(_plot(number, each) for number, each in enumerate(found)),
            results={"backgrounds": [_record(each) for each in found]},
        )


def _record(found: Discrimination) -> dict[str, object]:
    return {
        "signal": found.signal,
        "background": found.background,
        "events": list(found.events),
        "areas": {curve.name: curve.auc.to_json() for curve in found.curves},
        "facts": dict(found.facts),
    }


def _plot(number: int, found: Discrimination) -> Plot:
    return Plot(
        f"discriminant_roc_{number + 1}",
        f"Efficiency of {found.signal} against that of {found.background} for cuts on each number.",
        partial(_draw, found),
    )


def _areas(found: Discrimination) -> Table:
    headings = tuple(f"{found.background} kept at {share:.0%} {found.signal}" for share in _SIGNAL_EFFICIENCIES)
    return Table(
        f"{found.signal} against {found.background}, {found.events[0]:,} and {found.events[1]:,} events: area under "
        "each curve, background efficiencies, and the shares of events without the number, which are left out.",
        ("number", "area", *headings, f"{found.signal} without", f"{found.background} without"),
        tuple(_row(curve) for curve in found.curves),
    )


def _row(curve: RocCurve) -> tuple[str, ...]:
    kept = (f"{curve.background_at(share):.1%}" for share in _SIGNAL_EFFICIENCIES)
    return curve.name, str(curve.auc), *kept, f"{curve.unusable_signal:.2%}", f"{curve.unusable_background:.2%}"


def _draw(found: Discrimination, headline: Headline) -> "Figure":
    return draw_roc_curves(found.curves, (found.signal, found.background), headline=headline)
