"""The networks for any decay channel: a transformer over the objects of an event, a regression, and a flow.

All reconstructed objects look at each other; two decoders sum up what was seen, and first estimates of the partons are
sums of objects (`SoftAssignment`). From these, one head regresses the numbers of the partons (`RegressionTargets`), the
other gives a free latent vector. The flow is conditioned on both and centres the
azimuths on the regressed ones, so that no density breaks at 0 = 2π.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional

from partonic.config.mem_training.proposal import ProposalEncoderConfig, ProposalNetworkConfig
from partonic.events.batch import RecoEvents
from partonic.features.decay_channel_status import decay_channel_status
from partonic.features.known_of_event import described
from partonic.features.object_tokens import EVENT_FEATURES, ObjectTokens, feature_counts, object_tokens
from partonic.nn.attention import AttentionStack
from partonic.nn.flows.cube_flow import CubeFlow
from partonic.nn.flows.flow import Precision
from partonic.nn.set_encoder import SetDecoder, SetEncoder
from partonic.unfolding.decay_channel.pair_exchange import fold_pair, split_noise, unfold_pair
from partonic.unfolding.decay_channel.soft_assignment import SoftAssignment, estimate_features
from partonic.unfolding.decay_channel.targets import RegressionTargets
from partonic.unfolding.posterior import PosteriorNetwork
from partonic.unfolding.view import DecayChannelView

__all__ = ["DecayChannelConditions", "DecayChannelNetwork"]

_EVENT = 2
"""Place of the whole event among the kinds of objects."""


@dataclass(frozen=True)
class DecayChannelConditions:
    """What the networks say of each event, in the frame of its tokens.

    Attributes:
        regressed: regressed numbers, standardised, `(N, K)`.
        latent: free numbers, `(N, L)`.
        estimates: features of the sums of objects, `(N, P + 1, 5)`.
    """

    regressed: Float[Tensor, "events outputs"]
    latent: Float[Tensor, "events latent"]
    estimates: Float[Tensor, "events estimates 5"]

    @property
    def known(self) -> Float[Tensor, "events known"]:
        """What the flow is conditioned on; the regression learns nothing from the flow."""
        return torch.cat([self.regressed.detach(), self.latent], dim=-1)

    def map(self, change: Callable[[Tensor], Tensor]) -> "DecayChannelConditions":
        """Return the conditions of other events: `change` chooses or repeats rows."""
        return DecayChannelConditions(*(change(part) for part in vars(self).values()))


class DecayChannelNetwork(PosteriorNetwork[ObjectTokens, DecayChannelConditions]):
    """Networks of one process and decay channel."""

    def __init__(self, config: ProposalNetworkConfig, view: DecayChannelView, jets_min: int = 1) -> None:
        """Build the networks, with weights from torch's global generator.

        Args:
            config: sizes, and whether the events of the training are drawn from a transfer function.
            view: the partons, in the order of their decay channel, and their unit cube.
            jets_min: fewest jets of the events of the training.
        """
        super().__init__()
        self.config, self.jets_min = config, jets_min
        self.view: DecayChannelView = view
        self.decay_channel, cube = view.decay_channel, view.cube
        decay_channel = self.decay_channel
        sizes = config.encoder
        self.targets = RegressionTargets(cube, decay_channel.exchangeable)
        self.encoder = SetEncoder(feature_counts(decay_channel), _stack(sizes, sizes.layers), sizes.width)
        self.regression_decoder = SetDecoder(_stack(sizes, sizes.decoder_layers), sizes.width)
        self.latent_decoder = SetDecoder(_stack(sizes, sizes.decoder_layers), sizes.width)
        self.assignment = SoftAssignment(sizes.width, len(cube.masses))
        self.regression_head = _head(sizes, self.assignment.features, self.targets.outputs)
        self.latent_head = _head(sizes, self.assignment.features, sizes.latent)
        self.flow = CubeFlow(config.flow, cube.dimensions, cube.azimuth_numbers, self.targets.outputs + sizes.latent)

    def description(self) -> dict[str, Any]:
        """Return the sizes of the networks, the partons and their order, and the fewest jets."""
        networks = self.config.model_dump(mode="json")
        networks["flow"] = self.described_flow(networks["flow"])
        return {"networks": networks, **self.view.record(), "jets_min": self.jets_min}

    @classmethod
    def of_description(cls, record: Mapping[str, Any]) -> "DecayChannelNetwork":
        """Return the networks of a description."""
        config = ProposalNetworkConfig.model_validate(record["networks"])
        return cls(config, DecayChannelView.of_record(record), int(record["jets_min"]))

    def status(self, reco: RecoEvents) -> tuple[str, ...]:
        """Return the status of each event; see `decay_channel_status`."""
        return decay_channel_status(reco, self.decay_channel, self.jets_min)

    def tokens(self, reco: RecoEvents) -> ObjectTokens:
        """Return the features of usable events, of drawn ones only what a transfer function says of them."""
        seen = reco if self.config.drawn is None else described(reco, self.decay_channel)
        return object_tokens(seen, self.decay_channel, self.config.encoder.max_jets).trimmed()

    def conditions(self, tokens: ObjectTokens) -> DecayChannelConditions:
        """Return the conditions of each event."""
        conditions: DecayChannelConditions = self(tokens)
        return conditions

    def flow_inputs(
        self, conditions: DecayChannelConditions
    ) -> tuple[Float[Tensor, "events dimensions"], Float[Tensor, "events known"]]:
        """Return the regressed centres as the flow takes them, and what it is told."""
        centre = self.targets.centre(conditions.regressed.detach())
        return (_without_last(centre) if self.decay_channel.exchangeable else centre), conditions.known

    def fit_scales(self, tokens: ObjectTokens, numbers: Float[Tensor, "events dimensions"]) -> None:
        """Set the scales of inputs and regression from training events, their numbers in the frame of the tokens.

        Raises:
            NonFiniteError: if a feature is not finite.
        """
        self.encoder.fit_scales(*self._objects(tokens))
        self.targets.fit(numbers)

    def fit_flow_scales(self, numbers: Float[Tensor, "events dimensions"], conditions: DecayChannelConditions) -> None:
        """Set the scales of the flow from training events and what the trained regression says of them."""
        self.flow.fit_scale(self._folded(numbers, conditions), self.flow_inputs(conditions)[0])

    def fit_base_scale(self, numbers: Float[Tensor, "events dimensions"], conditions: DecayChannelConditions) -> float:
        """Fit the width of the flow's base to events that it was not trained on, and return it."""
        return super().fit_base_scale(self._folded(numbers, conditions), conditions)

    def forward(self, tokens: ObjectTokens) -> DecayChannelConditions:
        """Return the conditions of each event."""
        tokens = tokens.trimmed()
        objects, masks = self._objects(tokens)
        encoded, packing = self.encoder(objects, masks)
        event = self.encoder.embedding(_EVENT).scales(objects[_EVENT], masks[_EVENT])[:, 0]
        estimates = self.assignment(encoded, packing, tokens.momenta()[:, : packing.slots])
        regressed, latent = (
            head(torch.cat([decode(encoded, packing), event, estimates.flatten(1)], dim=-1)).float()
            for decode, head in (
                (self.regression_decoder, self.regression_head),
                (self.latent_decoder, self.latent_head),
            )
        )
        return DecayChannelConditions(regressed, latent, estimates)

    def regression_loss(
        self, numbers: Float[Tensor, "events dimensions"], conditions: DecayChannelConditions
    ) -> Float[Tensor, ""]:
        """Return the Huber losses of the regressed numbers and of the directions and pT of the estimates, added."""
        regression = functional.huber_loss(conditions.regressed, self.targets(numbers))
        estimates = conditions.estimates[:, :-1, :4]
        partons = estimate_features(self.view.partons(numbers)[0].momenta.float())[..., :4]
        losses = functional.huber_loss(estimates, partons, reduction="none").mean(dim=(1, 2))
        if self.decay_channel.exchangeable:
            order = [*range(partons.shape[1] - 2), partons.shape[1] - 1, partons.shape[1] - 2]
            other = functional.huber_loss(estimates, partons[:, order], reduction="none").mean(dim=(1, 2))
            losses = torch.minimum(losses, other)
        return regression + losses.mean()

    def log_density(
        self, numbers: Float[Tensor, "events dimensions"], conditions: DecayChannelConditions
    ) -> Float[Tensor, " events"]:
        """Return log q(u|x) of numbers in the frame of the tokens, one point for each event; differentiable."""
        return super().log_density(self._folded(numbers, conditions), conditions)  # the coin's ½ and dw/dφ = 2 cancel

    def transport(
        self,
        conditions: DecayChannelConditions,
        noise: Float[Tensor, "events samples dimensions"],
        precision: Precision = "float32",
    ) -> tuple[Float[Tensor, "events samples dimensions"], Float[Tensor, "events samples"]]:
        """Map base numbers to numbers in the frame of the tokens, with log |d(noise)/du|; without gradients."""
        if not self.decay_channel.exchangeable:
            return super().transport(conditions, noise, precision)
        stretched, exchange, log_coin = split_noise(noise, self.flow.base_scale)
        folded, log_slope = super().transport(conditions, stretched, precision)
        numbers = unfold_pair(folded, self._axis(conditions, folded), exchange)
        return numbers, log_slope + log_coin + torch.log(log_slope.new_tensor(2.0))

    def sample(
        self,
        conditions: DecayChannelConditions,
        samples: int,
        generator: torch.Generator,
        precision: Precision = "float32",
    ) -> tuple[Float[Tensor, "events samples dimensions"], Float[Tensor, "events samples"]]:
        """Draw numbers in the frame of the tokens for each event, with log q(u|x); without gradients."""
        numbers, log_density = super().sample(conditions, samples, generator, precision)
        if self.decay_channel.exchangeable:
            coin = torch.rand(log_density.shape, generator=generator, device=log_density.device) < 0.5
            numbers = unfold_pair(numbers, self._axis(conditions, numbers), coin)
        return numbers, log_density

    def _folded(self, numbers: Tensor, conditions: DecayChannelConditions) -> Tensor:
        """Return numbers as the flow takes them."""
        if not self.decay_channel.exchangeable:
            return numbers
        return fold_pair(numbers, self.targets.centre(conditions.regressed.detach())[:, -1])

    def _axis(self, conditions: DecayChannelConditions, numbers: Tensor) -> Tensor:
        """Return the regressed azimuth of the axis of the pair for each point, in turns."""
        return self.targets.centre(conditions.regressed)[:, -1:].expand(numbers.shape[:-1])

    def _objects(
        self, tokens: ObjectTokens
    ) -> tuple[list[Float[Tensor, "events _ _"]], list[Bool[Tensor, "events _"]]]:
        objects, masks = tokens.objects()
        kinds = len(feature_counts(self.decay_channel))
        return objects[:kinds], masks[:kinds]


def _stack(config: ProposalEncoderConfig, layers: int) -> AttentionStack:
    return AttentionStack(layers, config.width, config.heads, config.feedforward, config.dropout)


def _head(config: ProposalEncoderConfig, estimates: int, outputs: int) -> nn.Sequential:
    inputs = config.width + len(EVENT_FEATURES) + estimates
    return nn.Sequential(nn.Linear(inputs, config.hidden), nn.ReLU(), nn.Linear(config.hidden, outputs))


def _without_last(centre: Tensor) -> Tensor:
    """Return centres whose last one is ½: a folded azimuth is centred already."""
    return torch.cat([centre[:, :-1], torch.full_like(centre[:, -1:], 0.5)], dim=-1)
