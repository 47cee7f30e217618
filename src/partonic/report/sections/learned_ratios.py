"""Learned ratios: how they were trained, and whether events weighted by them have the right distributions."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from partonic.errors import PartonicError
from partonic.plots.canvas import Headline
from partonic.plots.ratio_boxes import RatioBox, draw_ratio_boxes
from partonic.plots.training_curves import draw_training
from partonic.report.content import Content, Plot, Table
from partonic.report.features import features_of
from partonic.report.limits import IntegratedEvents
from partonic.report.sections.mem_integrals import MemIntegralsSection
from partonic.report.unfolded import training_history
from partonic.sbi.closure import Closure, reweighting_closure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["LearnedRatiosSection"]

Array = NDArray[np.float64]

_MOST_FEATURES = 12
"""Features whose closure is shown."""

_FACTS = {
    "events": "Events trained on",
    "effective": "Effective number of them",
    "epochs": "Epochs",
    "best_epoch": "Epoch with the best weights",
    "validation": "Loss of the validation events",
    "skipped_steps": "Steps skipped (not finite)",
}


class LearnedRatiosSection(MemIntegralsSection):
    """Quality of learned ratios: training, reweighting closure, sum rule and calibration."""

    title: ClassVar[str] = "Learned likelihood ratios"
    about: ClassVar[str] = (
        "Networks give every event R_a(x) = P_a/P_0, learned from simulated events that are not among those shown. "
        "The loss of derivatives is 1 − R², that of ratios the cross entropy relative to knowing nothing. For events "
        "of the Standard Model, the mean of R_a(x) must be σ_a/σ_0, and the mean of the true R_a(z) of the partons at "
        "fixed R_a(x) must be R_a(x) itself. Events weighted by the learned ratio to another θ must have the "
        "distributions that their true weights give."
    )

    def content(self) -> Content:
        """Return tables and figures of training and ratios."""
        base = super().content()
        tables, plots, missing = [], [], list(base.missing)
        results: dict[str, object] = {}
        for events in self.integrated:
            shown = _Learned(events)
            tables.append(shown.facts())
            plots += list(shown.training())
            plots += list(shown.closure_plots())
            missing += shown.missing
            results[events.name] = {
                **dict(base.results.get(events.name) or {}),  # type: ignore[call-overload]
                "closure": {point: [each.record() | {"name": each.name} for each in found]
                            for point, found in shown.closures.items()},
            }  # fmt: skip
        return replace(
            base, tables=(*tables, *base.tables), plots=(*plots, *base.plots), missing=tuple(missing), results=results
        )


class _Learned:
    """What is shown of the ratios of one process."""

    def __init__(self, events: IntegratedEvents) -> None:
        self.events, self.missing = events, list[str]()
        self.told: Mapping[str, Any] = events.metadata.facts
        self.closures = self._closures()

    def facts(self) -> Table:
        training = self.told.get("training") or {}
        rows = [("Method", str(self.told.get("method"))), ("Features", ", ".join(self.told.get("features") or ()))]
        rows += [("Backbone", str(self.told["backbone"]))] if self.told.get("backbone") else []
        rows += [(text, _number(training[name])) for name, text in _FACTS.items() if training.get(name) is not None]
        rows += [(f"{name}: enough events for", f"{low:.3g} to {high:.3g}".replace("-", "−"))
                 for name, (low, high) in (self.told.get("covered_range") or {}).items()]  # fmt: skip
        outside = (self.told.get("figures") or {}).get("outside")
        rows += [("Events outside the features of the training", f"{outside:.2%}")] if outside is not None else []
        return Table(f"Networks of {self.events.name}.", ("", ""), tuple(rows))

    def training(self) -> Iterator[Plot]:
        folder = self.told.get("model")
        history = training_history(Path(folder)) if folder else {}
        if "sbi" not in history:
            self.missing.append(f"{self.events.name}: no record of the course of the training lies beside the model.")
            return
        caption = f"Training of the networks of {self.events.name}: the mean loss of the members."
        yield Plot(f"sbi_{self.events.name}_training", caption, partial(_draw_training, history["sbi"]))

    def closure_plots(self) -> Iterator[Plot]:
        for number, (point, found) in enumerate(self.closures.items()):
            caption = (
                f"Reweighting closure of {self.events.name} at {point}: events weighted by the learned ratio relative "
                "to their true weights, in bins of the features, with the error from the scatter of the true weights."
            )
            yield Plot(f"sbi_{self.events.name}_closure_{number}", caption, partial(_draw_closures, found))

    def _closures(self) -> dict[str, list[Closure]]:
        weights, names = self.events.weights, tuple(self.told.get("features") or ())[:_MOST_FEATURES]
        if weights is None or not names:
            return {}
        try:
            _, features = features_of(self.events, names)
        except PartonicError as error:
            self.missing.append(f"{self.events.name}: no reweighting closure, for the features cannot be read: {error}")
            return {}
        found = {}
        for name, (low, high) in (self.told.get("trained_range") or {}).items():
            at = {**self.events.metadata.reference_point, name: 0.25 * low + 0.75 * high}
            theta = self.events.metadata.monomials.point(at)
            made = [
                reweighting_closure(self.events.coefficients, weights, features[:, column], each, theta)
                for column, each in enumerate(names)
            ]
            found[f"{name} = {at[name]:.3g}".replace("-", "−")] = [each for each in made if each is not None]
        return {point: closures for point, closures in found.items() if closures}


def _draw_training(figures: Mapping[str, Array], headline: Headline) -> "Figure":
    return draw_training(figures, {}, headline=headline)


def _draw_closures(closures: list[Closure], headline: Headline) -> "Figure":
    boxes = {
        each.name.replace("_", " "): RatioBox(
            each.centre, each.ratio, each.error, f"largest deviation {each.largest:.1%}"
        )
        for each in closures
    }
    return draw_ratio_boxes(boxes, "learned / true", headline=headline)


def _number(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else f"{value:,}"
