"""The trained network of initial states, kept as a model folder."""

from collections.abc import Mapping
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from partonic.config.mem_training.initial_state import InitialStateConfig
from partonic.event_status import OK
from partonic.events.batch import RecoEvents
from partonic.features.decay_channel_status import decay_channel_status
from partonic.features.known_of_event import described
from partonic.features.object_tokens import object_tokens
from partonic.mem.detector_part import DetectorPart
from partonic.mem.initial_state.classes import CLASSES, InitialState
from partonic.mem.initial_state.network import InitialStateNetwork
from partonic.mem.transfer.layout import TransferLayout
from partonic.trained.schema_record import SchemaRecord

__all__ = ["InitialStateModel"]


class InitialStateModel(DetectorPart[InitialStateNetwork]):
    """r_i(x, z) = ε_i p_i(x|z)/(ε p_T(x|z)); satisfies the `InitialStateRatio` protocol."""

    kind = "model of initial states"

    def __init__(
        self, network: InitialStateNetwork, schema: SchemaRecord, record: Mapping[str, Any] | None = None
    ) -> None:
        """Wrap a network; the classes that it tells apart are kept in the record. Arguments as for `TrainedModel`."""
        super().__init__(network, schema, {**(record or {}), "classes": list(network.classes)})

    @property
    def classes(self) -> tuple[InitialState, ...]:
        """The classes of initial states."""
        return self.network.classes

    @classmethod
    def _network(
        cls, sizes: Mapping[str, Any], layout: TransferLayout, training: Mapping[str, Any]
    ) -> InitialStateNetwork:
        named = training.get("classes")
        classes = tuple(name for name in CLASSES if isinstance(named, list) and name in named)
        if not classes or list(classes) != named:
            raise ValueError(
                f"the initial states: its classes are {named}, expected some of {', '.join(CLASSES)} in this order"
            )
        return InitialStateNetwork(InitialStateConfig.model_validate(sizes), layout, classes)

    @torch.no_grad()
    def log_ratio(
        self, x: RecoEvents, momenta: Float[Tensor, "events samples partons 4"]
    ) -> Float[Tensor, "events samples classes"]:
        """Return log r_i(x, z) of each event for its own sets of partons, float64; 0 for events without what it needs.

        Args:
            x: reconstructed events.
            momenta: partons in the order of the decay channel, laboratory, GeV.
        """
        decay_channel, device = self.layout.decay_channel, self.device
        result = torch.zeros((*momenta.shape[:2], len(self.classes)), dtype=torch.float64)
        kept = torch.tensor([word == OK for word in decay_channel_status(x, decay_channel, 1)], dtype=torch.bool)
        if bool(kept.any()):
            seen = described(x.select(kept), decay_channel)
            tokens = object_tokens(seen, decay_channel, self.layout.jets_max).to(device)
            z = momenta[kept].to(device)
            logits = self.network.logits_of_objects(tokens, z)
            mean = torch.logsumexp(logits + self.network.log_shares(z), dim=-1, keepdim=True)
            result[kept] = (logits - mean).double().cpu()
        return result
