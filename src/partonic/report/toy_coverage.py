"""Whether intervals from pseudo-experiments cover, as a table and a figure: results of `inference.coverage.toys`."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from partonic.inference.likelihood.intervals import threshold
from partonic.inference.record import InferenceRecord
from partonic.plots.canvas import Headline
from partonic.plots.categories import CategoryBox, draw_categories
from partonic.report.content import Plot, Table
from partonic.report.labels import named, parameter_label, with_unit

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["toy_coverage_plots", "toy_coverage_tables"]

Toys = Sequence[Mapping[str, Any]]


def toy_coverage_tables(record: InferenceRecord) -> tuple[Table, ...]:
    """Return coverage and median threshold of q of each parameter at each point; nothing if none was studied."""
    found = _found(record)
    if not found:
        return ()
    levels = list(found[0]["coverage"])
    rows = tuple(
        (
            _theta(record, each),
            named(each["name"]),
            f"{each['experiments']:,} × {each['toys']:,}",
            *(_cell(each, level) for level in levels),
        )
        for each in found
    )
    asymptotic = ", ".join(f"{threshold(float(level)):.2f}" for level in levels)
    return (
        Table(
            "Coverage of intervals from pseudo-experiments (toys), and the median of the thresholds of q that the toys "
            f"give; where asymptotics hold these are {asymptotic}. Errors are binomial.",
            ("θ", "parameter", "data sets × toys", *(f"{float(level):.0%}, threshold" for level in levels)),
            rows,
        ),
    )


def toy_coverage_plots(record: InferenceRecord) -> tuple[Plot, ...]:
    """Return the figure of the coverage; nothing if none was studied."""
    found = _found(record)
    if not found:
        return ()
    text = "Share of data sets whose interval from toys holds the truth, with binomial errors; line: the level."
    return (Plot("coverage_toys", text, partial(_draw, record, found)),)


def _found(record: InferenceRecord) -> Toys:
    found: Toys = record.result.get("toy_coverage") or ()
    return found


def _draw(record: InferenceRecord, found: Toys, headline: Headline) -> "Figure":
    names = list(dict.fromkeys(each["name"] for each in found))
    of_name = {name: [each for each in found if each["name"] == name] for name in names}
    points = [_theta(record, each, label=True) for each in of_name[names[0]]]
    boxes = [
        CategoryBox(
            f"{float(level):.0%} coverage, {parameter_label(name)}",
            {"intervals from toys": _series(of_name[name], level)},
            float(level),
        )
        for level in found[0]["coverage"]
        for name in names
    ]
    return draw_categories(points, boxes, r"true $\theta$", headline=headline, columns=len(names))


def _series(found: Toys, level: str) -> tuple[np.ndarray, np.ndarray]:
    shares = [each["coverage"][level] for each in found]
    return np.array([each["value"] for each in shares]), np.array([each["error"] for each in shares])


def _theta(record: InferenceRecord, point: Mapping[str, Any], *, label: bool = False) -> str:
    moved = {name: value for name, value in point["theta"].items() if value != record.standard_model(name)}
    written = parameter_label if label else str
    lines = (f"{written(name)} = {value:g}{with_unit(name)}".replace("-", "−") for name, value in moved.items())
    return ("\n" if label else ", ").join(lines) or "SM"


def _cell(found: Mapping[str, Any], level: str) -> str:
    share = found["coverage"][level]
    return f"{100 * share['value']:.1f} ± {100 * share['error']:.1f} %, {found['threshold'][level]:.2f}"
