"""The whole unfolding network of one view: provenance of jets, conditioner, flow and response calibration.

It is one module with one set of weights, so that a model folder holds all that the answer for an event depends on.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from partonic.config.unfolding import ConditionerConfig, FlowConfig, ProvenanceConfig
from partonic.features.inputs import EventTokens
from partonic.unfolding.calibration import ResponseCalibration
from partonic.unfolding.conditioner import Conditioner, Conditions
from partonic.unfolding.flow import UnfoldingFlow
from partonic.unfolding.provenance.network import AssignmentNetwork
from partonic.unfolding.view import PartonView

__all__ = ["NetworkSizes", "UnfoldingModel"]


@dataclass(frozen=True)
class NetworkSizes:
    """Sizes of the networks of a model.

    Attributes:
        provenance: of the assignment network.
        conditioner: of the conditioning transformer.
        flow: of the normalizing flow.
    """

    provenance: ProvenanceConfig
    conditioner: ConditionerConfig
    flow: FlowConfig

    def record(self) -> dict[str, Any]:
        """Return the sizes as JSON can hold them."""
        return {name: getattr(self, name).model_dump(mode="json") for name in ("provenance", "conditioner", "flow")}

    @classmethod
    def of_record(cls, record: Mapping[str, Any]) -> "NetworkSizes":
        """Return the sizes of a record."""
        return cls(
            ProvenanceConfig.model_validate(record["provenance"]),
            ConditionerConfig.model_validate(record["conditioner"]),
            FlowConfig.model_validate(record["flow"]),
        )


class UnfoldingModel(nn.Module):
    """Networks of one view, from the features of an event to the density of its partons."""

    def __init__(self, sizes: NetworkSizes, view: PartonView) -> None:
        """Build networks of these sizes for `view`, with weights from torch's global generator."""
        super().__init__()
        self.sizes = sizes
        self.view = view
        self.provenance = AssignmentNetwork(sizes.provenance)
        self.conditioner = Conditioner(sizes.conditioner, view)
        self.flow = UnfoldingFlow(sizes.flow, view, sizes.conditioner.latent)
        self.calibration = ResponseCalibration(len(view.particles[:3]))

    @torch.no_grad()
    def jet_probabilities(self, tokens: EventTokens) -> Float[Tensor, "events jets 3"]:
        """Return the probabilities of each jet to come from H, t_had, t_lep; without gradients."""
        return self.provenance.jet_probabilities(tokens)

    def conditions(self, tokens: EventTokens, provenance: Float[Tensor, "events jets 3"] | None = None) -> Conditions:
        """Return regressed partons and latent numbers.

        Args:
            tokens: features of the events.
            provenance: `jet_probabilities`, if they are at hand.
        """
        if provenance is None:
            provenance = self.jet_probabilities(tokens)
        conditions: Conditions = self.conditioner(tokens, provenance)
        return conditions

    def fit_base_scale(
        self,
        numbers: Float[Tensor, "events dimensions"],
        regressed: Float[Tensor, "events dimensions"],
        latent: Float[Tensor, "events latent"],
    ) -> None:
        """Fit the width of the flow's base to events that it was not trained on, see `UnfoldingFlow.fit_base_scale`."""
        scale = self.flow.fit_base_scale(numbers, regressed, latent)
        self.sizes = replace(self.sizes, flow=self.sizes.flow.model_copy(update={"base_scale": scale}))
