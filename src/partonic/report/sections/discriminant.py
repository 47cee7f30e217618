"""How well signal and background are told apart: ROC curves of the densities and of a classifier."""

from functools import partial
from typing import TYPE_CHECKING, ClassVar

from partonic.events.batch import EventBatch
from partonic.mem.roc import RocCurve
from partonic.mem.roc_file import Discrimination
from partonic.plots.canvas import Headline
from partonic.plots.roc import draw_roc_curves
from partonic.report.content import Content, Plot, Table
from partonic.report.section import Sample

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["DiscriminantSection"]

_SIGNAL_EFFICIENCIES = (0.3, 0.5, 0.8)


class DiscriminantSection:
    """Separation of signal and background."""

    name: ClassVar[str] = "discriminant"
    title: ClassVar[str] = "Signal against background"
    columns: ClassVar[tuple[str, ...]] = ()

    def __init__(self, sample: Sample) -> None:
        """Prepare for `sample`."""
        self.found = sample.limits.discrimination if sample.limits else None

    def fill(self, batch: EventBatch) -> None:
        """Ignore the events: the curves are there already."""

    def content(self) -> Content:
        """Return the curves and their areas."""
        found = self.found
        if found is None:
            return Content(missing=("There are no ROC curves of signal against background.",))
        return Content(
            paragraphs=(
                f"Events of {found.signal} against those of {found.background}, {found.events[0]:,} and "
                f"{found.events[1]:,}. The discriminant of the matrix element method is P_sig/(P_sig + k P_bkg); no "
                "number of an event separates better if the densities are right. Areas: 0.5 separates nothing, 1 "
                "everything; their errors come from a bootstrap of the events.",
            ),
            tables=(_areas(found),),
            plots=(
                Plot(
                    "discriminant_roc",
                    f"Efficiency of {found.signal} against that of {found.background} for cuts on each number.",
                    partial(_draw, found),
                ),
            ),
            results={
                "signal": found.signal,
                "background": found.background,
                "events": list(found.events),
                "areas": {curve.name: curve.auc.to_json() for curve in found.curves},
                "facts": dict(found.facts),
            },
        )


def _areas(found: Discrimination) -> Table:
    headings = tuple(f"{found.background} kept at {share:.0%} {found.signal}" for share in _SIGNAL_EFFICIENCIES)
    return Table(
        "Area under each curve, background efficiencies, and the shares of events without the number, which are left "
        "out.",
        ("number", "area", *headings, f"{found.signal} without", f"{found.background} without"),
        tuple(_row(curve) for curve in found.curves),
    )


def _row(curve: RocCurve) -> tuple[str, ...]:
    kept = (f"{curve.background_at(share):.1%}" for share in _SIGNAL_EFFICIENCIES)
    return curve.name, str(curve.auc), *kept, f"{curve.unusable_signal:.2%}", f"{curve.unusable_background:.2%}"


def _draw(found: Discrimination, headline: Headline) -> "Figure":
    return draw_roc_curves(found.curves, (found.signal, found.background), headline=headline)
