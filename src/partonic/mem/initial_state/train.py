"""Training of the network of initial states: first m_i(z) on all events, then s_i(x, z) on the selected ones.

Events count alike, whatever their weights, as they do in the training of ε and p_T: the mixture of initial states that
these know must be the one that is divided out here. So all are trained on the same events.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

from partonic.config.mem_training.initial_state import InitialStateConfig
from partonic.config.mem_training.transfer import MemTrainingConfig
from partonic.errors import SchemaError
from partonic.event_status import OK
from partonic.events.batch import PHOTON_COLUMNS, RECO_COLUMNS, EventBatch
from partonic.events.schema import ProcessInfo
from partonic.events.store import EventStore
from partonic.features.decay_channel_status import decay_channel_status
from partonic.features.known_of_event import described
from partonic.features.object_tokens import ObjectTokens, object_tokens
from partonic.mem.initial_state.classes import InitialState, labels_of
from partonic.mem.initial_state.model import InitialStateModel
from partonic.mem.initial_state.network import InitialStateNetwork
from partonic.mem.transfer.layout import TransferLayout
from partonic.nn.training import PhaseModule, PhaseSettings, TensorTable, run_phase, seeded_weights, split_table
from partonic.progress import SILENT, Progress
from partonic.provenance import package_versions
from partonic.trained.schema_record import SchemaRecord

__all__ = ["ObjectPhase", "SharePhase", "TrainedInitialState", "initial_state_tables", "train_initial_state"]

_COLUMNS = ("initial_pdg", "x1", "x2", "partons", "hadronic_top", "selected", *RECO_COLUMNS)
_OF_SHARES = "share_"
"""How the names of the weights of the shares begin."""

_BATCH = 20_000
_SCALE_EVENTS = 50_000
_FEWEST_JETS = 1


@dataclass(frozen=True)
class TrainedInitialState:
    """What the training gave.

    Attributes:
        folder: the model folder.
        events: selected training events.
        of_partons: cross entropy of the class of selected events, of the shares that the partons tell.
        of_objects: the same when the objects are known, too; of events that this was not trained on.
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
        """Train the shares of `network`; the rest stays."""
        super().__init__({})
        self.network = network
        for name, parameter in network.named_parameters():
            parameter.requires_grad_(name.startswith(_OF_SHARES))

    def training_losses(
        self, batch: Mapping[str, Tensor], generator: torch.Generator
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the cross entropy."""
        return self.validation_loss(batch), {}

    def validation_loss(self, batch: Mapping[str, Tensor]) -> Tensor:
        """Return the cross entropy."""
        return functional.nll_loss(self.network.log_shares(batch["momenta"]), batch["label"])


class ObjectPhase(PhaseModule):
    """Minimise the cross entropy of the class given objects and partons."""

    def __init__(self, network: InitialStateNetwork) -> None:
        """Train what `network` makes of objects; the shares stay."""
        super().__init__({})
        self.network = network
        for name, parameter in network.named_parameters():
            parameter.requires_grad_(not name.startswith(_OF_SHARES))

    def training_losses(
        self, batch: Mapping[str, Tensor], generator: torch.Generator
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the cross entropy."""
        return self.validation_loss(batch), {}

    def validation_loss(self, batch: Mapping[str, Tensor]) -> Tensor:
        """Return the cross entropy."""
        logits = self.network.logits_of_objects(ObjectTokens.of_columns(batch), batch["momenta"][:, None])[:, 0]
        return functional.cross_entropy(logits + batch["log_shares"], batch["label"])


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
        folder: of the model; its `shares` and `objects` folders keep the checkpoints of the two phases.
        progress: told of events and steps.

    Raises:
        SchemaError: if the stores lack what the training needs, or have other initial states than the process.
        TrainingError: if the training does not come to finite weights.
    """
    (info, classes), (sizes, training) = process, config
    with seeded_weights(seed, "initial state"):
        network = InitialStateNetwork(sizes, layout, classes)
    everything, selected = initial_state_tables(stores, layout, classes, training.max_events, progress)
    train, validation = split_table(everything, training.validation_fraction, seed, everything.columns["momenta"])
    network.fit_share_scales(train.columns["momenta"][:_SCALE_EVENTS])
    of_shares = training.model_copy(update={"batch_size": sizes.share_batch_size})
    settings = PhaseSettings.from_config(of_shares, "shares", sizes.share_epochs)
    run_phase(SharePhase(network), train, validation, settings, folder / "shares", seed, progress)
    selected = selected.with_columns({"log_shares": _log_shares(network, selected.columns["momenta"])})
    train, validation = split_table(selected, training.validation_fraction, seed, selected.columns["momenta"])
    sample = train.part(0, _SCALE_EVENTS).columns
    network.fit_scales(ObjectTokens.of_columns(sample), sample["momenta"])
    phase, settings = ObjectPhase(network), PhaseSettings.from_config(training, "objects", training.epochs)
    result = run_phase(phase, train, validation, settings, folder / "objects", seed, progress)
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


def initial_state_tables(
    stores: Sequence[Path],
    layout: TransferLayout,
    classes: Sequence[InitialState],
    max_events: int | None = None,
    progress: Progress = SILENT,
) -> tuple[TensorTable, TensorTable]:
    """Read all events, and the selected ones among them, so that the mixtures of both are the same.

    Args:
        stores: event stores.
        layout: objects, partons and cuts.
        classes: of initial states.
        max_events: stop after so many events, selected or not; None for all.
        progress: told of events read.

    Returns:
        of all events ``momenta`` of the partons and ``label``, the class; of selected, usable ones also the columns of
        their objects as p_T knows them.

    Raises:
        SchemaError: if a store lacks what the training needs, has other initial states, or no event is usable.
    """
    everything: list[Mapping[str, Tensor]] = []
    selected: list[Mapping[str, Tensor]] = []
    number = 0
    progress.start("reading initial states", max_events, "events")
    for batch, path in _batches(stores, layout):
        part = batch if max_events is None else EventBatch(batch.table.slice(0, max_events - number), batch.metadata)
        known = {
            "momenta": layout.decay_channel.truth(part).momenta.float(),
            "label": _labels(part, classes, path),
        }
        everything.append(known)
        selected.append(_selected(part, known, layout))
        number += len(part)
        progress.advance(len(part))
        if number == max_events:
            break
    progress.finish()
    if not sum(len(piece["label"]) for piece in selected):
        names = ", ".join(str(path) for path in stores)
        raise SchemaError(f"no selected event of {names} has what the decay channel '{layout.decays}' needs")
    return _joined(everything), _joined(selected)


def _batches(stores: Sequence[Path], layout: TransferLayout) -> Iterator[tuple[EventBatch, Path]]:
    columns = (*_COLUMNS, *(PHOTON_COLUMNS if layout.photons else ()))
    for path in stores:
        for batch in EventStore.open(path).batches(columns=columns, size=_BATCH):
            yield batch, path


def _selected(batch: EventBatch, known: Mapping[str, Tensor], layout: TransferLayout) -> dict[str, Tensor]:
    """Return the columns of the selected, usable events of a batch."""
    rows = torch.from_numpy(batch.column("selected").astype(np.bool_)).nonzero()[:, 0]
    reco, decay_channel = batch.filter(batch.column("selected").astype(np.bool_)).reco(), layout.decay_channel
    status = decay_channel_status(reco, decay_channel, _FEWEST_JETS)
    usable = torch.tensor([word == OK for word in status], dtype=torch.bool)
    tokens = object_tokens(described(reco.select(usable), decay_channel), decay_channel, layout.jets_max)
    return {**tokens.columns(), **{name: values[rows[usable]] for name, values in known.items()}}


def _joined(pieces: Sequence[Mapping[str, Tensor]]) -> TensorTable:
    return TensorTable({name: torch.cat([piece[name] for piece in pieces]) for name in pieces[0]})


def _labels(batch: EventBatch, classes: Sequence[InitialState], path: Path) -> Int[Tensor, " events"]:
    if not batch.has("initial_pdg"):
        raise SchemaError(
            f"{path} does not say which partons came in (column 'initial_pdg'): initial states can only be learned of "
            "events that `partonic generate` made, or whose generator wrote them"
        )
    labels = labels_of(batch.column("initial_pdg"), classes)
    wrong = int((labels < 0).sum())
    if wrong:
        raise SchemaError(
            f"{wrong} events of {path} have an initial state that the process has not; it has {', '.join(classes)}"
        )
    return labels


@torch.no_grad()
def _log_shares(
    network: InitialStateNetwork, momenta: Float[Tensor, "events partons 4"]
) -> Float[Tensor, "events classes"]:
    return torch.cat([network.log_shares(part) for part in torch.split(momenta, _SCALE_EVENTS)])
