"""One template of the likelihood ratio: θ*, what is in its bins, expected intervals, and what it keeps."""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from partonic.inference.likelihood.intervals import Interval
from partonic.plots.canvas import Headline
from partonic.plots.template_bins import draw_template_bins
from partonic.polynomial import Monomials
from partonic.report.content import Content, Plot, Table
from partonic.report.labels import named
from partonic.report.section import FitSection
from partonic.report.sections.inference_likelihood import interval_text
from partonic.units import PB_TO_FB

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["OneTemplateSection"]

_METHODS = {
    "truth": "parton truth",
    "unbinned": "ratios of the estimator, unbinned",
    "template_without_backgrounds": "the template, signal alone",
    "template": "the template",
    "rate": "the rate of the regions",
}
_FITS = {
    "expected": "expected",
    "expected_without_backgrounds": "expected, signal alone",
    "data": "data",
}
_COMPARED = {
    "truth": "parton truth, unbinned",
    "unbinned": "ratios of the estimator, unbinned",
    "unbinned, backgrounds by region": "the same, of backgrounds only their numbers in the regions known",
    "template, mixture": "template of the ratio of signal and backgrounds",
    "template, signal": "template of the ratio of the signal",
    "rate": "rate of the regions",
}
_KINDS = {"signal_alone": "the signal alone", "backgrounds": "signal and backgrounds, normalisations fitted along"}
_BIASED = 0.1
"""Part of the length of an interval that its best value may be off without being told."""

_OTHERS = {"alone": "in the SM", "profiled": "fitted along"}


class OneTemplateSection(FitSection):
    """What a template of r(x|θ*, θ_SM) says of θ."""

    name: ClassVar[str] = "one_template"
    title: ClassVar[str] = "One template"

    def content(self) -> Content:
        """Return the figure of the bins and the tables."""
        found = None if self.record is None else self.record.result.get("template")
        if self.record is None or found is None:
            return Content(missing=("There is no template in the result of the inference.",))
        return Content(
            paragraphs=tuple(_paragraphs(found)),
            tables=(
                _information(found),
                *_intervals(found, max(self.record.levels)),
                *_methods(found, max(self.record.levels)),
                _point(found),
            ),
            plots=(_plot(found, self.record.result),),
            results=found,
        )


def _paragraphs(found: Mapping[str, Any]) -> Iterator[str]:
    how = f"found in {len(found['trials'])} trials" if found["searched"] else "given"
    regions = ", ".join(found["regions"])
    yield (
        f"Events in bins of the learned ratio r(x|θ*, SM), with θ* {how}, in the regions {regions}. Yields are "
        "polynomials of θ in every bin; normalisations of backgrounds are fitted along."
    )
    if found["searched"]:
        merit = found["merit"]
        yield (
            f"Figure of merit ({merit['kind']}, the smaller the better): {merit['chosen_on']:.4g} of the events that "
            f"θ* was sought on, {merit['others']:.4g} of the others, of which all numbers here are. A difference is "
            "what the search took for sensitivity that was fluctuation."
        )


def _point(found: Mapping[str, Any]) -> Table:
    rows = tuple((named(name), f"{value:.4g}".replace("-", "−")) for name, value in found["theta_star"].items())
    return Table("θ*, at which the ratio is taken.", ("parameter", "θ*"), rows)


def _information(found: Mapping[str, Any]) -> Table:
    names = list(next(iter(found["information"].values())))
    unbinned = found["information"]["unbinned"]
    rows = tuple(
        (_METHODS[method], *(_share(row[name], unbinned[name]) for name in names))
        for method, row in found["information"].items()
    )
    return Table(
        "Fisher information in the SM on each parameter by itself, of events in the regions, and in brackets its part "
        "of that of the unbinned ratios. Only the row of the template has backgrounds. Quadratic terms have no part.",
        ("method", *map(named, names)),
        rows,
    )


def _share(value: float, whole: float) -> str:
    share = f" ({100 * value / whole:.3g}%)" if whole > 0 else ""
    return f"{value:.4g}{share}"


def _intervals(found: Mapping[str, Any], level: float) -> Iterator[Table]:
    rows = []
    for kind, words in _FITS.items():
        for others, with_others in _OTHERS.items():
            row = found["intervals"][kind].get(others)
            if row:
                rows.append((words, with_others, *(_text(name, each, level) for name, each in row.items())))
    names = list(found["intervals"]["expected"]["alone"])
    yield Table(
        f"{level:.0%} intervals of each parameter from the template, the others as said.",
        ("fit", "other parameters", *map(named, names)),
        tuple(rows),
    )


def _methods(found: Mapping[str, Any], level: float) -> Iterator[Table]:
    """Yield the information and the lengths of intervals of all methods in the regions, if they were compared."""
    for kind, methods in found.get("methods", {}).items():
        names = list(next(iter(methods.values())))
        for number, what in (
            ("information", "Fisher information in the SM on each parameter"),
            ("length", f"Lengths of the expected {level:.0%} intervals of each parameter"),
        ):
            rows = tuple(
                (_COMPARED.get(method, method), *(_with_error(row[name], number) for name in names))
                for method, row in methods.items()
            )
            yield Table(
                f"{what}, the others known, with statistical errors of the simulated events: {_KINDS[kind]}. "
                "An interval that is not about the Standard Model is of a likelihood that its estimator biases.",
                ("method", *map(named, names)),
                rows,
            )


def _with_error(row: Mapping[str, float], number: str) -> str:
    """Return a number with its error, and the best value of an interval that is off by more than a tenth of it."""
    text = f"{row[number]:.3g} ± {row[f'{number}_error']:.1g}"
    is_biased = number == "length" and abs(row["best"]) > _BIASED * row["length"]
    return f"{text}, about {row['best']:.2g}".replace("-", "−") if is_biased else text


def _text(name: str, found: list[dict[str, Any]] | str, level: float) -> str:
    if isinstance(found, str):
        return "none"
    each = next(each for each in found if each["level"] == level)
    segments = tuple((low, high) for low, high in each["segments"])
    return interval_text(Interval(name, level, segments, each["open_below"], each["open_above"]))


def _plot(found: Mapping[str, Any], result: Mapping[str, Any]) -> Plot:
    caption = (
        "Events expected in the bins of the ratio in the Standard Model, the data, and the signal at θ*; bins of a "
        "region from small to large ratios, control regions with one bin."
    )
    return Plot("one_template", caption, partial(_draw, found, float(result["luminosity"])))


def _draw(found: Mapping[str, Any], luminosity: float, headline: Headline) -> "Figure":
    regions = {name: len(edges) + 1 for name, edges in zip(found["regions"], found["edges"], strict=True)}
    if found["has_bin_without_ratio"]:
        regions["no ratio"] = 1
    yields = found["yields"]
    processes = {name: np.array(row["expected"]) for name, row in yields.items() if isinstance(row, dict)}
    ordered = {name: processes[name] for name in (*(each for each in processes if each != "signal"), "signal")}
    exponents = tuple(tuple(powers) for powers in yields["exponents"])
    monomials = Monomials(tuple(found["theta_star"]), exponents)
    vector = monomials.evaluate(np.array(list(found["theta_star"].values())))
    at_star = PB_TO_FB * luminosity * np.array(yields["coefficients_pb"]) @ vector
    counts = np.array(found["data"]["counts"])
    signals = {"signal in the SM": processes["signal"], "signal at θ*": at_star}
    return draw_template_bins(regions, ordered, signals, counts, headline=headline)
