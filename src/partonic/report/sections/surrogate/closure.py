"""Events of a learned detector: how it compares with the simulation on events that it did not learn."""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from partonic.events.batch import EventBatch
from partonic.plots.axis import Axis
from partonic.plots.canvas import Headline
from partonic.plots.histogram import ratio_of_independent
from partonic.plots.panels import Curve, Panel, draw_panels
from partonic.plots.style import PALETTE, REFERENCE_COLOUR
from partonic.report.content import Content, Plot, Table, number_with_error
from partonic.report.section import Sample
from partonic.surrogate.model import FACT

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["SurrogateSection", "is_of_surrogate"]

Array = NDArray[np.float64]

_ABOUT = (
    "These events went through no shower and no detector: networks that learned both drew them, the selection by an "
    "acceptance ε(z), the reconstructed objects by their density given the partons. Below, the networks are compared "
    "with the simulation on events that they did not learn, as it was done when they were trained. What no network "
    "draws is missing: the origin of jets, their flavour, and, where a transfer function draws them, their masses and "
    "scores of b-tagging."
)


def is_of_surrogate(sample: Sample) -> bool:
    """Return whether a learned detector made the events."""
    return isinstance(sample.metadata.facts.get(FACT), Mapping)


class SurrogateSection:
    """Closure of the learned detector that made the events."""

    name: ClassVar[str] = "surrogate"
    title: ClassVar[str] = "Learned detector"
    columns: ClassVar[tuple[str, ...]] = ()

    def __init__(self, sample: Sample) -> None:
        """Prepare for `sample`."""
        self.facts: Mapping[str, Any] = sample.metadata.facts[FACT]

    def fill(self, batch: EventBatch) -> None:
        """Ignore the events: the closure is that of the training."""

    def content(self) -> Content:
        """Return tables and figures of the closure."""
        closure = self.facts.get("closure") or {}
        told = {name: self.facts.get(name) for name in ("kind", "model", "fingerprint")}
        if not closure:
            missing = (
                "No closure is stored with the networks: train them with a section `surrogate_training`, or have "
                "theirs made by `surrogate_training: {model: {kind: transfer, model: …}}`."
            )
            return Content((_ABOUT,), (missing,), (self._facts({}),), results=told)
        tables = (self._facts(closure), _distances(closure), *_ratios(closure))
        return Content((_ABOUT,), (), tables, tuple(_plots(closure)), results={**told, "closure": closure})

    def _facts(self, closure: Mapping[str, Any]) -> Table:
        rows = [("Objects drawn by", str(self.facts.get("kind"))), ("Networks", str(self.facts.get("model")))]
        rows += [("Fingerprint", str(self.facts.get("fingerprint"))[:16])]
        if closure:
            found, events, area = closure["selected_fraction"], closure["events"], closure.get("auc")
            rows += [
                ("Events compared", f"{events['simulated']:,} simulated, {events['surrogate']:,} drawn"),
                ("Selected fraction, simulation", number_with_error(found["simulated"], found["error"])),
                ("Selected fraction, acceptance", f"{found['surrogate']:.5f}"),
                ("Area under the curve of a classifier (0.5: cannot tell)",
                 "–" if area is None else number_with_error(area["value"], area["error"])),
            ]  # fmt: skip
        return Table("The learned detector.", ("", ""), tuple(rows))


def _distances(closure: Mapping[str, Any]) -> Table:
    caption = (
        "Wasserstein distance of drawn and simulated events in ten observables, in standard deviations of the "
        "observable; beside it that of two samples of the same density, and how many of its standard deviations the "
        "distance lies above."
    )
    rows = tuple(
        (name, f"{each['distance']:.4f}", number_with_error(each["floor"], each["floor_error"]),
         f"{each['deviation']:.1f}".replace("-", "−"))
        for name, each in closure["observables"].items()
    )  # fmt: skip
    return Table(caption, ("Observable", "Distance", "Of equal densities", "Deviation"), rows)


def _ratios(closure: Mapping[str, Any]) -> Iterator[Table]:
    """Yield a table of χ² for each observable in whose bins the mean ratios were compared."""
    for name, found in closure["ratios"].items():
        known = {monomial: each for monomial, each in found["monomials"].items() if each["bins"]}
        if known:
            caption = (
                f"Means of R_a = c_a/c_ref in bins of {name}, drawn against simulated: χ² of their differences. What "
                "is wrong here is wrong in a measurement of θ."
            )
            rows = tuple((monomial, f"{each['chi2']:.1f}", str(each["bins"])) for monomial, each in known.items())
            yield Table(caption, ("Monomial", "χ²", "Bins"), rows)


def _plots(closure: Mapping[str, Any]) -> Iterator[Plot]:
    for name, each in closure["observables"].items():
        caption = f"{name} of simulated events that the networks did not learn, and of drawn ones, with their ratio."
        yield Plot(f"surrogate_{name}", caption, partial(_draw, name, each))


def _draw(name: str, found: Mapping[str, Any], headline: Headline) -> "Figure":
    """Draw shares of the events per bin, or per unit, and the ratio of drawn to simulated ones."""
    edges = tuple(map(float, found["edges"]))
    axis = Axis(name, found["label"], edges, found["unit"], discrete=bool(found["discrete"]))
    widths = np.ones(len(axis)) if axis.discrete else axis.widths
    simulated, drawn = (
        (np.array(found[kind]) / widths, np.array(found[f"{kind}_error"]) / widths)
        for kind in ("simulated", "surrogate")
    )
    ratio, error = ratio_of_independent(drawn, simulated)
    curves = (
        Curve("simulation", *simulated, colour=REFERENCE_COLOUR),
        Curve("learned detector", *drawn, colour=PALETTE[0], kind="points"),
    )
    per = "bin" if axis.discrete else axis.unit or "unit"
    main = Panel(curves, f"share of events per {per}", minimum=0.0)
    lower = Panel((Curve("", ratio, error, colour=PALETTE[0], kind="points"),), "learned / sim.", level=1.0)
    return draw_panels(axis, main, (lower,), headline=headline)
