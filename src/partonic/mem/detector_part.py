"""A trained part of the matrix element method that stands for detector and selection: what all such parts have."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, Protocol, TypeVar, cast

from torch import nn

from partonic.config.base import StrictModel
from partonic.mem.transfer.layout import TransferLayout
from partonic.trained.schema_record import SchemaRecord
from partonic.trained.trained_model import TrainedModel

__all__ = ["DetectorPart", "SizedNetwork"]


class SizedNetwork(Protocol):
    """A network that knows its sizes and the events that it is made for."""

    @property
    def config(self) -> StrictModel:
        """Sizes of the network."""

    @property
    def layout(self) -> TransferLayout:
        """Objects, partons and cuts."""


Network = TypeVar("Network", bound=nn.Module)
Part = TypeVar("Part", bound="DetectorPart[Any]")


class DetectorPart(TrainedModel[Network]):
    """A model of the detector; its network has a `config` and a `layout` (`SizedNetwork`).

    Events of another process may be asked about: what is asked for is their density if they came from ours.
    """

    any_process = True

    @property
    def layout(self) -> TransferLayout:
        """Objects, partons and cuts."""
        return cast("SizedNetwork", self.network).layout

    def description(self) -> dict[str, Any]:
        """Return sizes and layout of the network."""
        sizes = cast("SizedNetwork", self.network).config
        return {"network": sizes.model_dump(mode="json"), "layout": self.layout.record()}

    @classmethod
    def _build(cls: type[Part], record: Mapping[str, Any], schema: SchemaRecord) -> Part:
        training = dict(record.get("training") or {})
        network = cls._network(record["network"], TransferLayout.of_record(record["layout"]), training)
        return cls(network, schema, training)

    @classmethod
    @abstractmethod
    def _network(cls, sizes: Mapping[str, Any], layout: TransferLayout, training: Mapping[str, Any]) -> Network:
        """Return the network of these sizes and this layout, of a record that knows this of its training."""
