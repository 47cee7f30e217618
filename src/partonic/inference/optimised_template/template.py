"""The bins of r(x|θ*) in each region, and what signal and backgrounds yield in them.

Bins are those of two observables, one inside the other: the region, and the ratio in it. Edges are quantiles of a
mixture of the signal at θ* and in the Standard Model, so that some bins are fine where the ratio is large; bins in
which too little was simulated are joined to the next lower one.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from partonic.config.inference.template import TemplateConfig
from partonic.errors import InferenceError
from partonic.inference.binned.binning import Binning
from partonic.inference.binned.templates import BackgroundTemplate, Templates
from partonic.inference.coefficients.observables import quantile_edges
from partonic.inference.optimised_template.backgrounds import BackgroundEvents
from partonic.inference.optimised_template.events import TemplateEvents

__all__ = [
    "OBSERVABLES", "BinRules", "Values", "choose_bins", "fill_template", "filled", "histogram_bins", "region_names",
    "score_of",
]  # fmt: skip

Array = NDArray[np.float64]
Values = Callable[[TemplateEvents | BackgroundEvents], Array]
"""One number of each event of signal or of a background, `(N,)`."""
Seen = tuple[Array, NDArray[np.int64]]
"""That number of the events of a process in a region, and the numbers of their parton events."""

OBSERVABLES = ("region", "ratio")
"""What is binned: the number of the region, and r(x|θ*, θ_SM)."""

_ONLY_REGION = "all"


@dataclass(frozen=True)
class BinRules:
    """How many bins there are and what must be in them.

    Attributes:
        names: of the regions.
        bins: most bins of the ratio in each region.
        tail: part of the mixture that is the signal at θ*.
        min_events: fewest simulated signal events of a bin.
        min_background_events: fewest simulated background events of a bin, where there are backgrounds.
    """

    names: tuple[str, ...]
    bins: tuple[int, ...]
    tail: float
    min_events: int
    min_background_events: int

    @classmethod
    def of(cls, config: TemplateConfig) -> "BinRules":
        """Return the rules of the settings."""
        bins = tuple(region.bins for region in config.regions.values()) or (config.bins,)
        return cls(region_names(config), bins, config.tail, config.min_events, config.min_background_events)


def region_names(config: TemplateConfig) -> tuple[str, ...]:
    """Return the names of the regions, in their order."""
    return tuple(config.regions) or (_ONLY_REGION,)


def score_of(one: TemplateEvents | BackgroundEvents, events: TemplateEvents, theta: Array) -> Array:
    """Return the ratio that is binned, NaN where an event has none, `(N,)`.

    That is r(x|θ, θ_SM) of the signal or, where it has the backgrounds in it, that of signal and backgrounds together,

        (R(x)·m(θ) + Σ_b P_b(x)/P(x|SM)) / (R(x)·m(θ_SM) + Σ_b P_b(x)/P(x|SM)),

    which is 1 where background is all that there can be.

    Args:
        one: signal or background.
        events: the signal, which says which of the two ratios is meant.
        theta: θ, `(K,)`.
    """
    monomials = events.mixture.signal.monomials
    here, there = one.ratios @ monomials.evaluate(events.standard), one.ratios @ monomials.evaluate(theta)
    known = here > 0
    if events.knows_backgrounds and one.behind is not None:
        behind = one.behind.sum(axis=1)
        here, there = here + behind, there + behind
    values: Array = there / np.where(known, here, np.nan)
    return values


def choose_bins(events: TemplateEvents, theta: Array, rules: BinRules) -> Binning:
    """Return the bins for θ*.

    Args:
        events: simulated events.
        theta: θ*, `(K,)`.
        rules: number of bins and what must be in them.

    Raises:
        InferenceError: if a region has too few simulated events for two bins.
    """
    monomials = events.mixture.signal.monomials
    values = score_of(events, events, theta)
    densities = [np.maximum(events.weights @ monomials.evaluate(point), 0.0) for point in (events.standard, theta)]
    mixed = sum(
        part * each / max(each.sum(), np.finfo(np.float64).tiny)
        for part, each in zip((1.0 - rules.tail, rules.tail), densities, strict=True)
    )

    def ends(number: int, there: NDArray[np.bool_]) -> tuple[float, ...]:
        if not mixed[there].sum() > 0 or not (values[there] > values[there].min()).any():
            return ()  # all events have one ratio, as at θ* = θ_SM
        return tuple(quantile_edges(values[there], mixed[there], rules.bins[number]).tolist())

    return _bins(events, partial(_score, events, theta), rules, ends)


def histogram_bins(events: TemplateEvents, values: Values, rules: BinRules, edges: tuple[float, ...]) -> Binning:
    """Return the bins of an observable with given edges, joined by the rules, in the regions that have bins.

    Args:
        events: simulated events.
        values: the observable of the events of signal or of a background, NaN where one has none.
        rules: what must be in the bins.
        edges: between them.

    Raises:
        InferenceError: if a region has too few simulated events for two bins.
    """
    return _bins(events, values, rules, lambda number, there: edges)


def _bins(
    events: TemplateEvents, values: Values, rules: BinRules,
    ends: Callable[[int, NDArray[np.bool_]], tuple[float, ...]],
) -> Binning:  # fmt: skip
    """Return regions with bins inside, from the edges of each region's number and events of the signal there."""
    of_signal = values(events)
    of_backgrounds = [values(each) for each in events.backgrounds]
    inner: list[tuple[float, ...]] = []
    for number, (name, bins) in enumerate(zip(rules.names, rules.bins, strict=True)):
        if bins == 1:
            inner.append(())
            continue
        there = (events.region == number) & np.isfinite(of_signal)
        seen = _seen(events, of_signal, there)
        behind = [
            _seen(one, of_one, (one.region == number) & np.isfinite(of_one))
            for one, of_one in zip(events.backgrounds, of_backgrounds, strict=True)
        ]
        _check_counts(name, seen, behind, rules)
        inner.append(_joined(ends(number, there), seen, behind, rules))
    outer = tuple(0.5 + number for number in range(len(rules.names) - 1))
    known = [np.isfinite(of_signal), *(np.isfinite(each) for each in of_backgrounds)]
    return Binning(OBSERVABLES, outer, tuple(inner), unusable=not all(each.all() for each in known))


