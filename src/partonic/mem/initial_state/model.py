"""The trained network of initial states, kept as a model folder."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from partonic.config.mem_initial_state import InitialStateConfig
from partonic.errors import ModelError
from partonic.event_status import OK
from partonic.events.batch import RecoEvents
from partonic.events.schema import StoreMetadata
from partonic.mem.channel_status import channel_status
from partonic.mem.initial_state.classes import CLASSES, InitialState
from partonic.mem.initial_state.network import InitialStateNetwork
from partonic.mem.proposal.inputs import proposal_tokens
from partonic.mem.trained_part import PartRecord, check_detector, read_part, write_part
from partonic.mem.transfer.known_of_event import described
from partonic.mem.transfer.layout import TransferLayout
from partonic.nn.model_folder import load_weights
from partonic.trained.schema_record import SchemaRecord

__all__ = ["InitialStateModel"]


class InitialStateModel:
    """r_i(x, z) = ε_i p_i(x|z)/(ε p_T(x|z)); satisfies the `InitialStateRatio` protocol."""

    def __init__(
        self, network: InitialStateNetwork, schema: SchemaRecord, record: Mapping[str, Any] | None = None
    ) -> None:
        """Wrap a network.

        Args:
            network: the trained network.
            schema: of the events that it was trained on.
            record: what else is known of the training, kept with the model.
        """
        self.network = network.eval()
        self.schema = schema
        self.record = {**(record or {}), "classes": list(network.classes)}

    @property
    def classes(self) -> tuple[InitialState, ...]:
        """The classes of initial states."""
        return self.network.classes

    @property
    def layout(self) -> TransferLayout:
        """Objects, partons and cuts."""
        return self.network.layout

    @classmethod
    def load(cls, folder: Path, device: str | torch.device = "cpu") -> "InitialStateModel":
        """Load a model folder.

        Raises:
            ModelError: if the folder is no model of this kind, damaged, or of other sizes than it says.
        """
        found = read_part(folder, InitialStateConfig, "model of initial states")
        named = found.training.get("classes")
        classes = tuple(name for name in CLASSES if isinstance(named, list) and name in named)
        if not classes or list(classes) != named:
            raise ModelError(
                f"{folder} is no model of initial states: its classes are {named}, expected some of "
                f"{', '.join(CLASSES)} in this order"
            )
        network = InitialStateNetwork(found.sizes, found.layout, classes)
        load_weights(folder, network)
        return cls(network.to(device), found.schema, found.training)

    def save(self, folder: Path) -> None:
        """Write the model folder."""
        write_part(folder, self.network, PartRecord(self.network.config, self.layout, self.schema, self.record))

    def check(self, metadata: StoreMetadata, where: str) -> None:
        """Check that a store holds events of the detector that the model was trained on; the process may be another.

        Raises:
            SchemaError: naming what differs.
        """
        check_detector(self.schema, metadata, where)

    @torch.no_grad()
    def log_ratio(
        self, x: RecoEvents, momenta: Float[Tensor, "events samples partons 4"]
    ) -> Float[Tensor, "events samples classes"]:
        """Return log r_i(x, z) of each event for its own sets of partons, float64; 0 for events without what it needs.

        Args:
            x: reconstructed events.
            momenta: partons in the order of the channel, laboratory, GeV.
        """
        channel, device = self.layout.decay_channel, next(self.network.parameters()).device
        result = torch.zeros((*momenta.shape[:2], len(self.classes)), dtype=torch.float64)
        kept = torch.tensor([word == OK for word in channel_status(x, channel, 1)], dtype=torch.bool)
        if bool(kept.any()):
            tokens = proposal_tokens(described(x.select(kept), channel), channel, self.layout.jets_max).to(device)
            z = momenta[kept].to(device)
            logits = self.network.logits_of_objects(tokens, z)
            mean = torch.logsumexp(logits + self.network.log_shares(z), dim=-1, keepdim=True)
            result[kept] = (logits - mean).double().cpu()
        return result
