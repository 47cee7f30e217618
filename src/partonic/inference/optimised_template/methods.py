"""The template beside other methods in the same regions, with and without the backgrounds.

Each has the Fisher information in the Standard Model and the expected interval of each parameter, the others known and
normalisations of backgrounds fitted along, with the statistical errors of the simulated events of signal and
backgrounds: a jackknife that leaves out a tenth of the parton events at a time, with the bins as they are.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from partonic.config.inference.template import TemplateConfig
from partonic.inference.binned.binning import Binning
from partonic.inference.binned.templates import Templates
from partonic.inference.experiments.comparison import natural_scale
from partonic.inference.likelihood.mixture import Mixture
from partonic.inference.optimised_template.asimov import Asimov
from partonic.inference.optimised_template.backgrounds import BackgroundEvents
from partonic.inference.optimised_template.events import TemplateEvents
from partonic.inference.optimised_template.merit import information_of
from partonic.inference.optimised_template.template import (
    BinRules,
    choose_bins,
    fill_template,
    filled,
    histogram_bins,
)
from partonic.inference.optimised_template.unbinned import UnbinnedEvents

__all__ = ["compared_in_regions"]

Array = NDArray[np.float64]

GROUPS = 10
"""Of the jackknife."""

_COARSE = 61
"""Points of the grid of the jackknife, whose differences need no more."""

Numbers = dict[str, float]
Found = tuple[Array, Asimov]
Build = Callable[[TemplateEvents], Found]
"""What makes the information `(K,)` and the expected likelihood from simulated events."""


def compared_in_regions(
    events: TemplateEvents,
    theta: Array,
    section: TemplateConfig,
    names: tuple[str, ...],
    level: float,
    histograms: Mapping[str, tuple[float, ...]],
) -> dict[str, dict[str, dict[str, Numbers]]]:
    """Return the numbers of each method by parameter, under ``backgrounds`` and ``signal_alone``.

    They are ``information``, the ``length`` of the interval and its ``best`` value, each with its ``_error``. Where the
    best value is off by more than its error and not little in units of the length, the likelihood is biased by what
    the estimator does not know, and its length says nothing.

    Args:
        events: simulated events of signal and backgrounds.
        theta: θ* of the templates, `(K,)`.
        section: settings of the template.
        names: parameters.
        level: confidence level of the intervals.
        histograms: edges between the bins of the observables of the events, by name.

    Raises:
        InferenceError: if there are too few events for the bins.
    """
    rules, found = BinRules.of(section), {}
    for kind, some in (("signal_alone", events.alone()), ("backgrounds", events)):
        if kind == "backgrounds" and not events.backgrounds:
            continue
        methods = dict(_methods(some, theta, rules, histograms))
        found[kind] = {method: _numbers(build, some, names, level) for method, build in methods.items()}
    return found


def _methods(
    events: TemplateEvents, theta: Array, rules: BinRules, histograms: Mapping[str, tuple[float, ...]]
) -> Iterator[tuple[str, Build]]:
    """Yield the methods by name; bins are chosen on all events."""
    if not events.backgrounds:
        yield "truth", _truth
    learned = events.behind is not None and all(each.behind is not None for each in events.backgrounds)
    if not events.backgrounds or learned:
        yield "unbinned", partial(_unbinned, learned=True)
    if events.backgrounds:
        yield "unbinned, backgrounds by region", partial(_unbinned, learned=False)
        if learned:
            knowing = replace(events, knows_backgrounds=True)
            yield "template, mixture", partial(_template, True, theta, choose_bins(knowing, theta, rules))
    plain = replace(events, knows_backgrounds=False)
    yield "template, signal", partial(_template, False, theta, choose_bins(plain, theta, rules))
    for name in (each for each in histograms if each in events.observed):
        binning = histogram_bins(events, partial(_observed, name), rules, histograms[name])
        yield f"histogram {name}", partial(_histogram, name, binning)
    yield "rate", partial(_histogram, None, Binning(("region", "all"), _between(rules), ((),) * len(rules.names)))


def _numbers(build: Build, events: TemplateEvents, names: tuple[str, ...], level: float) -> dict[str, Numbers]:
    monomials, standard = events.mixture.signal.monomials, events.standard
    places = [monomials.parameters.index(name) for name in names]
    information, asimov = build(events)
    reach = {name: natural_scale(events.weights, monomials, name) for name in names}
    intervals = {name: asimov.interval(name, standard, level, reach[name]) for name in names}
    others = [build(events.without(group, GROUPS)) for group in range(GROUPS)]
    found = {}
    for name, place in zip(names, places, strict=True):
        length, best = intervals[name]
        coarse = [each.interval(name, standard, level, reach[name], _COARSE) for _, each in others]
        found[name] = {
            "information": float(information[place]),
            "information_error": _error([float(each[place]) for each, _ in others]),
            "length": length,
            "length_error": _error([each for each, _ in coarse]),
            "best": best,
            "best_error": _error([each for _, each in coarse]),
        }
    return found


def _error(values: list[float]) -> float:
    """Return the standard error of the jackknife."""
    return float(np.sqrt((len(values) - 1) * np.var(values)))


def _truth(events: TemplateEvents) -> Found:
    """Return what the weights of the partons know of each event."""
    vector = events.mixture.signal.monomials.evaluate(events.standard)
    at_standard = events.weights @ vector
    safe = np.where(at_standard > 0, at_standard, np.nan)
    return _unbinned(replace(events, ratios=events.weights / safe[:, None]))


def _unbinned(events: TemplateEvents, learned: bool = True) -> Found:
    single = UnbinnedEvents.of(events, learned)
    luminosity = events.mixture.luminosity
    return single.information(luminosity), single.asimov(luminosity)


def _template(knows_backgrounds: bool, theta: Array, binning: Binning, events: TemplateEvents) -> Found:
    return _of_bins(fill_template(replace(events, knows_backgrounds=knows_backgrounds), theta, binning), events.mixture)


def _histogram(name: str | None, binning: Binning, events: TemplateEvents) -> Found:
    return _of_bins(filled(events, partial(_observed, name), binning), events.mixture)


def _observed(name: str | None, one: TemplateEvents | BackgroundEvents) -> Array:
    return np.zeros(len(one.region)) if name is None else one.observed[name]


def _of_bins(templates: Templates, mixture: Mixture) -> Found:
    standard = templates.monomials.point(mixture.standard_model)
    information = np.diagonal(information_of(templates, standard, mixture.luminosity))
    return information, Asimov.of_templates(templates, standard, mixture.luminosity)


def _between(rules: BinRules) -> tuple[float, ...]:
    return tuple(0.5 + number for number in range(len(rules.names) - 1))
