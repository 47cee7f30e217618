"""A trained part of the matrix element method that stands for detector and selection: what all such parts have."""

import copy
from abc import abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol, TypeVar, cast

import torch
from torch import nn

from partonic.config.base import StrictModel
from partonic.errors import ModelError
from partonic.files import output_folder
from partonic.mem.transfer.layout import TransferLayout
from partonic.nn.bayesian.posterior import WeightPosterior
from partonic.nn.bayesian.posterior_file import load_posterior, save_posterior
from partonic.trained.model_folder import load_record
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
    posterior: WeightPosterior | None = None
    """What the weights are uncertain by; None for a model that was trained without."""
    _posterior_record: dict[str, str] | None = None

    @property
    def layout(self) -> TransferLayout:
        """Objects, partons and cuts."""
        return cast("SizedNetwork", self.network).layout

    def description(self) -> dict[str, Any]:
        """Return sizes and layout of the network, and which posterior lies beside it once it is saved."""
        sizes = cast("SizedNetwork", self.network).config
        record = {"network": sizes.model_dump(mode="json"), "layout": self.layout.record()}
        return record if self._posterior_record is None else record | {"posterior": self._posterior_record}

    @classmethod
    def load(cls: type[Part], folder: Path, device: str | torch.device = "cpu") -> Part:
        """Load a model folder, with the posterior of its weights if it has one.

        Raises:
            ModelError: if the folder is no model of this kind, damaged, or of other sizes than it says.
        """
        model = super().load(folder, device)
        record = load_record(folder).get("posterior")
        model.posterior = None if record is None else load_posterior(folder, record)
        return model

    def save(self, folder: Path) -> None:
        """Write the model folder, with the posterior of the weights if there is one.

        Raises:
            OutputError: if it cannot be written.
        """
        self._posterior_record = save_posterior(output_folder(folder), self.posterior)
        super().save(folder)

    def drawn(self: Part, number: int) -> Part:
        """Return the model with drawn weights, the same for the same number.

        Raises:
            ModelError: if it was trained without uncertainty of its weights, or has no such draw.
        """
        if self.posterior is None:
            raise ModelError(
                f"this {self.kind} is a point model, whose weights have no uncertainty: train it with "
                "`uncertainty.kind` mean_field, repulsive or laplace, or set mem.weight_samples to 0"
            )
        network = copy.deepcopy(self.network)
        state = {name: values.cpu() for name, values in self.network.state_dict().items()}
        network.load_state_dict(self.posterior.draw(state, number))
        return type(self)(network, self.schema, self.record)

    @classmethod
    def _build(cls: type[Part], record: Mapping[str, Any], schema: SchemaRecord) -> Part:
        training = dict(record.get("training") or {})
        network = cls._network(record["network"], TransferLayout.of_record(record["layout"]), training)
        return cls(network, schema, training)

    @classmethod
    @abstractmethod
    def _network(cls, sizes: Mapping[str, Any], layout: TransferLayout, training: Mapping[str, Any]) -> Network:
        """Return the network of these sizes and this layout, of a record that knows this of its training."""
