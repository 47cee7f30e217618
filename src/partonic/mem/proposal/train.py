"""Training of a proposal network by maximum likelihood: −log q(z_true|x) of the selected events of stores.

Events count alike, whatever their weights. The q that is learned is the posterior for the mixture of θ and of biases
that the events were generated with, and any such q gives the same integrals: it only has to cover where integrands are.
A mixture covers more than one θ does, and weights would make the few events with large ones all that is learned.

Every phase writes checkpoints in its own folder and is skipped when it is done, so that a killed training goes on where
it was and ends with the same weights.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from partonic.config.mem_training.proposal import ProposalNetworkConfig
from partonic.errors import ConfigError, SchemaError
from partonic.events.schema import ProcessInfo
from partonic.features.decay_channel import DecayChannel
from partonic.features.object_tokens import ObjectTokens
from partonic.mem.models import mem_folder
from partonic.mem.proposal.data import proposal_table, with_reflections
from partonic.mem.proposal.drawn_events import Surrogate, drawn_table
from partonic.mem.proposal.phases import FlowAlone, RegressionAlone, RegressionWithFlow, conditions_of
from partonic.mem.proposal.quality import ProposalCoverage, proposal_coverage
from partonic.nn.training import (
    PhaseModule,
    PhaseResult,
    PhaseSettings,
    TensorTable,
    run_phase,
    seeded_weights,
    split_table,
)
from partonic.physics.process import Process
from partonic.progress import SILENT, Progress
from partonic.provenance import package_versions
from partonic.trained.schema_record import SchemaRecord
from partonic.unfolding.decay_channel.network import DecayChannelNetwork
from partonic.unfolding.unfolder import Unfolder
from partonic.unfolding.view import DecayChannelView

__all__ = ["TrainedProposal", "train_proposal"]

_ROWS = 4096
"""Events at a time where networks are only evaluated."""

_SCALE_EVENTS = 50_000
"""Events that means and standard deviations are taken from."""


@dataclass(frozen=True)
class TrainedProposal:
    """What the training of a proposal network gave.

    Attributes:
        folder: the model folder.
        events: training events.
        validation: −log q of the validation events, averaged.
        coverage: share of the validation events in the regions that should hold 68% and 95% of them.
        skipped_steps: steps that were left out because something was not finite.
    """

    folder: Path
    events: int
    validation: float
    coverage: ProposalCoverage
    skipped_steps: int

    def __str__(self) -> str:
        """Return one line for the terminal."""
        skipped = f", {self.skipped_steps} steps skipped (not finite)" if self.skipped_steps else ""
        return (
            f"proposal: −log q = {self.validation:.4f} on validation events, {self.coverage}, {self.events} trained "
            f"on{skipped}"
        )


@dataclass(frozen=True)
class _Tables:
    """Training and validation events."""

    train: TensorTable
    validation: TensorTable


@dataclass(frozen=True)
class _Run:
    """What all phases of a training share."""

    config: ProposalNetworkConfig
    seed: int
    folder: Path
    progress: Progress

    def phase(self, module: PhaseModule, name: str, epochs: int, tables: _Tables) -> PhaseResult:
        """Run one phase in its own folder, or find it done."""
        settings = PhaseSettings.from_config(self.config.training, name, epochs)
        return run_phase(
            module, tables.train, tables.validation, settings, self.folder / "phases" / name, self.seed, self.progress
        )


def train_proposal(
    stores: Sequence[Path],
    process: Process,
    decay_channel: DecayChannel,
    config: ProposalNetworkConfig,
    seed: int,
    folder: Path,
    progress: Progress = SILENT,
    surrogate: Surrogate | None = None,
) -> TrainedProposal:
    """Train a proposal network and write its model folder.

    Args:
        stores: event stores of simulated events, selected and rejected.
        process: the hard process that they are of.
        decay_channel: their decay channel.
        config: networks and training.
        seed: root seed; the same events, settings and seed give the same model on the same machine.
        folder: of the model; ``phases`` in it keeps the checkpoints, from which a killed training goes on.
        progress: told of events read and of steps.
        surrogate: what events are drawn from where `config.drawn` asks for that.

    Raises:
        ConfigError: if events are to be drawn, and there is nothing to draw them from; or if the proposal to start from
            has other sizes, or is for another process or decay channel.
        ModelError: if the proposal to start from is missing or damaged.
        SchemaError: if the process has other partons than the channel, or the stores lack what the training needs.
        TrainingError: if a training does not come to finite weights.
    """
    info, run = ProcessInfo.of(process), _Run(config, seed, folder, progress)
    if info.parton_pdg != decay_channel.parton_pdg:
        raise SchemaError(
            f"the process has the partons {info.parton_pdg}, the decay channel {decay_channel.parton_pdg}: choose a "
            "decay channel of this process"
        )
    masses = tuple(particle.mass for particle in process.final_state)
    view = DecayChannelView(decay_channel.name, masses, info.collider_energy, decay_channel)
    known = None if config.start is None else _known(mem_folder(config.start, info.name), config, view)
    table = _events(stores, view, run, surrogate)
    turned = view.cube.azimuth_numbers  # differ between copies, whose frames are those of their objects
    fixed = [place for place in range(table.columns["numbers"].shape[1]) if place not in turned]
    partons = None if config.drawn is not None else table.columns["numbers"][:, fixed]
    train, validation = split_table(table, config.training.validation_fraction, seed, partons)
    tables = _Tables(with_reflections(train, view.cube) if config.training.reflections else train, validation)
    with seeded_weights(seed, "proposal"):
        model = DecayChannelNetwork(config, view)
    if known is not None:
        model.load_state_dict(known.network.state_dict())
    results, tables = _train(run, model, tables, with_scales=known is None)
    model.jets_min = int(table.columns["jet_count"].min())
    record = _record(run, results, tables, [path.name for path in stores])
    if known is not None:
        record["started_from"] = known.record
    Unfolder(model, SchemaRecord.of(info), record).save(folder)
    coverage = proposal_coverage(model, tables.validation.columns["numbers"], conditions_of(tables.validation.columns))
    skipped = sum(result.skipped for result in results.values())
    return TrainedProposal(folder, len(tables.train), record["validation"], coverage, skipped)


def _events(stores: Sequence[Path], view: DecayChannelView, run: _Run, surrogate: Surrogate | None) -> TensorTable:
    """Return the events to train on, simulated or drawn."""
    config = run.config
    if config.drawn is None:
        return proposal_table(stores, view, config.encoder.max_jets, config.training.max_events, run.progress)
    if surrogate is None:
        msg = "mem_training.proposal.drawn: events are drawn from a transfer function, and none is given"
        raise ConfigError(msg)
    target = (view, config.encoder.max_jets)
    return drawn_table(stores, surrogate, target, config.drawn.events, run.seed, run.folder / "drawn", run.progress)


def _known(folder: Path, config: ProposalNetworkConfig, view: DecayChannelView) -> Unfolder:
    """Return the trained proposal of a folder of models, if it fits."""
    known = Unfolder.load(folder / "proposal")
    where = f"mem_training.proposal.start: {folder}"
    if not isinstance(known.network, DecayChannelNetwork):
        raise ConfigError(f"{where} has a model of the view '{known.view.name}', expected one trained as a proposal")
    own = known.network.config
    sizes = (config.encoder, config.flow.model_copy(update={"base_scale": own.flow.base_scale}))
    if (own.encoder, own.flow) != sizes:
        raise ConfigError(
            f"{where} has a proposal of other sizes than `encoder` and `flow` say; give those of its model.json"
        )
    if known.network.view != view:
        raise ConfigError(
            f"mem_training.proposal.start: the proposal of {folder} is for {_target(known.network.view)}, not for "
            f"{_target(view)}"
        )
    return known


def _target(view: DecayChannelView) -> str:
    masses = ", ".join(f"{mass:g}" for mass in view.masses)
    return f"partons {view.decay_channel.parton_pdg} ({view.name}) of {masses} GeV at {view.collider_energy:g} GeV"


def _train(
    run: _Run, model: DecayChannelNetwork, tables: _Tables, *, with_scales: bool
) -> tuple[dict[str, PhaseResult], _Tables]:
    """Run all phases; return their results, and the events with the conditions that the model gives them.

    Without scales, which it has already, the model needs no regression before everything is trained together.
    """
    training, results = run.config.training, {}
    if with_scales:
        sample = tables.train.part(0, _SCALE_EVENTS)  # shuffled when the table was split
        model.fit_scales(ObjectTokens.of_columns(sample.columns), sample.columns["numbers"])
        results["regression"] = run.phase(RegressionAlone(model), "regression", training.regression_epochs, tables)
        known = sample.with_columns(_conditions(model, sample)).columns
        model.fit_flow_scales(known["numbers"], conditions_of(known))
    joint = RegressionWithFlow(model, training.regression_weight)
    results["joint"] = run.phase(joint, "joint", training.epochs, tables)
    tables = _Tables(*(table.with_columns(_conditions(model, table)) for table in (tables.train, tables.validation)))
    light = _Tables(*(_without_objects(table) for table in (tables.train, tables.validation)))
    results["flow"] = run.phase(FlowAlone(model), "flow", training.flow_epochs, light)
    held_out = light.validation.columns
    model.fit_base_scale(held_out["numbers"], conditions_of(held_out))
    return results, light


def _record(run: _Run, results: Mapping[str, PhaseResult], tables: _Tables, stores: Sequence[str]) -> dict[str, Any]:
    last = results["flow"] if results["flow"].epochs else results["joint"]
    return {
        "stores": list(stores),
        "training_events": len(tables.train),
        "validation": last.best_validation,
        "epochs": {name: result.epochs for name, result in results.items()},
        "seed": run.seed,
        "config": run.config.model_dump(mode="json"),
        "versions": package_versions(),
    }


@torch.no_grad()
def _conditions(model: DecayChannelNetwork, table: TensorTable) -> dict[str, Tensor]:
    """Return the conditions of all events."""
    model.eval()
    pieces: dict[str, list[Tensor]] = {"regressed": [], "latent": [], "estimates": []}
    for start in range(0, len(table), _ROWS):
        conditions = model(ObjectTokens.of_columns(table.part(start, start + _ROWS).columns))
        for name, values in vars(conditions).items():
            pieces[name].append(values)
    return {name: torch.cat(values) for name, values in pieces.items()}


def _without_objects(table: TensorTable) -> TensorTable:
    """Return only what the flow needs, so that its batches are light."""
    return TensorTable({name: table.columns[name] for name in ("numbers", "regressed", "latent", "estimates")})
