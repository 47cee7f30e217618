"""Training of the network of initial states: first m_i(z) on all events, then s_i(x, z) on the selected ones.

Events count alike, whatever their weights, as they do in the training of ε and p_T: the mixture of initial states that
these know must be the one that is divided out here. So all are trained on the same stores.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

from partonic.config.mem_initial_state import InitialStateConfig
from partonic.config.mem_transfer import MemTrainingConfig
from partonic.errors import SchemaError
from partonic.events.batch import JET_FEATURES, LEPTON_FEATURES, EventBatch
from partonic.events.schema import ProcessInfo
from partonic.events.store import EventStore
from partonic.mem.channel_status import channel_status
from partonic.mem.initial_state.classes import InitialState, labels_of
from partonic.mem.initial_state.model import InitialStateModel
from partonic.mem.initial_state.network import InitialStateNetwork
from partonic.mem.phase_settings import phase_settings
from partonic.mem.proposal_inputs import ProposalTokens, proposal_tokens
from partonic.mem.transfer.described import described
from partonic.mem.transfer.layout import TransferLayout
from partonic.nn.training import PhaseModule, TensorTable, run_phase, seeded_weights, split_table
from partonic.progress import SILENT, Progress
from partonic.provenance import package_versions
from partonic.unfolding.event_status import OK
from partonic.unfolding.schema_record import SchemaRecord

__all__ = ["EvidencePhase", "SharePhase", "TrainedInitialState", "all_events", "selected_events", "train_initial_state"]

_PARTONS = ("initial_pdg", "x1", "x2", "partons", "hadronic_top")
_OBJECTS = (
    "selected", *(f"jet_{name}" for name in JET_FEATURES), "jet_tagged",
    *(f"lepton_{name}" for name in LEPTON_FEATURES), "lepton_pdg", "met_pt", "met_phi",
)  # fmt: skip
_BATCH = 20_000
_SCALE_EVENTS = 50_000
_FEWEST_JETS = 1


@dataclass(frozen=True)
class TrainedInitialState:
    """What the training gave.

    Attributes:
        folder: the model folder.
        events: selected training events.
        of_partons: cross entropy of the class of held-out events, of the shares that the partons tell.
        of_objects: the same when the objects are known, too.
    """

    folder: Path
    events: int
    of_partons: float
    of_objects: float

    def __str__(self) -> str:
        """Return one line for the terminal."""
        return (
            f"initial state: cross entropy {self.of_objects:.4f} with objects, {self.of_partons:.4f} by the partons "
            f"alone, {self.events} events trained on"
        )


class SharePhase(PhaseModule):
    """Minimise the cross entropy of the class given the partons alone."""

    def __init__(self, network: InitialStateNetwork) -> None:
        """Train the shares of `network`."""
        super().__init__({})
        self.network = network

    def training_losses(
        self, batch: Mapping[str, Tensor], generator: torch.Generator
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the cross entropy."""
        return self.validation_loss(batch), {}

    def validation_loss(self, batch: Mapping[str, Tensor]) -> Tensor:
        """Return the cross entropy."""
        return functional.nll_loss(self.network.log_shares(batch["momenta"]), batch["label"])


class EvidencePhase(SharePhase):
    """Minimise the cross entropy of the class given objects and partons; the shares stay."""

    def __init__(self, network: InitialStateNetwork) -> None:
        """Train the evidence of `network`."""
        super().__init__(network)
        for name, parameter in network.named_parameters():
            parameter.requires_grad_(not name.startswith("share_"))

    def validation_loss(self, batch: Mapping[str, Tensor]) -> Tensor:
        """Return the cross entropy."""
        evidence = self.network.evidence(ProposalTokens.of_columns(batch), batch["momenta"][:, None])[:, 0]
        return functional.cross_entropy(evidence + batch["log_shares"], batch["label"])


