"""Training of the transfer function by maximum likelihood on simulated events: −log p_T(x|z) of true pairs.

p_T is conditional on z, so that events need no weights, whatever θ or bias they were generated with; only events that
are rare in the sample are learned less well. (It is that of the initial states in the sample: `mem.initial_state`.)
Every event is turned by π about the axis of its frame with probability ½: a symmetry of proton collisions that the
network is to learn.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from partonic.config.mem_training.transfer import MemTrainingConfig, TransferConfig
from partonic.errors import ConfigError
from partonic.events.schema import ProcessInfo
from partonic.mem.transfer.data import objects_of, transfer_table
from partonic.mem.transfer.layout import TransferLayout
from partonic.mem.transfer.network import TransferNetwork
from partonic.mem.transfer.objects import ObjectTable
from partonic.mem.transfer.transfer_function import TransferFunction
from partonic.nn.training import PhaseModule, PhaseSettings, run_phase, seeded_weights, split_table
from partonic.progress import SILENT, Progress
from partonic.provenance import package_versions
from partonic.trained.schema_record import SchemaRecord

__all__ = ["TrainedTransfer", "TransferPhase", "mirror_events", "train_transfer"]

_SCALE_EVENTS = 50_000


@dataclass(frozen=True)
class TrainedTransfer:
    """What the training of a transfer function gave.

    Attributes:
        folder: the model folder.
        events: training events.
        validation: −log p_T of the validation events in the coordinates of the network, averaged.
    """

    folder: Path
    events: int
    validation: float

    def __str__(self) -> str:
        """Return one line for the terminal."""
        return f"transfer function: −log p = {self.validation:.4f} on validation events, {self.events} trained on"


class TransferPhase(PhaseModule):
    """Minimise −log p_T(x|z)."""

    def __init__(self, network: TransferNetwork) -> None:
        """Train `network`."""
        super().__init__({})
        self.network = network

    def training_losses(
        self, batch: Mapping[str, Tensor], generator: torch.Generator
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the loss of events, half of which are turned; −log p_T, unless heads have another one."""
        table, momenta = objects_of(batch, self.network.layout), batch["momenta"]
        flip = torch.rand(len(momenta), generator=generator, device=generator.device) < 0.5
        turned = mirror_events(table, momenta, flip.to(momenta.device))
        return self.network.loss(*turned, generator).mean(), {}

    def validation_loss(self, batch: Mapping[str, Tensor]) -> Tensor:
        """Return −log p_T of events as they are."""
        table = objects_of(batch, self.network.layout)
        return -self.network.log_prob(table, batch["momenta"][:, None]).mean()


def mirror_events(table: ObjectTable, momenta: Tensor, flip: Tensor) -> tuple[ObjectTable, Tensor]:
    """Turn objects and partons by π about the x axis of the event's frame where `flip`.

    In the laboratory that axis has the azimuth φ₀ of the reference object: φ → 2φ₀ − φ, pz → −pz.

    Returns:
        the objects, and the partons as `(N, 1, P, 4)`.
    """
    cosine, sine = torch.cos(2.0 * table.azimuth)[:, None], torch.sin(2.0 * table.azimuth)[:, None]
    energy, px, py, pz = momenta.unbind(dim=-1)
    turned = torch.stack([energy, cosine * px + sine * py, sine * px - cosine * py, -pz], dim=-1)
    return table.mirrored(flip), torch.where(flip[:, None, None], turned, momenta)[:, None]


def train_transfer(
    stores: Sequence[Path],
    process: ProcessInfo,
    layout: TransferLayout,
    config: tuple[TransferConfig, MemTrainingConfig],
    seed: int,
    folder: Path,
    progress: Progress = SILENT,
    start: Path | None = None,
) -> TrainedTransfer:
    """Train a transfer function and write its model folder.

    Args:
        stores: event stores of simulated events.
        process: the hard process that they are of.
        layout: objects and cuts.
        config: sizes, and settings of the training.
        seed: root seed.
        folder: of the model; its `phase` folder keeps the checkpoint, from which a killed training goes on.
        progress: told of events and steps.
        start: folder of models whose transfer function is trained further; None for one with random weights.

    Raises:
        ConfigError: if the one to start from has other sizes, objects or cuts.
        ModelError: if it is missing or damaged.
        SchemaError: if the stores lack what the training needs.
        TrainingError: if the training does not come to finite weights.
    """
    sizes, training = config
    known = None if start is None else _known(start, sizes, layout)
    table = transfer_table(stores, layout, training.max_events, progress)
    train, validation = split_table(table, training.validation_fraction, seed, table.columns["momenta"])
    with seeded_weights(seed, "transfer"):
        network = TransferNetwork(sizes, layout)
    if known is None:
        sample = train.part(0, _SCALE_EVENTS).columns
        network.fit_scales(objects_of(sample, layout), sample["momenta"])
    else:
        network.load_state_dict(known.network.state_dict())
    settings = PhaseSettings.from_config(training, "transfer", training.epochs)
    result = run_phase(TransferPhase(network), train, validation, settings, folder / "phase", seed, progress)
    record = {
        "events": len(train),
        "stores": [path.name for path in stores],
        "validation": result.best_validation,
        "epochs": result.epochs,
        "seed": seed,
        "config": {"network": sizes.model_dump(mode="json"), "training": training.model_dump(mode="json")},
        "versions": package_versions(),
    }
    if known is not None:
        record["started_from"] = known.record
    TransferFunction(network, SchemaRecord.of(process), record).save(folder)
    return TrainedTransfer(folder, len(train), result.best_validation)


def _known(folder: Path, sizes: TransferConfig, layout: TransferLayout) -> TransferFunction:
    """Return the trained transfer function of a folder of models, if it fits."""
    found = TransferFunction.load(folder / "transfer")
    if found.network.config != sizes.model_copy(update={"dropout": found.network.config.dropout}):
        raise ConfigError(
            f"mem_training.transfer_start: {folder} has a transfer function of other sizes than `transfer` says; give "
            "those of its model.json"
        )
    if found.layout != layout:
        raise ConfigError(
            f"mem_training.transfer_start: the transfer function of {folder} is for other objects or cuts "
            f"({found.layout}) than the events ({layout})"
        )
    return found
