"""The model folder of a trained part of the method: sizes of its network, layout and schema of its events."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

from torch import nn

from partonic.config.base import StrictModel
from partonic.errors import ModelError
from partonic.events.schema import StoreMetadata
from partonic.mem.transfer.layout import TransferLayout
from partonic.nn.model_folder import load_record, save_model
from partonic.trained.schema_record import SchemaRecord

__all__ = ["PartRecord", "check_detector", "read_part", "write_part"]

Sizes = TypeVar("Sizes", bound=StrictModel)


@dataclass(frozen=True)
class PartRecord(Generic[Sizes]):
    """What a model folder says of its network.

    Attributes:
        sizes: of the network.
        layout: objects, partons and cuts.
        schema: of the events that it was trained on.
        training: what else is known of the training.
    """

    sizes: Sizes
    layout: TransferLayout
    schema: SchemaRecord
    training: dict[str, Any] = field(default_factory=dict)


def read_part(folder: Path, sizes: type[Sizes], what: str) -> PartRecord[Sizes]:
    """Read the record of a model folder.

    Args:
        folder: the model folder.
        sizes: class of the sizes of its network.
        what: name of the part, for messages.

    Raises:
        ModelError: if the folder is no model of this kind, or damaged.
    """
    record = load_record(folder)
    try:
        return PartRecord(
            sizes.model_validate(record["network"]),
            TransferLayout.of_record(record["layout"]),
            SchemaRecord.model_validate(record["schema"]),
            dict(record.get("training") or {}),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(f"{folder} is no {what}: its record lacks or misstates {error}") from error


def write_part(folder: Path, network: nn.Module, record: PartRecord[Sizes]) -> None:
    """Write a model folder.

    Raises:
        OutputError: if it cannot be written.
    """
    content = {
        "network": record.sizes.model_dump(mode="json"),
        "layout": record.layout.record(),
        "schema": record.schema.model_dump(mode="json"),
        "training": record.training,
    }
    save_model(folder, network, content)


def check_detector(schema: SchemaRecord, metadata: StoreMetadata, where: str) -> None:
    """Check that a store holds events of the detector and collider that a part was trained on.

    The process may be another: what is asked for is the density of these events if they came from ours.

    Raises:
        SchemaError: naming what differs.
    """
    schema.model_copy(update={"process": metadata.process}).check(metadata, where)