def train_initial_state(
    stores: Sequence[Path],
    process: tuple[ProcessInfo, tuple[InitialState, ...]],
    layout: TransferLayout,
    config: tuple[InitialStateConfig, MemTrainingConfig],
    seed: int,
    folder: Path,
    progress: Progress = SILENT,
) -> TrainedInitialState:
    """Train a network of initial states and write its model folder.

    Args:
        stores: event stores of simulated events, selected and rejected: those that ε and p_T are trained on.
        process: the hard process that they are of, and its classes of initial states.
        layout: objects, partons and cuts.
        config: sizes, and settings of the training on the selected events.
        seed: root seed.
        folder: of the model; its `shares` and `evidence` folders keep the checkpoints of the two phases.
        progress: told of events and steps.

    Raises:
        SchemaError: if the stores lack what the training needs, or have other initial states than the process.
        TrainingError: if the training does not come to finite weights.
    """
    (info, classes), (sizes, training) = process, config
    with seeded_weights(seed, "initial state"):
        network = InitialStateNetwork(sizes, layout, classes)
    parted = split_table(all_events(stores, layout, classes, training.max_events, progress), _held(training), seed)
    network.fit_share_scales(parted[0].columns["momenta"][:_SCALE_EVENTS])
    of_shares = training.model_copy(update={"epochs": sizes.share_epochs, "batch_size": sizes.share_batch_size})
    run_phase(SharePhase(network), *parted, phase_settings(of_shares, "shares"), folder / "shares", seed, progress)
    table = selected_events(stores, layout, classes, training.max_events, progress)
    table = table.with_columns({"log_shares": _log_shares(network, table.columns["momenta"])})
    train, validation = split_table(table, _held(training), seed)
    sample = train.part(0, _SCALE_EVENTS).columns
    network.fit_scales(ProposalTokens.of_columns(sample), sample["momenta"])
    phase, settings = EvidencePhase(network), phase_settings(training, "evidence")
    result = run_phase(phase, train, validation, settings, folder / "evidence", seed, progress)
    held_out = validation.columns
    of_partons = float(functional.nll_loss(held_out["log_shares"], held_out["label"]))
    record = {
        "events": len(train),
        "stores": [path.name for path in stores],
        "validation": result.best_validation,
        "validation_of_partons": of_partons,
        "epochs": result.epochs,
        "seed": seed,
        "config": {"network": sizes.model_dump(mode="json"), "training": training.model_dump(mode="json")},
        "versions": package_versions(),
    }
    InitialStateModel(network, SchemaRecord.of(info), record).save(folder)
    return TrainedInitialState(folder, len(train), of_partons, result.best_validation)


def all_events(
    stores: Sequence[Path],
    layout: TransferLayout,
    classes: Sequence[InitialState],
    max_events: int | None = None,
    progress: Progress = SILENT,
) -> TensorTable:
    """Return ``momenta`` and ``label``, the class, of all events, selected or not.

    Raises:
        SchemaError: if a store lacks partons or initial states, or has others than the process.
    """
    pieces, number = [], 0
    progress.start("reading initial states", max_events, "events")
    for path in stores:
        for batch in EventStore.open(path).batches(columns=(*_PARTONS, "selected"), size=_BATCH):
            momenta = layout.decay_channel.truth(batch).momenta.float()
            pieces.append({"momenta": momenta, "label": _labels(batch, classes, path)})
            number += len(momenta)
            progress.advance(len(momenta))
            if max_events is not None and number >= max_events:
                break
    progress.finish()
    return _joined(pieces, max_events)


def selected_events(
    stores: Sequence[Path],
    layout: TransferLayout,
    classes: Sequence[InitialState],
    max_events: int | None = None,
    progress: Progress = SILENT,
) -> TensorTable:
    """Return the same of selected, usable events, with the columns of their objects as p_T knows them.

    Raises:
        SchemaError: if a store lacks what the training needs, or no event is usable.
    """
    pieces, number, channel = [], 0, layout.decay_channel
    progress.start("reading events", max_events, "events")
    for path in stores:
        columns = (*_PARTONS, *_OBJECTS)
        for batch in EventStore.open(path).batches(columns=columns, size=_BATCH, selected_only=True):
            words = channel_status(batch.reco(), channel, _FEWEST_JETS)
            usable = batch.filter(np.array([word == OK for word in words], dtype=np.bool_))
            tokens = proposal_tokens(described(usable.reco(), channel), channel, layout.jets_max)
            known = {"momenta": channel.truth(usable).momenta.float(), "label": _labels(usable, classes, path)}
            pieces.append({**tokens.columns(), **known})
            number += len(tokens)
            progress.advance(len(tokens))
            if max_events is not None and number >= max_events:
                break
    progress.finish()
    if not number:
        names = ", ".join(str(path) for path in stores)
        raise SchemaError(f"no selected event of {names} has what the channel '{channel.name}' needs")
    return _joined(pieces, max_events)


def _joined(pieces: Sequence[Mapping[str, Tensor]], max_events: int | None) -> TensorTable:
    return TensorTable({name: torch.cat([piece[name] for piece in pieces])[:max_events] for name in pieces[0]})


def _labels(batch: EventBatch, classes: Sequence[InitialState], path: Path) -> Int[Tensor, " events"]:
    labels = labels_of(batch.column("initial_pdg"), classes)
    wrong = int((labels < 0).sum())
    if wrong:
        raise SchemaError(
            f"{wrong} events of {path} have an initial state that the process has not; it has {', '.join(classes)}"
        )
    return labels


def _held(training: MemTrainingConfig) -> float:
    return training.validation_fraction


@torch.no_grad()
def _log_shares(
    network: InitialStateNetwork, momenta: Float[Tensor, "events partons 4"]
) -> Float[Tensor, "events classes"]:
    return torch.cat([network.log_shares(part) for part in torch.split(momenta, _SCALE_EVENTS)])
