"""A network with what is known of its training: what every trained model of the package is, kept as a model folder."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

import torch
from torch import nn

from partonic.errors import ModelError, ProcessError
from partonic.events.schema import StoreMetadata
from partonic.trained.model_folder import load_record, load_weights, save_model
from partonic.trained.schema_record import SchemaRecord

__all__ = ["TrainedModel"]

Network = TypeVar("Network", bound=nn.Module)
Model = TypeVar("Model", bound="TrainedModel[Any]")


class TrainedModel(ABC, Generic[Network]):
    """A trained network, the events that it was trained on, and how.

    A subclass says what its network is (`kind`), what the network is built again from (`description`), and builds it
    (`_build`). Loading, saving and the check of events are the same for all.

    Attributes:
        network: the network, in the mode of evaluation.
        schema: of the events that it was trained on.
        record: what else is known of the training, kept with the model.
    """

    kind: ClassVar[str]
    """What the model is, for messages: ``transfer function``."""

    any_process: ClassVar[bool] = False
    """Whether events of another process may be asked about: for the density of data if they came from ours, yes."""

    def __init__(self, network: Network, schema: SchemaRecord, record: Mapping[str, Any] | None = None) -> None:
        """Wrap a network.

        Args:
            network: the trained network.
            schema: of the events that it was trained on.
            record: what else is known of the training, kept with the model.
        """
        self.network: Network = network.eval()
        self.schema = schema
        self.record = dict(record or {})

    @property
    def device(self) -> torch.device:
        """Where the network is."""
        return next(self.network.parameters()).device

    @abstractmethod
    def description(self) -> dict[str, Any]:
        """Return what the network is built again from, as JSON can hold it."""

    @classmethod
    @abstractmethod
    def _build(cls: type[Model], record: Mapping[str, Any], schema: SchemaRecord) -> Model:
        """Return the model of a record, with weights that are not yet its own.

        Args:
            record: `description`, and ``training`` where anything is known of it.
            schema: of the events that it was trained on.

        Raises:
            KeyError, TypeError, ValueError, ProcessError: if the record lacks something or is wrong.
        """

    @classmethod
    def load(cls: type[Model], folder: Path, device: str | torch.device = "cpu") -> Model:
        """Load a model folder.

        Args:
            folder: the model folder.
            device: where the network runs.

        Raises:
            ModelError: if the folder is no model of this kind, damaged, or of other sizes than it says.
        """
        record = load_record(folder)
        try:
            model = cls._build(record, SchemaRecord.model_validate(record["schema"]))
        except (KeyError, TypeError, ValueError, ProcessError) as error:
            raise ModelError(f"{folder} is no {cls.kind}: its record lacks or misstates {error}") from error
        load_weights(folder, model.network)
        model.network.to(device)
        return model

    def save(self, folder: Path) -> None:
        """Write the model folder: ``model.json`` and ``weights.safetensors``.

        Raises:
            OutputError: if it cannot be written.
        """
        content = {**self.description(), "schema": self.schema.model_dump(mode="json"), "training": self.record}
        save_model(folder, self.network, content)

    def check(self, metadata: StoreMetadata, where: str) -> None:
        """Check that a store holds events such as the model was trained on.

        Args:
            metadata: of the store.
            where: name of the store, for the message.

        Raises:
            SchemaError: naming what differs.
        """
        (self.schema.check_detector if self.any_process else self.schema.check)(metadata, where)
