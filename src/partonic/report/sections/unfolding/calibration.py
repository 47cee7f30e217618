"""Unfolding, calibration: ranks, coverage, density of the truth and two-sample test, also by number of jets."""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from partonic.plots.calibration import draw_coverage, draw_rank_histograms
from partonic.plots.canvas import Headline
from partonic.plots.categories import CategoryBox, draw_categories
from partonic.report.content import Content, Plot, Table, number_with_error
from partonic.report.labels import unfolded_label
from partonic.report.section import ModelSection
from partonic.report.unfolded import UnfoldedModel
from partonic.unfolding.quality.observables import PARTICLES
from partonic.unfolding.quality.ranks import RankTest
from partonic.unfolding.quality.result import MultiplicityQuality, ValueWithError, json_ready

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["UnfoldingCalibrationSection"]

Pair = tuple[NDArray[np.float64], NDArray[np.float64]]


class UnfoldingCalibrationSection(ModelSection):
    """Whether the samples follow the posterior."""

    name: ClassVar[str] = "unfolding_calibration"
    title: ClassVar[str] = "Unfolding: calibration"

    def content(self) -> Content:
        """Return all tests of each model."""
        return Content(
            paragraphs=(
                "Are the samples draws from the posterior? The rank of the truth among the samples of its event is "
                "then uniform in every variable, the region of the densest 68% of the samples holds the truth in 68% "
                "of the events, random regions (TARP, arXiv:2302.03026) cover as they say, and no classifier that "
                "knows the event tells truth and sample apart (accuracy 50%). KS is the largest distance of the "
                "distribution of the ranks to the uniform one. Bands: one and two standard deviations of a "
                "calibrated model; red: outside of what 95% of calibrated models have.",
            ),
            missing=tuple(_warnings(self.models)),
            tables=(_summary(self.models), *(_ranks(model) for model in self.models)),
            plots=tuple(plot for model in self.models for plot in _plots(model)),
            results={model.view: _results(model) for model in self.models},
        )


def _warnings(models: Sequence[UnfoldedModel]) -> Iterator[str]:
    for model in models:
        if model.trained_here:
            yield (
                f"{model.title}: this model was trained on events of this very analysis, so that the figures flatter "
                "it. Judge it on events of another seed."
            )
        if model.quality.unusable:
            yield f"{model.title}: the model could not use {model.quality.unusable:,} events."


def _results(model: UnfoldedModel) -> object:
    names = ("ranks", "distances", "density", "coverage_68", "coverage_95", "log_density", "classifier",
             "by_multiplicity", "events", "samples", "unusable")  # fmt: skip
    return json_ready({name: getattr(model.quality, name) for name in names})


def _summary(models: Sequence[UnfoldedModel]) -> Table:
    rows = []
    for model in models:
        quality = model.quality
        joint = {test.name: test for test in quality.distances}
        worst = quality.rank_ks_max
        rows.append(
            (
                model.title,
                f"{quality.events:,} × {quality.samples}",
                f"{worst.distance:.4f} ({worst.name}; calibrated: below {worst.distance_limit:.4f})",
                f"{joint['all numbers'].distance:.4f}",
                f"{joint['all physical variables'].distance:.4f}",
                _percent(quality.coverage_68),
                _percent(quality.coverage_95),
                _percent(quality.classifier),
                number_with_error(quality.log_density.value, quality.log_density.error),
            )
        )
    return Table(
        "Summary. log q: of the true unit-cube numbers of held-out events, in natural units; 0 is no knowledge.",
        ("view", "events × samples", "largest KS of a variable", "TARP, all numbers", "TARP, physical",
         "in the 68% region", "in the 95% region", "two-sample accuracy", "mean log q"),
        tuple(rows),
    )  # fmt: skip


def _percent(number: ValueWithError) -> str:
    return f"{100 * number.value:.1f} ± {100 * number.error:.1f} %"


def _ranks(model: UnfoldedModel) -> Table:
    tarp = {test.name: test for test in model.quality.distances}
    rows = tuple(
        (test.name, f"{test.distance:.4f}", f"{test.mean_level:.4f}", f"{tarp[test.name].distance:.4f}")
        for test in model.quality.ranks
    )
    limit = model.quality.ranks[0].distance_limit
    return Table(
        f"Each variable, {model.title}: u are the numbers of the unit cube; 95% of calibrated models have a KS "
        f"distance below {limit:.4f} and a mean level of 0.5 ± {0.29 / np.sqrt(model.quality.events):.4f}.",
        ("variable", "KS of ranks", "mean level", "KS of TARP"),
        rows,
    )


def _plots(model: UnfoldedModel) -> Iterator[Plot]:
    numbers = [test for test in model.quality.ranks if test.name.startswith("u")]
    physical = [test for test in model.quality.ranks if not test.name.startswith("u")]
    for name, tests, what in (
        ("numbers", numbers, "numbers of the unit cube"),
        ("physical", physical, "physical variables"),
    ):
        yield Plot(
            f"unfolding_{model.view}_ranks_{name}",
            f"Rank of the truth among the samples: {what}, {model.title}.",
            partial(_draw_ranks, tests),
        )
    yield Plot(
        f"unfolding_{model.view}_coverage",
        f"Coverage of highest-density regions and of random regions in all variables together, {model.title}.",
        partial(_draw_coverage, model),
    )
    yield Plot(
        f"unfolding_{model.view}_multiplicity",
        f"Quality against the number of jets, {model.title}; regression: of pT above 50 GeV.",
        partial(_draw_multiplicity, model),
    )


def _draw_ranks(tests: Sequence[RankTest], headline: Headline) -> "Figure":
    return draw_rank_histograms({unfolded_label(test.name): test for test in tests}, headline=headline)


def _draw_coverage(model: UnfoldedModel, headline: Headline) -> "Figure":
    joint = {f"TARP, {test.name}": test for test in model.quality.distances[-2:]}
    return draw_coverage({"highest-density regions": model.quality.density, **joint}, headline=headline)


def _draw_multiplicity(model: UnfoldedModel, headline: Headline) -> "Figure":
    groups = model.quality.by_multiplicity
    boxes = [
        CategoryBox("in the 68% region", {"": _pair(groups, "coverage_68")}, 0.68),
        CategoryBox("in the 95% region", {"": _pair(groups, "coverage_95")}, 0.95),
        CategoryBox("two-sample accuracy", {"": _pair(groups, "classifier")}, 0.5),
        CategoryBox("largest KS of a variable", _distances(groups)),
        CategoryBox("mean log q", {"": _pair(groups, "log_density")}),
        CategoryBox("half 68% width of pT / true", _widths(groups)),
    ]
    names = [group.jets.replace("8 or more", "≥ 8") for group in groups]
    return draw_categories(names, boxes, "jets", headline=headline)


def _pair(groups: Sequence[MultiplicityQuality], name: str) -> Pair:
    found = [getattr(group, name) for group in groups]
    return np.array([number.value for number in found]), np.array([number.error for number in found])


def _distances(groups: Sequence[MultiplicityQuality]) -> dict[str, Pair]:
    nothing = np.zeros(len(groups))
    return {
        "found": (np.array([group.rank_ks_max for group in groups]), nothing),
        "95% limit, one variable": (np.array([group.rank_ks_limit for group in groups]), nothing),
    }


def _widths(groups: Sequence[MultiplicityQuality]) -> dict[str, Pair]:
    return {
        unfolded_label(particle): (
            np.array([group.regression_width[particle] for group in groups]),
            np.array([group.regression[particle].error for group in groups]),
        )
        for particle in PARTICLES
    }
