"""Training of the acceptance: cross entropy of accepted and rejected events, and its calibration."""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional

from partonic.config.mem_training.transfer import AcceptanceConfig, MemTrainingConfig
from partonic.errors import TrainingError
from partonic.events.schema import ProcessInfo
from partonic.events.store import EventStore
from partonic.mem.acceptance.model import AcceptanceModel, AcceptanceNetwork
from partonic.mem.transfer.layout import TransferLayout
from partonic.mem.uncertainty.training import Part, train_with_uncertainty
from partonic.nn.bayesian.posterior import WeightPosterior
from partonic.nn.training import PhaseModule, PhaseSettings, TensorTable, seeded_weights, split_table
from partonic.progress import SILENT, Progress
from partonic.provenance import package_versions
from partonic.trained.schema_record import SchemaRecord

__all__ = [
    "CALIBRATED_DRAWS",
    "AcceptancePhase",
    "TrainedAcceptance",
    "acceptance_losses",
    "acceptance_table",
    "reliability",
    "train_acceptance",
]

_COLUMNS = ("x1", "x2", "partons", "hadronic_top", "selected")
_BATCH = 50_000
_SCALE_EVENTS = 50_000
_CALIBRATION_EVENTS = 50_000
"""Events that hold the mean of each drawn acceptance in place."""

CALIBRATED_DRAWS = 64
"""Drawn acceptances that are calibrated: the most that a run can use."""


@dataclass(frozen=True)
class TrainedAcceptance:
    """What the training of an acceptance gave.

    Attributes:
        folder: the model folder.
        events: training events, accepted and rejected.
        validation: cross entropy of the validation events before the calibration.
        reliability: in bins of ε of the events kept for the test of the calibration: mean ε, accepted fraction, and
            its binomial error.
    """

    folder: Path
    events: int
    validation: float
    reliability: tuple[tuple[float, float, float], ...]

    def __str__(self) -> str:
        """Return one line for the terminal."""
        worst = max(abs(found - said) for said, found, _ in self.reliability)
        return f"acceptance: calibrated to {worst:.4f} in bins of ε, {self.events} events trained on"


