"""From simulated events to the template: θ*, bins, expected intervals, information kept, and the fit of the data."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from partonic.config.inference import InferenceConfig
from partonic.config.inference.template import TemplateConfig
from partonic.errors import InferenceError
from partonic.inference.binned.binned_likelihood import asimov_counts, binned_mixture
from partonic.inference.binned.binning import Binning
from partonic.inference.binned.pyhf_workspace import NOMINAL, MorphedWorkspace, export_workspace
from partonic.inference.binned.templates import Templates
from partonic.inference.experiments.comparison import natural_scale
from partonic.inference.likelihood.mixture import Mixture
from partonic.inference.optimised_template.events import TemplateEvents, template_events
from partonic.inference.optimised_template.information import information_kept
from partonic.inference.optimised_template.intervals import intervals_of
from partonic.inference.optimised_template.merit import expected_lengths, information_of, log_determinant
from partonic.inference.optimised_template.methods import compared_in_regions
from partonic.inference.optimised_template.search import SearchPlan, Trial, search
from partonic.inference.optimised_template.template import BinRules, choose_bins, fill_template, region_names
from partonic.inference.samples import Loaded
from partonic.progress import SILENT, Progress
from partonic.provenance import content_hash
from partonic.rng import numpy_generator

__all__ = ["JOURNAL", "TemplateFit", "optimise_template", "template_of"]

Array = NDArray[np.float64]

JOURNAL = "template_search.jsonl"
"""File of the points that a search has tried, beside the result until that is written."""


@dataclass(frozen=True)
class TemplateFit:
    """The template of an inference.

    Attributes:
        record: all numbers, JSON-like.
        workspace: templates and data for pyhf; None if not asked for.
    """

    record: Mapping[str, Any]
    workspace: MorphedWorkspace | None


@dataclass(frozen=True)
class OptimisedTemplate:
    """θ* and the bins for it.

    Attributes:
        theta: θ*, `(K,)`.
        binning: the bins.
        rest: events that had no part in the choice; all of them if θ* was given.
        trials: points that were tried; none if θ* was given.
        merit: figure of merit of the events that the choice was made on.
    """

    theta: Array
    binning: Binning
    rest: TemplateEvents
    trials: tuple[Trial, ...]
    merit: float


def template_of(
    loaded: Loaded,
    config: InferenceConfig,
    section: TemplateConfig,
    output: Path,
    signal_file: Path | None = None,
    progress: Progress = SILENT,
) -> TemplateFit:
    """Return the template of the simulated events that were read.

    Args:
        loaded: simulated events of the signal, with their coefficients.
        config: the fit.
        section: its template.
        output: folder of the results; the journal of the search is there until it is removed.
        signal_file: file of the coefficients of the signal; None if there is none.
        progress: told of the search.

    Raises:
        InferenceError: if events are missing or too few, or a fit fails.
        EventFileError: if a file of a background is missing or damaged.
        DependencyError: if θ* is to be searched and optuna is not installed.
    """
    data = _data_point(loaded, config)
    events = template_events(loaded, config, section, signal_file)
    names = loaded.setup.interest
    seed = loaded.setup.seed
    found = optimise_template(events, section, names, seed, max(config.levels), output / JOURNAL, progress)
    templates = fill_template(found.rest, found.theta, found.binning)
    mixture = template_mixture(templates, events.mixture, config)
    counts = _counts(templates, mixture, data, config, seed)
    record = {
        "theta_star": dict(zip(templates.monomials.parameters, found.theta.tolist(), strict=True)),
        "searched": bool(found.trials),
        "merit": {
            "kind": section.search.merit,
            "chosen_on": found.merit,
            "others": merit_of(templates, section, names, found.rest, max(config.levels)),
        },
        "trials": [{"theta": dict(each.theta), "merit": each.merit} for each in found.trials],
        "regions": list(region_names(section)),
        "edges": [list(edges) for edges in found.binning.inner],
        "has_bin_without_ratio": found.binning.unusable,
        "yields": _yields(templates, events, config),
        "information": information_kept(found.rest, templates, names, config.luminosity),
        "intervals": {
            "expected": intervals_of(templates, mixture, names, config.levels, asimov_counts(templates, mixture)),
            "expected_without_backgrounds": _without_backgrounds(templates, events.mixture, config, names),
            "data": intervals_of(templates, mixture, names, config.levels, counts),
        },
        "data": {"kind": config.data, "truth": dict(data), "counts": counts.tolist()},
        "methods": _methods(found, section, config, names),
    }
    workspace = None
    if section.workspace:
        measurements = {NOMINAL: mixture.standard_point(), "data": {**mixture.standard_point(), **data}}
        workspace = export_workspace(templates, counts, mixture, measurements, mixture.standard_point())
    return TemplateFit(record, workspace)


def optimise_template(
    events: TemplateEvents,
    section: TemplateConfig,
    names: tuple[str, ...],
    seed: int,
    level: float,
    journal: Path | None = None,
    progress: Progress = SILENT,
) -> OptimisedTemplate:
    """Find θ* on a part of the events, or take the one that is given.

    Args:
        events: simulated events of signal and backgrounds.
        section: settings.
        names: parameters whose sensitivity counts.
        seed: root seed.
        level: confidence level of the intervals.
        journal: file of the points that were tried.
        progress: told of the search.

    Raises:
        InferenceError: if there are too few events for two bins, or no θ* has a finite figure of merit.
        DependencyError: if optuna is needed and not installed.
    """
    rules, monomials = BinRules.of(section), events.mixture.signal.monomials
    if section.theta_star is not None:
        theta = monomials.point({**events.mixture.standard_model, **section.theta_star})
        binning = choose_bins(events, theta, rules)
        merit = merit_of(fill_template(events, theta, binning), section, names, events, level)
        return OptimisedTemplate(theta, binning, events, (), merit)
    part, rest = events.parted(section.search.share, numpy_generator(seed, "template parts"))

    def value(theta: Array) -> float:
        templates = fill_template(part, theta, choose_bins(part, theta, rules))
        return merit_of(templates, section, names, part, level)

    plan = _plan(part, section, seed, journal, names, level)
    trials = search(value, plan, progress)
    best = min(trials, key=lambda each: each.merit)
    theta = monomials.point(best.theta)
    return OptimisedTemplate(theta, choose_bins(part, theta, rules), rest, trials, best.merit)


def merit_of(
    templates: Templates, section: TemplateConfig, names: tuple[str, ...], events: TemplateEvents, level: float
) -> float:
    """Return the figure of merit of a template, the smaller the better; infinite if a parameter has no interval."""
    luminosity, parameters = events.mixture.luminosity, templates.monomials.parameters
    if section.search.merit == "information":
        chosen = [parameters.index(name) for name in names]
        return log_determinant(information_of(templates, events.standard, luminosity)[np.ix_(chosen, chosen)])
    reach = np.array([natural_scale(events.weights, templates.monomials, name) for name in names])
    lengths = expected_lengths(templates, names, events.standard, luminosity, level, reach)
    return float(np.log(lengths).mean()) if (lengths > 0).all() else float("inf")


def template_mixture(templates: Templates, whole: Mixture, config: InferenceConfig) -> Mixture:
    """Return what is fitted, with the rates of the template."""
    mixture = binned_mixture(
        templates, whole.fitted, config.luminosity, config.luminosity_uncertainty, whole.fixed_values,
        config.signal_strength == "free",
    )  # fmt: skip
    return Mixture(
        mixture.signal, mixture.backgrounds, mixture.luminosity, mixture.luminosity_uncertainty, mixture.fitted,
        mixture.fixed_values, mixture.free_signal_strength, whole.theta_constraints,
        standard_model=whole.standard_model,
    )  # fmt: skip


def _plan(
    part: TemplateEvents, section: TemplateConfig, seed: int, journal: Path | None, names: tuple[str, ...], level: float
) -> SearchPlan:
    monomials, standard = part.mixture.signal.monomials, part.standard
    ranges = {}
    for name, centre in zip(monomials.parameters, standard.tolist(), strict=True):
        scale = natural_scale(part.weights, monomials, name)
        ranges[name] = section.search.range.get(name, (centre - scale, centre + scale))
    key = content_hash(
        {
            "section": section.model_dump(mode="json", exclude={"workspace"}),
            "names": list(names),
            "level": level,
            "seed": seed,
            "luminosity": part.mixture.luminosity,
            "ratios": _digest(part.ratios, *(each.ratios for each in part.backgrounds)),
            "behind": _digest(
                *(each for each in (part.behind, *(one.behind for one in part.backgrounds)) if each is not None)
            ),
            "weights": _digest(part.weights, *(each.weights for each in part.backgrounds)),
        }
    )
    known = dict(zip(monomials.parameters, standard.tolist(), strict=True))
    return SearchPlan(ranges, known, section.search.trials, section.search.sampler, seed, journal, key)


def _digest(*arrays: Array) -> list[float]:
    """Return sums of arrays that tell them from others."""
    sums = []
    for each in arrays:
        flat = np.nan_to_num(each).reshape(-1)
        sums += [float(flat.size), float(flat.sum()), float(flat @ np.cos(np.arange(flat.size)))]
    return sums


def _methods(
    found: OptimisedTemplate, section: TemplateConfig, config: InferenceConfig, names: tuple[str, ...]
) -> dict[str, Any]:
    """Return other methods in the same regions, if methods are to be compared."""
    if not config.compare:
        return {}
    edges = {name: next(iter(each.edges.values())) for name, each in config.binned.items()}
    return compared_in_regions(found.rest, found.theta, section, names, max(config.levels), edges)


def _without_backgrounds(
    templates: Templates, whole: Mixture, config: InferenceConfig, names: tuple[str, ...]
) -> dict[str, Any]:
    if not templates.backgrounds:
        return {}
    alone = templates.with_backgrounds(())
    mixture = template_mixture(alone, whole, config)
    return intervals_of(alone, mixture, names, config.levels, asimov_counts(alone, mixture))


def _data_point(loaded: Loaded, config: InferenceConfig) -> Mapping[str, float]:
    """Return θ of the data.

    Raises:
        InferenceError: for events that are fitted as they are.
    """
    if config.data == "events":
        message = (
            "`inference.template` fits pseudo-data or an Asimov sample, for its bins are filled with the same "
            "simulated events: set `inference.data: pseudo`"
        )
        raise InferenceError(message)
    known = loaded.generated_at if config.truth is None else config.truth
    return {**loaded.setup.mixture.standard_point(), **(known or {})}


def _counts(
    templates: Templates, mixture: Mixture, point: Mapping[str, float], config: InferenceConfig, seed: int
) -> Array:
    expected = asimov_counts(templates, mixture, point)
    if config.data == "asimov":
        return expected
    drawn: Array = numpy_generator(seed, "template data").poisson(np.maximum(expected, 0.0)).astype(np.float64)
    return drawn


def _yields(templates: Templates, events: TemplateEvents, config: InferenceConfig) -> dict[str, Any]:
    """Return what is expected in the bins in the Standard Model, with statistical errors of the simulation."""
    per_picobarn = 1e3 * config.luminosity
    signal = templates.signal_yields(events.standard, config.luminosity)
    errors = templates.signal_errors(events.standard, config.luminosity)
    return {
        "monomials": list(templates.monomials.names),
        "exponents": [list(powers) for powers in templates.monomials.exponents],
        "coefficients_pb": templates.signal.tolist(),
        "signal": {"expected": signal.tolist(), "error": errors.tolist()},
        **{
            each.name: {
                "expected": (per_picobarn * each.cross_sections).tolist(),
                "error": (per_picobarn * np.sqrt(each.variances)).tolist(),
            }
            for each in templates.backgrounds
        },
    }
