"""What the report knows of each unfolding model: its quality on the events, how it was trained, which jets it finds."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from partonic.config.report import UnfoldingReportConfig
from partonic.errors import EventFileError
from partonic.events.store import EventStore
from partonic.pretrained import pretrained_folder
from partonic.progress import SILENT, Progress

if TYPE_CHECKING:
    from partonic.unfolding.quality.provenance import ProvenanceQuality
    from partonic.unfolding.quality.result import UnfoldingQuality

__all__ = ["UnfoldedModel", "judged_models", "training_history"]

_PHASES = ("provenance", "regression", "joint", "flow")

Curves = Mapping[str, NDArray[np.float64]]


@dataclass(frozen=True, eq=False)
class UnfoldedModel:
    """One model.

    Attributes:
        quality: on the events of the report.
        training: what the model's record says of its training.
        history: by phase, the figures of each epoch by name; empty where the model came without.
        provenance: which jets it finds; None where the events have no matched truth.
        trained_here: whether it was trained in the analysis whose events it is judged on.
        shipped: whether it ships with the package.
    """

    quality: "UnfoldingQuality"
    training: Mapping[str, Any] = field(default_factory=dict)
    history: Mapping[str, Curves] = field(default_factory=dict)
    provenance: "ProvenanceQuality | None" = None
    trained_here: bool = False
    shipped: bool = False

    @property
    def view(self) -> str:
        """Which partons."""
        return self.quality.view

    @property
    def title(self) -> str:
        """Which partons, in words."""
        return {"hard": "partons of the hard process", "with_isr": "partons after initial-state radiation"}[self.view]


def judged_models(
    folders: Sequence[Path],
    events: EventStore,
    config: UnfoldingReportConfig,
    output: Path,
    progress: Progress = SILENT,
) -> tuple[UnfoldedModel, ...]:
    """Load the models and evaluate them on the selected events.

    Args:
        folders: of the models, one for each view.
        events: the store.
        config: how much is evaluated.
        output: folder of the report.
        progress: told of the events of each model.

    Raises:
        ModelError: if a folder is no model, or damaged.
        SchemaError: if the events are not such as the model was trained on.
        EventFileError: if too few events can be used.
    """
    from partonic.unfolding.quality.evaluate import EvaluationSettings, evaluate_unfolding
    from partonic.unfolding.unfolder import Unfolder

    settings = EvaluationSettings(
        events=config.events, samples=config.samples, batch_events=config.batch_events,
        single_events=config.single_events, single_samples=config.single_samples,
    )  # fmt: skip
    judged = []
    for folder in folders:
        unfolder = Unfolder.load(folder)
        unfolder.check(events.metadata, str(events.path))
        judged.append(
            UnfoldedModel(
                quality=evaluate_unfolding(unfolder, events, settings, config.seed, progress),
                training=unfolder.record,
                history=training_history(folder),
                provenance=_provenance(unfolder.network.provenance, events, config.events),
                trained_here=output.resolve().parent in folder.resolve().parents
                and events.path.name in unfolder.record.get("stores", ()),
                shipped=pretrained_folder("").resolve() in folder.resolve().parents,
            )
        )
    return tuple(judged)


def training_history(folder: Path) -> dict[str, Curves]:
    """Return what was logged in each phase of the training of a model, by phase and figure, one number an epoch.

    Args:
        folder: of the model; the phases are in its folder ``phases``, the one shared by all views a level above.

    Raises:
        EventFileError: if a table is damaged.
    """
    found: dict[str, Curves] = {}
    for path in (*sorted(folder.parent.glob("phases/*/epochs.csv")), *sorted(folder.glob("phases/*/epochs.csv"))):
        found[path.parent.name] = _table(path)
    return {name: found[name] for name in sorted(found, key=_place)}


def _place(phase: str) -> int:
    return _PHASES.index(phase) if phase in _PHASES else len(_PHASES)


def _table(path: Path) -> Curves:
    try:
        with path.open(encoding="utf-8", newline="") as stream:
            rows = list(csv.DictReader(stream))
        names = list(rows[0]) if rows else []
        return {name: np.array([float(row[name] or "nan") for row in rows], dtype=np.float64) for name in names}
    except (OSError, ValueError, TypeError) as error:
        raise EventFileError(
            f"{path} is not a table of a training: {error}. Train again, or remove the folder {path.parent.name}"
        ) from error


def _provenance(network: Any, events: EventStore, number: int) -> "ProvenanceQuality | None":
    from partonic.unfolding.quality.provenance import evaluate_provenance

    try:
        return evaluate_provenance(network, events, number)
    except EventFileError:  # no matched truth, or too few events whose jets are all matched
        return None