class AcceptancePhase(PhaseModule):
    """Minimise the cross entropy."""

    def __init__(self, network: AcceptanceNetwork) -> None:
        """Train `network`."""
        super().__init__({})
        self.network = network

    def training_losses(
        self, batch: Mapping[str, Tensor], generator: torch.Generator
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the cross entropy."""
        return self.validation_loss(batch), {}

    def validation_loss(self, batch: Mapping[str, Tensor]) -> Tensor:
        """Return the cross entropy."""
        return acceptance_losses(self.network, batch, None).mean()


def acceptance_table(
    stores: Sequence[Path], layout: TransferLayout, max_events: int | None = None, progress: Progress = SILENT
) -> TensorTable:
    """Read partons and fate of all generated events.

    Raises:
        SchemaError: if a store has no partons, or events to which no selection was applied.
        TrainingError: if no event was accepted, or none rejected.
    """
    momenta, accepted, number = [], [], 0
    progress.start("reading events", max_events, "events")
    for path in stores:
        for batch in EventStore.open(path).batches(columns=_COLUMNS, size=_BATCH):
            left = None if max_events is None else max_events - number
            momenta.append(layout.decay_channel.truth(batch).momenta.float()[:left])
            accepted.append(torch.from_numpy(batch.column("selected").astype(np.bool_))[:left])
            number += len(momenta[-1])
            progress.advance(len(momenta[-1]))
            if number == max_events:
                break
    progress.finish()
    table = TensorTable({"momenta": torch.cat(momenta), "accepted": torch.cat(accepted)})
    taken = int(table.columns["accepted"].sum())
    if taken in (0, len(table)):
        raise TrainingError(
            f"an acceptance needs accepted and rejected events, but {taken} of {len(table)} events are accepted"
        )
    return table


def train_acceptance(
    stores: Sequence[Path],
    process: ProcessInfo,
    layout: TransferLayout,
    config: tuple[AcceptanceConfig, MemTrainingConfig],
    seed: int,
    folder: Path,
    progress: Progress = SILENT,
) -> TrainedAcceptance:
    """Train and calibrate an acceptance and write its model folder.

    The validation events are parted in two: one half fits the calibration, the other half, seen by nothing, tests it.

    Args:
        stores: event stores of simulated events, accepted and rejected.
        process: the hard process that they are of.
        layout: partons and cuts.
        config: sizes, and settings of the training.
        seed: root seed.
        folder: of the model; its `phase` folder keeps the checkpoint, from which a killed training goes on.
        progress: told of events and steps.

    Raises:
        SchemaError, TrainingError: as `acceptance_table` and `run_phase`.
    """
    sizes, training = config
    table = acceptance_table(stores, layout, training.max_events, progress)
    train, validation = split_table(table, training.validation_fraction, seed, table.columns["momenta"])
    with seeded_weights(seed, "acceptance"):
        network = AcceptanceNetwork(sizes, layout)
    network.fit_scales(train.columns["momenta"][:_SCALE_EVENTS])
    part = Part(
        "acceptance", network, lambda: AcceptanceNetwork(sizes, layout), AcceptancePhase, acceptance_losses,
        {"outer": network.outer},
    )  # fmt: skip
    run = (PhaseSettings.from_config(training, "acceptance", training.epochs), folder / "phase", seed)
    result, posterior = train_with_uncertainty(part, sizes.uncertainty, (train, validation), run, progress)
    half = len(validation) // 2
    held_out = validation.part(0, half).columns
    known = {name: torch.cat([part[name] for part in (train.columns, held_out)]) for name in ("momenta", "accepted")}
    _calibrate(network, held_out, known)
    model = AcceptanceModel(network, SchemaRecord.of(process))
    if posterior is not None:
        model.posterior = _calibrated(posterior, network, held_out, known)
    tested = validation.part(half, len(validation)).columns
    found = reliability(model.log_probability(tested["momenta"]).exp(), tested["accepted"])
    model.record = {
        "events": len(train),
        "stores": [path.name for path in stores],
        "validation": result.best_validation,
        "reliability": [list(row) for row in found],
        "epochs": result.epochs,
        "seed": seed,
        "config": _record(sizes, training),
        "versions": package_versions(),
    }
    model.save(folder)
    return TrainedAcceptance(folder, len(train), result.best_validation, found)


def acceptance_losses(network: nn.Module, batch: Mapping[str, Tensor], generator: torch.Generator | None) -> Tensor:
    """Return the cross entropy of events, `(N,)`; the symmetries are those of the features."""
    logits = network(batch["momenta"])
    return functional.binary_cross_entropy_with_logits(logits, batch["accepted"].to(logits.dtype), reduction="none")


def _calibrate(network: AcceptanceNetwork, held_out: Mapping[str, Tensor], known: Mapping[str, Tensor]) -> None:
    """Fit the calibration to held-out events, and the offset to the fraction that is accepted of all that are known."""
    network.calibrate(held_out["momenta"], held_out["accepted"])
    network.normalise(known["momenta"], known["accepted"])


def _calibrated(
    posterior: WeightPosterior, network: AcceptanceNetwork, held_out: Mapping[str, Tensor], known: Mapping[str, Tensor]
) -> WeightPosterior:
    """Return the posterior with a calibration for each draw, which the fraction of accepted events holds in place."""
    known = {name: values[:_CALIBRATION_EVENTS] for name, values in known.items()}
    state, drawn, found = network.state_dict(), copy.deepcopy(network), []
    for number in range(CALIBRATED_DRAWS if posterior.most is None else posterior.most):
        drawn.load_state_dict(posterior.draw(state, number))
        _calibrate(drawn, held_out, known)
        found.append(drawn.calibration.clone())
    return replace(posterior, numbered={"calibration": torch.stack(found)})


def reliability(
    probability: Float[Tensor, " events"], accepted: Bool[Tensor, " events"], bins: int = 10
) -> tuple[tuple[float, float, float], ...]:
    """Return (mean ε, accepted fraction, its binomial error) in quantiles of ε."""
    rows = []
    for part in torch.tensor_split(probability.argsort(), bins):
        if len(part):
            mean, rate = float(probability[part].mean()), float(accepted[part].double().mean())
            rows.append((mean, rate, float(np.sqrt(max(mean * (1.0 - mean), 0.0) / len(part)))))
    return tuple(rows)


def _record(sizes: AcceptanceConfig, training: MemTrainingConfig) -> dict[str, Any]:
    return {"network": sizes.model_dump(mode="json"), "training": training.model_dump(mode="json")}
