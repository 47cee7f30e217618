"""The networks of the learned proposal: a transformer over the objects of an event, a regression, and a flow.

All reconstructed objects look at each other; two decoders sum up what was seen, and first estimates of the partons are
sums of objects (`SoftAssignment`). From these, one head regresses the numbers of the partons (`RegressionTargets`), the
other gives a free latent vector. The flow is conditioned on both and centres the
azimuths on the regressed ones, so that no density breaks at 0 = 2π.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional

from partonic.config.mem_networks import ProposalEncoderConfig, ProposalNetworkConfig
from partonic.mem.decay_channel import DecayChannel
from partonic.mem.proposal.inputs import EVENT_FEATURES, ProposalTokens, feature_counts
from partonic.mem.proposal.pair_exchange import fold_pair, split_noise, unfold_pair
from partonic.mem.proposal.soft_assignment import SoftAssignment, estimate_features
from partonic.mem.proposal.targets import RegressionTargets
from partonic.nn.attention import AttentionStack
from partonic.nn.flows.cube_flow import CubeFlow
from partonic.nn.flows.flow import Precision
from partonic.nn.set_encoder import SetDecoder, SetEncoder
from partonic.physics.phasespace import PartonCube

__all__ = ["ProposalConditions", "ProposalModel"]

_EVENT = 2
"""Place of the whole event among the kinds of objects."""


@dataclass(frozen=True)
class ProposalConditions:
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

    def map(self, change: Callable[[Tensor], Tensor]) -> "ProposalConditions":
        """Return the conditions of other events: `change` chooses or repeats rows."""
        return ProposalConditions(*(change(part) for part in vars(self).values()))


class ProposalModel(nn.Module):
    """Networks of one process and decay channel, from the features of an event to the density of its partons."""

    def __init__(self, config: ProposalNetworkConfig, cube: PartonCube, channel: DecayChannel) -> None:
        """Build the networks, with weights from torch's global generator.

        Args:
            config: sizes.
            cube: the unit cube of the partons.
            channel: the decay channel, in whose order the partons are.
        """
        super().__init__()
        self.cube, self.channel = cube, channel
        sizes = config.encoder
        self.targets = RegressionTargets(cube, channel.exchangeable)
        self.encoder = SetEncoder(feature_counts(channel), _stack(sizes, sizes.layers), sizes.width)
        self.regression_decoder = SetDecoder(_stack(sizes, sizes.decoder_layers), sizes.width)
        self.latent_decoder = SetDecoder(_stack(sizes, sizes.decoder_layers), sizes.width)
        self.assignment = SoftAssignment(sizes.width, len(cube.masses))
        self.regression_head = _head(sizes, self.assignment.features, self.targets.outputs)
        self.latent_head = _head(sizes, self.assignment.features, sizes.latent)
        self.flow = CubeFlow(config.flow, cube.dimensions, cube.azimuth_numbers, self.targets.outputs + sizes.latent)

    def fit_scales(self, tokens: ProposalTokens, numbers: Float[Tensor, "events dimensions"]) -> None:
        """Set the scales of inputs and regression from training events, their numbers in the frame of the tokens.

        Raises:
            NonFiniteError: if a feature is not finite.
        """
        self.encoder.fit_scales(*self._objects(tokens))
        self.targets.fit(numbers)

    def fit_flow_scales(self, numbers: Float[Tensor, "events dimensions"], conditions: ProposalConditions) -> None:
        """Set the scales of the flow from training events and what the trained regression says of them."""
        self.flow.fit_scale(*self._folded(numbers, conditions))

    def fit_base_scale(self, numbers: Float[Tensor, "events dimensions"], conditions: ProposalConditions) -> float:
        """Fit the width of the flow's base to events that it was not trained on, and return it."""
        return self.flow.fit_base_scale(*self._folded(numbers, conditions), conditions.known)

    def forward(self, tokens: ProposalTokens) -> ProposalConditions:
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
        return ProposalConditions(regressed, latent, estimates)

    def regression_loss(
        self, numbers: Float[Tensor, "events dimensions"], conditions: ProposalConditions
    ) -> Float[Tensor, ""]:
        """Return the Huber losses of the regressed numbers and of the directions and pT of the estimates, added."""
        regression = functional.huber_loss(conditions.regressed, self.targets(numbers))
        estimates = conditions.estimates[:, :-1, :4]
        partons = estimate_features(self.cube.partons(numbers)[0].momenta.float())[..., :4]
        losses = functional.huber_loss(estimates, partons, reduction="none").mean(dim=(1, 2))
        if self.channel.exchangeable:
            order = [*range(partons.shape[1] - 2), partons.shape[1] - 1, partons.shape[1] - 2]
            other = functional.huber_loss(estimates, partons[:, order], reduction="none").mean(dim=(1, 2))
            losses = torch.minimum(losses, other)
        return regression + losses.mean()

    def log_density(
        self, numbers: Float[Tensor, "events dimensions"], conditions: ProposalConditions
    ) -> Float[Tensor, " events"]:
        """Return log q(u|x) of numbers in the frame of the tokens, one point for each event; differentiable."""
        log_density: Tensor = self.flow.log_density(*self._folded(numbers, conditions), conditions.known)
        return log_density  # of a pair, the coin's ½ and dw/dφ = 2 cancel

    def transport(
        self,
        conditions: ProposalConditions,
        noise: Float[Tensor, "events samples dimensions"],
        precision: Precision = "float32",
    ) -> tuple[Float[Tensor, "events samples dimensions"], Float[Tensor, "events samples"]]:
        """Map base numbers to numbers in the frame of the tokens, with log |d(noise)/du|; without gradients."""
        centre = self.targets.centre(conditions.regressed)
        if not self.channel.exchangeable:
            numbers, log_slope = self.flow.transport(centre, conditions.known, noise.float(), precision)
            return numbers, log_slope
        axis, centre = centre[:, -1:], _without_last(centre)
        stretched, exchange, log_coin = split_noise(noise, self.flow.base_scale)
        folded, log_slope = self.flow.transport(centre, conditions.known, stretched.float(), precision)
        numbers = unfold_pair(folded, axis.expand(folded.shape[:-1]), exchange)
        return numbers, log_slope + log_coin + torch.log(log_slope.new_tensor(2.0))

    def _folded(self, numbers: Tensor, conditions: ProposalConditions) -> tuple[Tensor, Tensor]:
        """Return numbers and centres as the flow takes them."""
        centre = self.targets.centre(conditions.regressed.detach())
        if not self.channel.exchangeable:
            return numbers, centre
        return fold_pair(numbers, centre[:, -1]), _without_last(centre)

    def _objects(
        self, tokens: ProposalTokens
    ) -> tuple[list[Float[Tensor, "events _ _"]], list[Bool[Tensor, "events _"]]]:
        objects, masks = tokens.objects()
        kinds = len(feature_counts(self.channel))
        return objects[:kinds], masks[:kinds]


def _stack(config: ProposalEncoderConfig, layers: int) -> AttentionStack:
    return AttentionStack(layers, config.width, config.heads, config.feedforward, config.dropout)


def _head(config: ProposalEncoderConfig, estimates: int, outputs: int) -> nn.Sequential:
    inputs = config.width + len(EVENT_FEATURES) + estimates
    return nn.Sequential(nn.Linear(inputs, config.hidden), nn.ReLU(), nn.Linear(config.hidden, outputs))


def _without_last(centre: Tensor) -> Tensor:
    """Return centres whose last one is ½: a folded azimuth is centred already."""
    return torch.cat([centre[:, :-1], torch.full_like(centre[:, -1:], 0.5)], dim=-1)
