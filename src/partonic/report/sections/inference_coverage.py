"""Whether the intervals cover: fractions of pseudo-experiments, pulls and biases."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from partonic.events.batch import EventBatch
from partonic.plots.canvas import Headline
from partonic.plots.categories import CategoryBox, draw_categories
from partonic.plots.statistics.pulls import draw_pulls
from partonic.report.content import Content, Plot, Table, number_with_error
from partonic.report.labels import named, parameter_label, with_unit
from partonic.report.section import Sample
from partonic.report.toy_coverage import toy_coverage_plots, toy_coverage_tables

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["InferenceCoverageSection"]

Array = NDArray[np.float64]
Study = Sequence[Mapping[str, Any]]


class InferenceCoverageSection:
    """Pseudo-experiments at known θ."""

    name: ClassVar[str] = "inference_coverage"
    title: ClassVar[str] = "Coverage"
    columns: ClassVar[tuple[str, ...]] = ()

    def __init__(self, sample: Sample) -> None:
        """Prepare for `sample`."""
        record = sample.limits.inference if sample.limits else None
        self.record = record
        self.study: Study = record.result["coverage"] if record else ()

    def fill(self, batch: EventBatch) -> None:
        """Ignore the events: the pseudo-experiments have been made already."""

    def content(self) -> Content:
        """Return coverage, pulls and biases of each point."""
        if not self.study or self.record is None:
            return Content(missing=("No study of coverage was made; set `inference.coverage`.",))
        return Content(
            paragraphs=(
                "Pseudo-experiments are drawn from the simulated events at known θ and fitted like data. An interval "
                "of 68% should hold the truth in 68% of them; errors are binomial. Pulls are (estimate − truth)/error "
                "of each experiment. The simulated events are finitely many, and all experiments share their "
                "fluctuation: it shifts all estimates by the error given as 'from the pool', which more "
                "experiments do not reduce.",
            ),
            missing=tuple(_warnings(self.study)),
            tables=(_points(self.study), _coverage(self.study), *toy_coverage_tables(self.record), _biases(self.study)),
            plots=(*_plots(self.study), *toy_coverage_plots(self.record)),
            results={
                "points": [_without_experiments(point) for point in self.study],
                "toys": self.record.result.get("toy_coverage", []),
            },
        )


def _without_experiments(point: Mapping[str, Any]) -> dict[str, Any]:
    """Return a point without the lists of what every experiment found."""
    return {name: value for name, value in point.items() if name not in ("histograms", "pulls")}


def _warnings(study: Study) -> Iterator[str]:
    for point in study:
        if point["failed"]:
            yield (
                f"{_theta(point)}: {point['failed']:,} of {point['experiments']:,} fits found no maximum; they are "
                "left out."
            )


def _points(study: Study) -> Table:
    rows = tuple(
        (
            _theta(point),
            f"{point['experiments']:,}",
            f"{point['failed']:,}",
            f"{point['events']:.5g}",
            f"{point['non_positive']:.3g}",
            f"{point['effective_pool_size']:,.0f}",
            *(_fraction(found) for found in point["joint"].values()),
        )
        for point in study
    )
    joint = tuple(f"all parameters, {float(level):.0%}" for level in study[0]["joint"])
    return Table(
        "The points. Events: mean number of an experiment, and of those whose density is not positive at the best fit; "
        "pool: number of equally weighted events that the simulated ones are worth there.",
        ("θ", "experiments", "failed", "events", "not positive", "pool", *joint),
        rows,
    )


def _coverage(study: Study) -> Table:
    levels = list(study[0]["parameters"][0]["coverage"])
    rows = tuple(
        (
            _theta(point),
            named(found["name"]),
            *(_fraction(found[kind][level]) for level in levels for kind in ("coverage", "coverage_total")),
        )
        for point in study
        for found in point["parameters"]
    )
    headings = tuple(text for level in levels for text in (f"{float(level):.0%}", f"{float(level):.0%}, all errors"))
    return Table(
        "Coverage of the intervals of each parameter: statistical, and with the errors of integration and rate.",
        ("θ", "parameter", *headings),
        rows,
    )


def _biases(study: Study) -> Table:
    rows = tuple(
        (
            _theta(point),
            named(found["name"]),
            _estimate(found["best_bias"], found["best_bias_error"]),
            "–" if found["right_sign"] is None else _fraction(found["right_sign"]),
            _estimate(found["bias"], found["bias_error"]),
            "–" if found["pool_error"] is None else f"{found['pool_error']:.2g}",
            "–" if found["spread"] is None else f"{found['spread']:.3g}",
            _estimate(found["pull_mean"], _mean_error(found)),
            _estimate(found["pull_width"], _mean_error(found, width=True)),
        )
        for point in study
        for found in point["parameters"]
    )
    return Table(
        "Estimates. Bias of the best fit, and how often it has the sign of the truth; then, of the maxima that are not "
        "excluded at 95%, the one nearest to the truth: bias with the error from the number of experiments and the one "
        "from the pool, standard deviation of the estimates, mean and width of the pulls.",
        (
            "θ", "parameter", "bias of the best fit", "right sign", "bias", "error from the pool", "spread",
            "mean of pulls", "width of pulls",
        ),
        rows,
    )  # fmt: skip


def _mean_error(found: Mapping[str, Any], *, width: bool = False) -> float | None:
    if found["pull_width"] is None:
        return None
    return float(found["pull_width"]) / float(np.sqrt((2 if width else 1) * found["pull_experiments"]))


def _plots(study: Study) -> Iterator[Plot]:
    yield Plot(
        "coverage",
        "Share of pseudo-experiments whose interval holds the truth, with binomial errors; line: the level.",
        partial(_draw_coverage, study),
    )
    if any(values for point in study for values in point.get("pulls", {}).values()):
        yield Plot(
            "coverage_pulls",
            "Pulls of the pseudo-experiments beside the standard normal density; the outermost bins hold all beyond.",
            partial(_draw_pulls, study),
        )
    yield Plot(
        "coverage_bias",
        "Mean of the estimates (of the maxima not excluded at 95% the one nearest to the truth) minus truth in units "
        "of the spread of the estimates; errors from the number of experiments and the size of the pool in quadrature.",
        partial(_draw_bias, study),
    )


def _draw_coverage(study: Study, headline: Headline) -> "Figure":
    names = [found["name"] for found in study[0]["parameters"]]
    boxes = [
        CategoryBox(
            f"{float(level):.0%} coverage, {parameter_label(name)}",
            {
                "statistical": _series(study, number, "coverage", level),
                "all errors": _series(study, number, "coverage_total", level),
            },
            float(level),
        )
        for level in study[0]["parameters"][0]["coverage"]
        for number, name in enumerate(names)
    ]
    return draw_categories(_categories(study), boxes, r"true $\theta$", headline=headline, columns=len(names))


def _series(study: Study, number: int, kind: str, level: str) -> tuple[Array, Array]:
    found = [point["parameters"][number][kind][level] for point in study]
    return np.array([each["value"] for each in found]), np.array([each["error"] for each in found])


def _draw_pulls(study: Study, headline: Headline) -> "Figure":
    pulls = {
        f"{parameter_label(name)}, {category}": np.array(values, dtype=np.float64)
        for point, category in zip(study, _flat(_categories(study)), strict=True)
        for name, values in point["pulls"].items()
    }
    return draw_pulls(pulls, headline=headline, columns=len(study[0]["parameters"]))


def _draw_bias(study: Study, headline: Headline) -> "Figure":
    boxes = []
    for number, found in enumerate(study[0]["parameters"]):
        each = [point["parameters"][number] for point in study]
        spread = np.array([x["spread"] or np.nan for x in each])
        bias = np.array([x["bias"] for x in each]) / spread
        error = np.array([np.hypot(x["bias_error"] or 0.0, x["pool_error"] or 0.0) for x in each]) / spread
        boxes.append(CategoryBox(f"bias / spread, {parameter_label(found['name'])}", {"": (bias, error)}, 0.0))
    return draw_categories(_categories(study), boxes, r"true $\theta$", headline=headline, columns=len(boxes))


def _categories(study: Study) -> list[str]:
    """Return the points as written at an axis, one parameter a line."""
    texts = []
    for point in study:
        moved = _moved(point)
        lines = (
            f"{parameter_label(name)} = {value:g}{with_unit(name)}".replace("-", "−") for name, value in moved.items()
        )
        texts.append("\n".join(lines) or "SM")
    return texts


def _flat(texts: Sequence[str]) -> list[str]:
    return [text.replace("\n", ", ") for text in texts]


def _theta(point: Mapping[str, Any]) -> str:
    return (
        ", ".join(f"{name} = {value:g}{with_unit(name)}".replace("-", "−") for name, value in _moved(point).items())
        or "SM"
    )


def _moved(point: Mapping[str, Any]) -> dict[str, float]:
    """Return the parameters that are not those of the Standard Model."""
    nominal = point["nominal"]
    return {name: value for name, value in point["theta"].items() if value != nominal[name]}


def _fraction(found: Mapping[str, float]) -> str:
    return f"{100 * found['value']:.1f} ± {100 * found['error']:.1f} %"


def _estimate(value: float | None, error: float | None) -> str:
    return "–" if value is None or error is None else number_with_error(value, error)
