"""Training of the unfolding models of an analysis, from event stores to model folders.

The assignment network is trained first and shared by the views; then, for each view, the conditioner by regression,
conditioner and flow together, and the flow alone on the finished conditions. Every phase writes checkpoints in its own
folder and is skipped when it is done, so a killed training goes on where it was and ends with the same weights.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from partonic.config.process import ProcessConfig
from partonic.config.unfolding import TrainingConfig, UnfoldingConfig, View
from partonic.events.schema import ProcessInfo
from partonic.nn.training import (
    PhaseModule,
    PhaseResult,
    PhaseSettings,
    TensorTable,
    run_phase,
    seeded_weights,
    split_table,
)
from partonic.progress import SILENT, Progress
from partonic.provenance import package_versions
from partonic.trained.schema_record import SchemaRecord
from partonic.unfolding.data import prepare_data, tokens_of, view_arrays
from partonic.unfolding.model import NetworkSizes, UnfoldingModel
from partonic.unfolding.phases import FlowPhase, JointPhase, ProvenancePhase, RegressionPhase
from partonic.unfolding.provenance.network import AssignmentNetwork
from partonic.unfolding.unfolder import Unfolder
from partonic.unfolding.view import PartonView

__all__ = ["TrainedModel", "train_unfolding"]

_ROWS = 4096
"""Events at a time where networks are only evaluated."""

_SCALE_EVENTS = 50_000
"""Events that means and standard deviations are taken from."""


@dataclass(frozen=True)
class TrainedModel:
    """What a training gave for one view.

    Attributes:
        view: which partons.
        folder: the model folder.
        events: training events.
        validation: −log q of the validation events, averaged.
        skipped_steps: steps that were left out because something was not finite.
    """

    view: View
    folder: Path
    events: int
    validation: float
    skipped_steps: int

    def __str__(self) -> str:
        """Return one line for the terminal."""
        skipped = f", {self.skipped_steps} steps skipped (not finite)" if self.skipped_steps else ""
        return f"{self.view}: −log q = {self.validation:.4f} on validation events, {self.events} trained on{skipped}"


@dataclass(frozen=True)
class _Run:
    """What all phases of a training share."""

    config: UnfoldingConfig
    seed: int
    folder: Path
    progress: Progress

    @property
    def training(self) -> TrainingConfig:
        return self.config.training

    def phase(
        self, module: PhaseModule, name: str, epochs: int, table: "_Tables", key: tuple[str, ...] = ()
    ) -> PhaseResult:
        """Run one phase in its own folder, or find it done; those of a view, named by `key`, average weights."""
        training = self.training
        settings = replace(
            PhaseSettings.from_config(training, "/".join((*key, name)), epochs),
            schedule=training.schedule, decay=training.decay, logger=training.logger,
        )  # fmt: skip
        if not key:
            settings = replace(settings, average=None)
        if name == "provenance" and training.provenance_learning_rate:
            settings = replace(settings, learning_rate=training.provenance_learning_rate)
        return run_phase(
            module, table.train, table.validation, settings, self.folder.joinpath(*key, "phases", name), self.seed,
            self.progress,
        )  # fmt: skip


@dataclass(frozen=True)
class _Tables:
    """Training and validation events."""

    train: TensorTable
    validation: TensorTable

    def with_columns(self, train: Mapping[str, Tensor], validation: Mapping[str, Tensor]) -> "_Tables":
        return _Tables(self.train.with_columns(train), self.validation.with_columns(validation))


def train_unfolding(
    stores: Sequence[Path],
    process: ProcessConfig,
    config: UnfoldingConfig,
    seed: int,
    folder: Path,
    progress: Progress = SILENT,
) -> tuple[TrainedModel, ...]:
    """Train a model for each view of `config` and write it to ``<folder>/<view>``.

    Args:
        stores: event stores of simulated events, selected and rejected.
        process: the hard process they are of.
        config: networks and training.
        seed: root seed; the same events, settings and seed give the same models on the same machine.
        folder: for the models, and beside them the data and the phases, from which a killed training goes on.
        progress: told of events read and of epochs.

    Raises:
        SchemaError: if the stores lack what the training needs.
        TrainingError: if a training does not come to finite weights.
    """
    run = _Run(config, seed, folder, progress)
    views = [PartonView.of(name, process) for name in config.views]
    data = prepare_data(stores, views, folder / "data", config.training.max_events, progress)
    tables = _Tables(*split_table(TensorTable(data.arrays), config.training.validation_fraction, seed))
    assignment, found = _train_provenance(run, tables)
    probabilities = [_jet_probabilities(assignment, table) for table in (tables.train, tables.validation)]
    tables = tables.with_columns(*({"provenance": values} for values in probabilities))
    schema = SchemaRecord.of(ProcessInfo.of_config(process))
    record = {"events": data.events, "skipped_events": dict(data.skipped), "stores": [path.name for path in stores]}
    return tuple(_train_view(run, view, assignment, tables, (schema, record, found)) for view in views)


def _train_provenance(run: _Run, tables: _Tables) -> tuple[AssignmentNetwork, PhaseResult]:
    with seeded_weights(run.seed, "provenance"):
        network = AssignmentNetwork(run.config.provenance)
    network.fit_scales(tokens_of(tables.train.rows(_some_rows(tables.train))))
    result = run.phase(ProvenancePhase(network), "provenance", run.training.provenance_epochs, tables)
    return network.eval(), result


def _train_view(
    run: _Run,
    view: PartonView,
    assignment: AssignmentNetwork,
    tables: _Tables,
    facts: tuple[SchemaRecord, Mapping[str, Any], PhaseResult],
) -> TrainedModel:
    schema, record, provenance = facts
    with seeded_weights(run.seed, view.name):
        model = UnfoldingModel(NetworkSizes(run.config.provenance, run.config.conditioner, run.config.flow), view)
    model.provenance.load_state_dict(assignment.state_dict())
    _fit_regression_scales(model, tables.train)
    key, training = (view.name,), run.training
    results = {"provenance": provenance}
    results["regression"] = run.phase(
        RegressionPhase(model, training.regression_targets, training.damping),
        "regression", training.regression_epochs, tables, key,
    )  # fmt: skip
    _fit_flow_scales(model, tables.train)
    joint = JointPhase(model, training.joint_targets, training.regression_weight, training.damping)
    results["joint"] = run.phase(joint, "joint", training.joint_epochs, tables, key)
    conditions = [_conditions(model, table) for table in (tables.train, tables.validation)]
    with_conditions = tables.with_columns(*conditions)
    flow = FlowPhase(model, training.joint_targets, training.damping)
    results["flow"] = run.phase(flow, "flow", training.flow_epochs, with_conditions, key)
    _calibrate(model, tables, conditions)
    skipped = sum(result.skipped for result in results.values())
    last = results["flow"] if training.flow_epochs else results["joint"]
    details = {
        **record,
        "training_events": len(tables.train),
        "validation": last.best_validation,
        "skipped_steps": skipped,
        "epochs": {name: result.epochs for name, result in results.items()},
        "seed": run.seed,
        "config": run.config.model_dump(mode="json", exclude={"stores", "model"}),
        "versions": package_versions(),
    }
    output = run.folder / view.name
    Unfolder(model, schema, details).save(output)
    return TrainedModel(view.name, output, len(tables.train), last.best_validation, skipped)


def _fit_regression_scales(model: UnfoldingModel, table: TensorTable) -> None:
    sample = table.rows(_some_rows(table))
    truth = view_arrays(model.view, sample)
    model.conditioner.fit_scales(
        tokens_of(sample), sample["provenance"], truth["particles"], truth["p_z"], truth["radiation"]
    )


def _fit_flow_scales(model: UnfoldingModel, table: TensorTable) -> None:
    sample = TensorTable(table.rows(_some_rows(table)))
    model.flow.fit_scales(view_arrays(model.view, sample.columns)["numbers"], _conditions(model, sample)["conditions"])


def _calibrate(model: UnfoldingModel, tables: _Tables, conditions: Sequence[Mapping[str, Tensor]]) -> None:
    """Fit the response of the regressed pT on the training events, the base of the flow on the validation events."""
    true_pt = view_arrays(model.view, tables.train.columns)["particles"][..., 0]
    model.calibration.fit(conditions[0]["regressed_pt"], true_pt)
    numbers = view_arrays(model.view, tables.validation.columns)["numbers"]
    model.flow.fit_base_scale(numbers, conditions[1]["conditions"], conditions[1]["latent"])


@torch.no_grad()
def _jet_probabilities(network: AssignmentNetwork, table: TensorTable) -> Tensor:
    filled = torch.zeros((*table.columns["jet_mask"].shape, 3))
    for start in range(0, len(table), _ROWS):
        tokens = tokens_of(table.part(start, start + _ROWS).columns)
        filled[start : start + _ROWS, : tokens.jets.shape[1]] = network.jet_probabilities(tokens)
    return filled


@torch.no_grad()
def _conditions(model: UnfoldingModel, table: TensorTable) -> dict[str, Tensor]:
    """Return the conditions of all events: numbers of the regressed partons, latent vector and regressed pT."""
    model.eval()
    pieces: dict[str, list[Tensor]] = {"conditions": [], "latent": [], "regressed_pt": []}
    for start in range(0, len(table), _ROWS):
        batch = table.part(start, start + _ROWS).columns
        conditions = model.conditions(tokens_of(batch), batch["provenance"])
        pieces["conditions"].append(conditions.numbers)
        pieces["latent"].append(conditions.latent)
        pieces["regressed_pt"].append(conditions.particles[..., 0])
    return {name: torch.cat(values) for name, values in pieces.items()}


def _some_rows(table: TensorTable) -> Tensor:
    """Return evenly spread rows, in order: the table was shuffled when it was split."""
    return torch.arange(min(len(table), _SCALE_EVENTS))
