"""Unfolding, training: what the models were trained on, the course of it, and which jets they find."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from partonic.plots.canvas import Headline
from partonic.plots.categories import CategoryBox, draw_categories
from partonic.plots.training_curves import draw_training
from partonic.report.content import Content, Plot, Table
from partonic.report.labels import unfolded_label
from partonic.report.section import ModelSection
from partonic.report.unfolded import UnfoldedModel
from partonic.unfolding.quality.result import json_ready

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from partonic.unfolding.provenance.efficiency import AssignmentEfficiency, Fraction
    from partonic.unfolding.quality.provenance import ProvenanceQuality

__all__ = ["UnfoldingTrainingSection"]

_TARGETS = ("H", "t_had", "t_lep", "event")
_FACTS = {
    "Selected events": "events",
    "Events trained on": "training_events",
    "Event stores": "stores",
    "Epochs": "epochs",
    "−log q of the validation events": "validation",
    "Steps skipped (not finite)": "skipped_steps",
    "Root seed": "seed",
}


class UnfoldingTrainingSection(ModelSection):
    """Training of the models, and provenance of the jets."""

    name: ClassVar[str] = "unfolding_training"
    title: ClassVar[str] = "Unfolding: training and provenance"

    def content(self) -> Content:
        """Return the facts and curves of the training, and the efficiencies of the jet assignment."""
        judged = next((model.provenance for model in self.models if model.provenance), None)
        tables = [_facts(model) for model in self.models if model.training]
        return Content(
            paragraphs=(
                "Losses, constrained values and multipliers by epoch; dashed: the targets of the constraints. "
                "Provenance: part of the events with all jets of a target matched in which all of them are found, by "
                "the assignment network and by a χ² of masses and b tags that is fitted to the same events.",
            ),
            missing=tuple(_missing(self.models, judged)),
            tables=tuple(tables) + (tuple(_efficiencies(judged)) if judged else ()),
            plots=(*_curves(self.models), *_provenance(judged)),
            results={
                "training": {model.view: json_ready(model.training) for model in self.models},
                "history": {model.view: json_ready(model.history) for model in self.models},
                "provenance": judged.record() if judged else None,
            },
        )


def _missing(models: Sequence[UnfoldedModel], judged: "ProvenanceQuality | None") -> Iterator[str]:
    for model in models:
        if not model.history:
            yield f"No record of the course of the training lies beside the model ({model.title})."
    if not judged:
        yield "The jets of these events are not matched to the decay quarks: nothing can be said of the provenance."


def _facts(model: UnfoldedModel) -> Table:
    rows = tuple(
        (label, _text(model.training[name])) for label, name in _FACTS.items() if model.training.get(name) is not None
    )
    return Table(f"Training, {model.title}.", ("", ""), rows)


def _text(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {entry}" for name, entry in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return f"{value:.4f}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else str(value)


def _curves(models: Sequence[UnfoldedModel]) -> Iterator[Plot]:
    shared: set[str] = set()
    for model in models:
        for phase, figures in model.history.items():
            if phase == "provenance" and phase in shared:
                continue  # one assignment network serves all views
            shared.add(phase)
            view = "" if phase == "provenance" else f"_{model.view}"
            caption = f"Training phase '{phase}'" + ("." if phase == "provenance" else f", {model.title}.")
            yield Plot(f"unfolding{view}_training_{phase}", caption, partial(_draw_phase, model, phase, figures))


def _draw_phase(
    model: UnfoldedModel, phase: str, figures: Mapping[str, NDArray[np.float64]], headline: Headline
) -> "Figure":
    return draw_training(figures, _constraints(model.training, phase), headline=headline)


def _constraints(training: Mapping[str, Any], phase: str) -> dict[str, float]:
    """Return the targets of the constraints of a phase, from the settings kept with the model."""
    section = "regression_targets" if phase == "regression" else "joint_targets"
    found = training.get("config", {}).get("training", {}).get(section, {})
    return {name: float(value) for name, value in found.items() if value is not None}


def _efficiencies(judged: "ProvenanceQuality") -> Iterator[Table]:
    for name, parts in (("Assignment network", judged.network), ("χ² of masses", judged.baseline)):
        rows = tuple((part.jets, f"{part.events:,}", *_cells(part)) for part in parts)
        heading = tuple(f"{target} complete / found" for target in _TARGETS)
        yield Table(
            f"{name}: events with all jets of the target matched, and part of them with all found.",
            ("jets", "events", *heading),
            rows,
        )


def _cells(part: "AssignmentEfficiency") -> Iterator[str]:
    for target in _TARGETS:
        found = part.right[target]
        share = f"{100 * found.value:.1f} ± {100 * found.error:.1f} %" if found.total else "–"
        yield f"{100 * part.complete[target].value:.0f} % / {share}" if part.complete[target].total else "–"


def _provenance(judged: "ProvenanceQuality | None") -> Iterator[Plot]:
    if judged:
        caption = "Jets found by the assignment network and by the χ² of masses, by number of jets."
        yield Plot("unfolding_provenance", caption, partial(_draw_provenance, judged))


def _draw_provenance(judged: "ProvenanceQuality", headline: Headline) -> "Figure":
    def series(parts: "Sequence[AssignmentEfficiency]", target: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        found: list[Fraction] = [part.right[target] for part in parts]
        return np.array([one.value for one in found]), np.array([one.error for one in found])

    boxes = [
        CategoryBox(
            f"{'all jets' if target == 'event' else unfolded_label(target)} found",
            {"network": series(judged.network, target), r"$\chi^2$": series(judged.baseline, target)},
        )
        for target in _TARGETS
    ]
    return draw_categories([part.jets for part in judged.network], boxes, "jets", headline=headline, columns=2)
