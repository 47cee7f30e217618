"""Which events carry the information: how few have most of it, and what they look like."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from partonic.errors import PartonicError
from partonic.events.batch import EventBatch
from partonic.inference.experiments.estimator_quality import score_of
from partonic.plots.canvas import Headline
from partonic.plots.statistics.shares import draw_shares
from partonic.report.content import Content, Plot, Table
from partonic.report.features import features_of
from partonic.report.labels import parameter_label
from partonic.report.limits import IntegratedEvents
from partonic.report.section import Sample

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["InformativeEventsSection"]

Array = NDArray[np.float64]

_TOP = 0.01
"""Part of the expected events that is called the most informative."""

_FEW = 20
"""Events among them below which their means are not told."""

_ROUNDING = 1e-6
"""Information of a parameter relative to that of its square below which it enters squared only."""

_MOST_FEATURES = 12


@dataclass(frozen=True, eq=False)
class _Ranked:
    """Information on one parameter, event by event.

    Attributes:
        name: of the parameter, with ``^2`` where it enters squared.
        events: cumulative part of the expected events, the most informative first, `(N,)`.
        information: the part of the information that they have, `(N,)`.
        order: of the events, `(N,)`.
        top: number of those that are the most informative.
    """

    name: str
    events: Array
    information: Array
    order: NDArray[np.int64]
    top: int

    @property
    def share_of_top(self) -> float:
        return float(np.interp(_TOP, self.events, self.information))

    @property
    def half(self) -> float:
        """Part of the events that has half of the information."""
        return float(np.interp(0.5, self.information, self.events))


class InformativeEventsSection:
    """The concentration of the Fisher information, by the coefficients that are fitted."""

    name: ClassVar[str] = "informative_events"
    title: ClassVar[str] = "Which events carry the information"
    columns: ClassVar[tuple[str, ...]] = ()

    def __init__(self, sample: Sample) -> None:
        """Prepare for `sample`."""
        self.integrated = tuple(each for each in (sample.limits.integrated if sample.limits else ()) if _varies(each))

    def fill(self, batch: EventBatch) -> None:
        """Ignore the events: their coefficients are there already."""

    def content(self) -> Content:
        """Return the cumulative shares, and the mean features of the most informative events against all."""
        if not self.integrated:
            return Content(missing=("There are no simulated events with coefficients that depend on θ.",))
        events = self.integrated[0]
        ranked, weights, usable = _ranked(events)
        if not ranked:
            return Content(missing=("No event tells anything of a parameter in the Standard Model.",))
        caption = (
            f"Part of the Fisher information in the Standard Model, by the estimator '{events.coefficients.source}', "
            "that the most informative part of the expected events has. Information is that of the shape: w (s − s̄)² "
            "with the score s of an event; of parameters that enter squared only, the score of their square."
        )
        tables, missing = [], list[str]()
        try:
            tables.append(_features(events, ranked, weights, usable))
        except PartonicError as error:
            missing.append(f"The features of the events cannot be read: {error}")
        return Content(
            paragraphs=tuple(_sentence(each) for each in ranked),
            missing=tuple(missing),
            tables=tuple(tables),
            plots=(Plot("informative_events", caption, partial(_draw, ranked)),),
            results={each.name: {"half": each.half, f"top_{_TOP:g}": each.share_of_top} for each in ranked},
        )


def _varies(events: IntegratedEvents) -> bool:
    return events.weights is not None and len(events.coefficients.monomials) > 1


def _sentence(ranked: _Ranked) -> str:
    return (
        f"{ranked.name}: the most informative {_TOP:.0%} of the events have {ranked.share_of_top:.1%} of the "
        f"information; half of it is in {ranked.half:.1%} of the events."
    )


def _ranked(events: IntegratedEvents) -> tuple[list[_Ranked], Array, NDArray[np.bool_]]:
    """Return the ranking by each parameter, and weights `(N,)` of the usable events `(all,)`."""
    coefficients, usable = events.coefficients, events.coefficients.usable()
    monomials = coefficients.monomials
    row, slope = monomials.evaluate(coefficients.reference), monomials.gradient(coefficients.reference)
    weights = np.zeros(0) if events.weights is None else np.maximum(events.weights[usable] @ row, 0.0)
    if not weights.sum() > 0:
        return [], weights, usable
    ratios = coefficients.ratios[usable]
    linear = score_of(ratios, row, slope)
    found = []
    for place, name in enumerate(monomials.parameters):
        score, label = linear[:, place], name
        power = tuple(2 if other == name else 0 for other in monomials.parameters)
        if power in monomials.exponents:
            squared = ratios[:, monomials.exponents.index(power)]
            if _shape(weights, score).sum() < _ROUNDING * _shape(weights, squared).sum():
                score, label = squared, f"{name}^2"
        information = _shape(weights, score)
        if information.sum() > 0 and score.std() > _ROUNDING * np.abs(score).max():
            found.append(_ranking(label, weights, information))
    return found, weights, usable


def _shape(weights: Array, score: Array) -> Array:
    """Return the information of each event in the shape, `(N,)`."""
    found: Array = weights * (score - weights @ score / weights.sum()) ** 2
    return found


def _ranking(name: str, weights: Array, information: Array) -> _Ranked:
    """Rank events by their information for each expected event."""
    density = np.divide(information, weights, out=np.zeros_like(weights), where=weights > 0)
    order = np.argsort(-density, kind="stable")
    events, share = np.cumsum(weights[order]), np.cumsum(information[order])
    events, share = events / events[-1], share / share[-1]
    return _Ranked(name, events, share, order, int(np.searchsorted(events, _TOP, side="right")))


def _features(events: IntegratedEvents, ranked: list[_Ranked], weights: Array, usable: NDArray[np.bool_]) -> Table:
    """Return the weighted means of features of all events, and of the most informative ones by each parameter."""
    known = tuple(events.metadata.facts.get("features") or ())[:_MOST_FEATURES] or ("high_level",)
    names, values = features_of(events, known)
    values = values[usable]
    told = [each for each in ranked if each.top >= _FEW]
    rows = tuple(_rows(names[:_MOST_FEATURES], values, weights, told))
    columns = ("feature", "all events", *(f"best {_TOP:.0%} for {each.name}" for each in told))
    caption = (
        f"Weighted means of features: of all events, and of the {_TOP:.0%} that tell most of a parameter. In brackets: "
        "the difference in units of the standard deviation of all events."
    )
    return Table(caption, columns, rows)


def _rows(names: tuple[str, ...], values: Array, weights: Array, told: list[_Ranked]) -> Iterator[tuple[str, ...]]:
    for column, name in enumerate(names):
        mean, deviation = _moments(values[:, column], weights)
        cells = [f"{mean:.4g}"]
        for each in told:
            best = each.order[: each.top]
            there, _ = _moments(values[best, column], weights[best])
            cells.append(f"{there:.4g} ({(there - mean) / deviation if deviation > 0 else 0.0:+.2f})")
        yield (name, *(cell.replace("-", "−") for cell in cells))


def _moments(values: Array, weights: Array) -> tuple[float, float]:
    """Return weighted mean and standard deviation of what events have of a feature."""
    known = np.isfinite(values) & (weights > 0)
    if not known.any():
        return float("nan"), 0.0
    w, x = weights[known], values[known]
    mean = float(w @ x / w.sum())
    return mean, float(np.sqrt(w @ (x - mean) ** 2 / w.sum()))


def _draw(ranked: list[_Ranked], headline: Headline) -> "Figure":
    curves = {_label(each.name): (each.events, each.information) for each in ranked}
    return draw_shares(curves, titles=("part of the expected events", "part of the information"), headline=headline)


def _label(name: str) -> str:
    base, square, _ = name.partition("^2")
    return parameter_label(base) + ("²" if square else "")