def fill_template(events: TemplateEvents, theta: Array, binning: Binning) -> Templates:
    """Return signal and backgrounds in the bins of `choose_bins`.

    Raises:
        ParameterError: if a background is negative in a bin.
    """
    return filled(events, partial(_score, events, theta), binning)


def filled(events: TemplateEvents, values: Values, binning: Binning) -> Templates:
    """Return signal and backgrounds in the bins of `histogram_bins`.

    Raises:
        ParameterError: if a background is negative in a bin.
    """

    def place(one: TemplateEvents | BackgroundEvents) -> Array:
        return np.column_stack([one.region, values(one)])

    signal = Templates.fill(binning, events.mixture.signal.monomials, place(events), events.weights)
    return signal.with_backgrounds(
        [
            BackgroundTemplate.fill(each.name, binning, place(each), each.weights, each.uncertainty)
            for each in events.backgrounds
        ]
    )


def _score(events: TemplateEvents, theta: Array, one: TemplateEvents | BackgroundEvents) -> Array:
    return score_of(one, events, theta)


def _seen(one: TemplateEvents | BackgroundEvents, values: Array, there: NDArray[np.bool_]) -> Seen:
    number = np.arange(len(values)) if one.parton_event is None else one.parton_event
    return values[there], number[there]


def _counts(edges: tuple[float, ...], processes: list[Seen]) -> NDArray[np.int64]:
    """Return the numbers of simulated events in bins, copies of a parton event counted once in a bin, `(J,)`."""
    total = np.zeros(len(edges) + 1, dtype=np.int64)
    for values, number in processes:
        place = np.searchsorted(edges, values, side="right")
        total += np.bincount(np.unique(np.column_stack([place, number]), axis=0)[:, 0], minlength=len(total))
    return total


def _check_counts(name: str, signal: Seen, backgrounds: list[Seen], rules: BinRules) -> None:
    counts = [("signal", int(_counts((), [signal]).sum()), rules.min_events)]
    if backgrounds:
        counts.append(("background", int(_counts((), backgrounds).sum()), rules.min_background_events))
    for what, there, fewest in counts:
        if there < 2 * fewest:
            raise InferenceError(
                f"the region '{name}' of `inference.template` has {there} simulated {what} events to choose bins with: "
                f"expected {2 * fewest} or more for two bins of {fewest}. Simulate more, widen the region, or lower "
                f"`min_{'' if what == 'signal' else 'background_'}events`"
            )


def _joined(edges: tuple[float, ...], signal: Seen, backgrounds: list[Seen], rules: BinRules) -> tuple[float, ...]:
    """Return the edges that are left where bins with too few events are joined to the next lower one."""
    needed = (rules.min_events, rules.min_background_events if backgrounds else 0)
    counts = [_counts(edges, [signal]), _counts(edges, backgrounds)]
    kept: list[float] = []
    sums = [0, 0]
    for number in range(len(edges), 0, -1):
        sums = [total + int(each[number]) for total, each in zip(sums, counts, strict=True)]
        if all(total >= fewest for total, fewest in zip(sums, needed, strict=True)):
            kept.insert(0, float(edges[number - 1]))
            sums = [0, 0]
    lowest = [total + int(each[0]) for total, each in zip(sums, counts, strict=True)]
    if kept and not all(total >= fewest for total, fewest in zip(lowest, needed, strict=True)):
        kept.pop(0)
    return tuple(kept)
