"""The networks of CMS-DP-2023-85 for one view: provenance of jets, conditioner, flow and response calibration.

It is one module with one set of weights, so that a model folder holds all that the answer for an event depends on.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from partonic.config.unfolding import ConditionerConfig, FlowConfig, ProvenanceConfig
from partonic.event_status import OK
from partonic.events.batch import RecoEvents
from partonic.features.event_status import event_status
from partonic.features.inputs import EventTokens, event_tokens
from partonic.physics.fourvector import on_shell
from partonic.unfolding.calibration import ResponseCalibration
from partonic.unfolding.conditioner import Conditioner, Conditions
from partonic.unfolding.flow import UnfoldingFlow
from partonic.unfolding.partons import RegressedPartons
from partonic.unfolding.posterior import PosteriorNetwork
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


class UnfoldingModel(PosteriorNetwork[EventTokens, Conditions]):
    """Networks of one view of t t̄ H, as in CMS-DP-2023-85."""

    def __init__(self, sizes: NetworkSizes, view: PartonView) -> None:
        """Build networks of these sizes for `view`, with weights from torch's global generator."""
        super().__init__()
        self.sizes = sizes
        self.view: PartonView = view
        self.provenance = AssignmentNetwork(sizes.provenance)
        self.conditioner = Conditioner(sizes.conditioner, view)
        self.flow: UnfoldingFlow = UnfoldingFlow(sizes.flow, view, sizes.conditioner.latent)
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

    def description(self) -> dict[str, Any]:
        """Return the sizes of the networks, and the view."""
        sizes = self.sizes.record()
        return {"networks": {**sizes, "flow": self.described_flow(sizes["flow"])}, **self.view.record()}

    @classmethod
    def of_description(cls, record: Mapping[str, Any]) -> "UnfoldingModel":
        """Return the networks of a description."""
        return cls(NetworkSizes.of_record(record["networks"]), PartonView.of_record(record))

    def status(self, reco: RecoEvents) -> tuple[str, ...]:
        """Return the status of each event; see `event_status`."""
        return event_status(reco)

    def tokens(self, reco: RecoEvents) -> EventTokens:
        """Return the features of usable events."""
        return event_tokens(reco, self.sizes.conditioner.max_jets).trimmed()

    def flow_inputs(
        self, conditions: Conditions
    ) -> tuple[Float[Tensor, "events dimensions"], Float[Tensor, "events latent"]]:
        """Return the numbers of the regressed partons, and the latent ones."""
        return conditions.numbers, conditions.latent

    def regressed(self, tokens: EventTokens) -> RegressedPartons:
        """Return the regressed partons of usable events: on shell, with calibrated pT, in the laboratory."""
        conditions = self.conditions(tokens)
        pt = self.calibration(conditions.particles[..., 0].double())
        eta, phi = conditions.particles[..., 1].double(), conditions.particles[..., 2].double()
        three = torch.stack([pt * torch.cos(phi), pt * torch.sin(phi), pt * torch.sinh(eta)], dim=-1)
        momenta = tokens.frame.momenta_out(on_shell(three, three.new_tensor(self.view.masses[:3])))
        p_z = conditions.p_z.double() * tokens.frame.sign().double()
        if len(self.view.masses) > 3:
            momenta = torch.cat([momenta, _balance(momenta, p_z)[:, None]], dim=1)
        total = momenta.sum(dim=1)
        energy = (total[:, 0].square() - total[:, 3].square() + p_z.square()).sqrt()
        x1, x2 = ((energy + sign * p_z) / self.view.collider_energy for sign in (1.0, -1.0))
        return RegressedPartons(momenta, x1, x2, p_z, (OK,) * len(momenta))


def _balance(momenta: Tensor, p_z: Tensor) -> Tensor:
    """Return the massless parton that balances the transverse momenta and completes p_z, `(N, 4)`."""
    total = momenta.sum(dim=1)
    three = torch.stack([-total[:, 1], -total[:, 2], p_z - total[:, 3]], dim=-1)
    return on_shell(three, 0.0)
