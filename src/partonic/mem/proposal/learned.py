"""A learned proposal for any process with a top pair and any decay channel: q(u|x) in the unit cube of its partons.

It is the `LatentProposal` of processes and channels that no unfolding model is made for. Partons are in the order of
the decay channel. Events that the network cannot be asked about (`channel_status`) come back as NaN rows; the others
are not touched by them.
"""

from collections.abc import Mapping
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from partonic.config.mem_networks import ProposalNetworkConfig
from partonic.event_status import OK
from partonic.events.batch import RecoEvents
from partonic.mem.channel_status import channel_status
from partonic.mem.decay_channel import DecayChannel
from partonic.mem.proposal.inputs import ProposalTokens, proposal_tokens
from partonic.mem.proposal.networks import ProposalConditions, ProposalModel
from partonic.mem.transfer.known_of_event import described
from partonic.nn.flows.flow import Precision
from partonic.physics.phasespace import PartonCube
from partonic.trained.schema_record import SchemaRecord
from partonic.trained.trained_model import TrainedModel
from partonic.unfolding.view import numbers_in, numbers_out

__all__ = ["ProposalNetwork"]


class ProposalNetwork(TrainedModel[ProposalModel]):
    """A trained proposal; it satisfies `LatentProposal`."""

    kind = "proposal network"

    def __init__(
        self,
        network: ProposalModel,
        config: ProposalNetworkConfig,
        jets_min: int,
        schema: SchemaRecord,
        record: Mapping[str, Any] | None = None,
    ) -> None:
        """Wrap networks.

        Args:
            network: the networks.
            config: their sizes.
            jets_min: fewest jets of the events that they were trained on.
            schema: of these events.
            record: what else is known of the training, kept with the model.
        """
        super().__init__(network, schema, record)
        self.config = config
        self.jets_min = jets_min

    @property
    def view(self) -> PartonCube:
        """The unit cube of the partons."""
        return self.network.cube

    @property
    def channel(self) -> DecayChannel:
        """The decay channel, in whose order the partons are."""
        return self.network.channel

    @property
    def base_scale(self) -> float:
        """Standard deviation of the Gaussian base of the flow."""
        return self.network.flow.base_scale

    def description(self) -> dict[str, Any]:
        """Return the sizes of the networks, the partons and their order, and the fewest jets."""
        flow = self.config.flow.model_copy(update={"base_scale": self.base_scale})
        networks = self.config.model_copy(update={"flow": flow})
        return {
            "networks": networks.model_dump(mode="json"),
            "cube": {"masses": list(self.view.masses), "collider_energy": self.view.collider_energy},
            "channel": {"name": self.channel.name, "parton_pdg": list(self.channel.parton_pdg)},
            "jets_min": self.jets_min,
        }

    @classmethod
    def _build(cls, record: Mapping[str, Any], schema: SchemaRecord) -> "ProposalNetwork":
        config = ProposalNetworkConfig.model_validate(record["networks"])
        cube = PartonCube(tuple(record["cube"]["masses"]), record["cube"]["collider_energy"])
        channel = DecayChannel(record["channel"]["name"], tuple(record["channel"]["parton_pdg"]))
        network = ProposalModel(config, cube, channel)
        return cls(network, config, int(record["jets_min"]), schema, record.get("training"))

    def status(self, x: RecoEvents) -> tuple[str, ...]:
        """Return for each event ``"ok"`` or why the network cannot be asked about it."""
        return channel_status(x, self.channel, self.jets_min)

    @torch.no_grad()
    def transport(
        self, x: RecoEvents, noise: Float[Tensor, "events samples dimensions"], precision: Precision = "float32"
    ) -> tuple[Float[Tensor, "events samples dimensions"], Float[Tensor, "events samples"]]:
        """Map base numbers to the unit cube, with log |d(noise)/du|; NaN rows for events that cannot be used.

        Base numbers that lie beyond the faces of the cube have log |d(noise)/du| = +inf: the density of the others is
        exact, and in an integral over the cube these have no weight.
        """
        kept, tokens, conditions = self._conditions(x)
        inside = noise[kept.to(noise.device)].to(self.device)
        numbers, log_slope = self.network.transport(conditions, inside, precision)
        numbers = numbers_out(self.view, numbers, tokens.frame)
        return _spread(numbers, kept).to(noise.device), _spread(log_slope, kept).to(noise.device)

    @torch.no_grad()
    def sample_and_log_density(
        self, x: RecoEvents, n: int, generator: torch.Generator
    ) -> tuple[Float[Tensor, "events samples dimensions"], Float[Tensor, "events samples"]]:
        """Draw `n` points of the unit cube for each event, with log q(u|x); +inf beyond the faces (see `transport`)."""
        shape = (len(x), n, self.view.dimensions)
        noise = torch.randn(shape, generator=generator, device=generator.device).cpu() * self.base_scale
        numbers, log_slope = self.transport(x, noise)
        return numbers, self.network.flow.flow.base_log_prob(noise).double() + log_slope

    @torch.no_grad()
    def log_density(
        self, x: RecoEvents, numbers: Float[Tensor, "events samples dimensions"]
    ) -> Float[Tensor, "events samples"]:
        """Return log q(u|x) of given numbers (of the laboratory); NaN rows for events that cannot be used."""
        kept, tokens, conditions = self._conditions(x)
        inside = numbers_in(self.view, numbers[kept.to(numbers.device)].to(self.device), tokens.frame)
        samples = numbers.shape[1]
        repeated = conditions.map(lambda part: part.repeat_interleave(samples, dim=0))
        log_density = self.network.log_density(inside.flatten(0, 1), repeated)
        return _spread(log_density.reshape(len(tokens), samples), kept).to(numbers.device)

    def _conditions(self, x: RecoEvents) -> tuple[Tensor, ProposalTokens, ProposalConditions]:
        """Return which events can be used, and tokens and conditions of those."""
        kept = torch.tensor([word == OK for word in self.status(x)], dtype=torch.bool)
        usable = x.select(kept.to(x.met.device))
        if self.config.drawn is not None:  # trained on events of which there was no more to see
            usable = described(usable, self.channel)
        tokens = proposal_tokens(usable, self.channel, self.config.encoder.max_jets)
        tokens = tokens.trimmed().to(self.device)
        conditions: ProposalConditions = self.network(tokens)
        return kept, tokens, conditions


def _spread(values: Tensor, kept: Tensor) -> Tensor:
    """Put the rows of usable events in their places, NaN elsewhere; on the CPU."""
    spread = torch.full((len(kept), *values.shape[1:]), torch.nan, dtype=values.dtype)
    spread[kept] = values.cpu()
    return spread
