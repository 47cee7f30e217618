"""The bins of r(x|θ*) in each region, and what signal and backgrounds yield in them.

Bins are those of two observables, one inside the other: the region, and the ratio in it. Edges are quantiles of a
mixture of the signal at θ* and in the Standard Model, so that some bins are fine where the ratio is large; bins in
which too little was simulated are joined to the next lower one.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from partonic.config.inference.template import TemplateConfig
from partonic.errors import InferenceError
from partonic.inference.binned.binning import Binning
from partonic.inference.binned.templates import BackgroundTemplate, Templates
from partonic.inference.coefficients.observables import quantile_edges
from partonic.inference.optimised_template.events import TemplateEvents

__all__ = ["OBSERVABLES", "BinRules", "choose_bins", "fill_template", "ratios_at", "region_names"]

Array = NDArray[np.float64]

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


def ratios_at(ratios: Array, events: TemplateEvents, theta: Array) -> Array:
    """Return r(x|θ, θ_SM) of events with R_a `(N, A)`, NaN where they have none, `(N,)`."""
    monomials = events.mixture.signal.monomials
    here = ratios @ monomials.evaluate(events.standard)
    values: Array = (ratios @ monomials.evaluate(theta)) / np.where(here > 0, here, np.nan)
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
    values = ratios_at(events.ratios, events, theta)
    densities = [np.maximum(events.weights @ monomials.evaluate(point), 0.0) for point in (events.standard, theta)]
    mixed = sum(
        part * each / max(each.sum(), np.finfo(np.float64).tiny)
        for part, each in zip((1.0 - rules.tail, rules.tail), densities, strict=True)
    )
    of_backgrounds = [(each.region, ratios_at(each.ratios, events, theta)) for each in events.backgrounds]
    inner = []
    for number, (name, bins) in enumerate(zip(rules.names, rules.bins, strict=True)):
        there = (events.region == number) & np.isfinite(values)
        behind = [each[(where == number) & np.isfinite(each)] for where, each in of_backgrounds]
        inner.append(() if bins == 1 else _edges(name, values[there], mixed[there], behind, bins, rules))
    outer = tuple(0.5 + number for number in range(len(rules.names) - 1))
    known = [np.isfinite(values), *(np.isfinite(each) for _, each in of_backgrounds)]
    return Binning(OBSERVABLES, outer, tuple(inner), unusable=not all(each.all() for each in known))


def fill_template(events: TemplateEvents, theta: Array, binning: Binning) -> Templates:
    """Return signal and backgrounds in the bins of `choose_bins`.

    Raises:
        ParameterError: if a background is negative in a bin.
    """
    place = np.column_stack([events.region, ratios_at(events.ratios, events, theta)])
    filled = Templates.fill(binning, events.mixture.signal.monomials, place, events.weights)
    return filled.with_backgrounds(
        [
            BackgroundTemplate.fill(
                each.name,
                binning,
                np.column_stack([each.region, ratios_at(each.ratios, events, theta)]),
                each.weights,
                each.uncertainty,
            )
            for each in events.backgrounds
        ]
    )


def _edges(
    name: str, values: Array, weights: Array, backgrounds: list[Array], bins: int, rules: BinRules
) -> tuple[float, ...]:
    behind = np.concatenate(backgrounds) if backgrounds else np.zeros(0)
    needed = (rules.min_events, rules.min_background_events if backgrounds else 0)
    for what, there, fewest in (("signal", len(values), needed[0]), ("background", len(behind), needed[1])):
        if there < 2 * fewest:
            raise InferenceError(
                f"the region '{name}' of `inference.template` has {there} simulated {what} events to choose bins with: "
                f"expected {2 * fewest} or more for two bins of {fewest}. Simulate more, widen the region, or lower "
                f"`min_{'' if what == 'signal' else 'background_'}events`"
            )
    if not weights.sum() > 0 or not (values > values.min()).any():
        return ()  # all events have one ratio, as at θ* = θ_SM
    edges = quantile_edges(values, weights, bins)
    counts = [np.bincount(np.searchsorted(edges, each, side="right"), minlength=len(edges) + 1)
              for each in (values, behind)]  # fmt: skip
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
