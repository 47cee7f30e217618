"""The network that tells initial states apart by the objects of an event, given its partons.

Two parts. One knows the partons alone: m_i(z), the share of class i among the simulated events with these partons. The
other adds what the objects say, the logits s_i(x, z), so that

    p(i|x, z) ∝ m_i(z) exp s_i(x, z),    r_i(x, z) = p(i|x, z)/m_i(z) = ε_i p_i(x|z)/(ε p_T(x|z)).

ε and p_T are those of the mixture m of the simulated events; r_i makes of them those of one class, whatever the mixture
was. A transformer sums up the objects once for each event; a small network follows for each set of partons.
"""

from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn

from partonic.config.mem_training.initial_state import InitialStateConfig
from partonic.features.object_tokens import EVENT_FEATURES, ObjectTokens, feature_counts
from partonic.mem.initial_state.classes import InitialState
from partonic.mem.transfer.layout import TransferLayout
from partonic.mem.transfer.partons import global_features, global_size, symmetric_features
from partonic.nn.attention import AttentionStack
from partonic.nn.linear import linear
from partonic.nn.scaling import MaskedStandardiser
from partonic.nn.set_encoder import SetDecoder, SetEncoder

__all__ = ["InitialStateNetwork"]

_EVENT = 2
"""Place of the whole event among the kinds of objects."""

_LEFT = 5
"""Features of what is left of the objects after the partons."""

_SCALE = 100.0
"""GeV."""


class InitialStateNetwork(nn.Module):
    """m_i(z) and r_i(x, z) of the classes of initial states."""

    def __init__(self, config: InitialStateConfig, layout: TransferLayout, classes: tuple[InitialState, ...]) -> None:
        """Build the network, with weights from torch's global generator.

        Args:
            config: sizes.
            layout: objects and partons.
            classes: the classes that the process has.
        """
        super().__init__()
        self.config, self.layout, self.classes = config, layout, classes
        partons = global_size(len(layout.parton_pdg))
        self.parton_scales = MaskedStandardiser(partons)
        sizes = (partons, *config.share_hidden)
        self.share_inner = nn.ModuleList([nn.Linear(*pair) for pair in pairwise(sizes)])
        self.share_outer = nn.Linear(sizes[-1], len(classes))
        stack = AttentionStack(config.layers, config.width, config.heads, config.feedforward)
        self.encoder = SetEncoder(feature_counts(layout.decay_channel), stack, config.width)
        look = AttentionStack(1, config.width, config.heads, config.feedforward)
        self.decoder = SetDecoder(look, config.width)
        self.of_objects = nn.Linear(config.width + len(EVENT_FEATURES), config.hidden)
        self.scales = MaskedStandardiser(partons + _LEFT)
        self.of_partons = nn.Linear(partons + _LEFT, config.hidden)
        self.inner = nn.Linear(config.hidden, config.hidden)
        self.outer = nn.Linear(config.hidden, len(classes))
        with torch.no_grad():
            self.outer.weight.mul_(0.1)
            self.outer.bias.zero_()

    @torch.no_grad()
    def fit_share_scales(self, momenta: Float[Tensor, "events partons 4"]) -> None:
        """Set the scales of the features of the partons alone from training events."""
        self.parton_scales.fit(*_as_objects(symmetric_features(momenta, self.layout.reference_parton)))

    @torch.no_grad()
    def fit_scales(self, tokens: ObjectTokens, momenta: Float[Tensor, "events partons 4"]) -> None:
        """Set the scales of objects and partons from training events."""
        kinds = len(feature_counts(self.layout.decay_channel))
        objects, masks = tokens.objects()
        self.encoder.fit_scales(objects[:kinds], masks[:kinds])
        self.scales.fit(*_as_objects(_features(tokens, momenta[:, None])[:, 0]))

    def log_shares(self, momenta: Float[Tensor, "*batch partons 4"]) -> Float[Tensor, "*batch classes"]:
        """Return log m_i(z)."""
        hidden = _standardised(self.parton_scales, symmetric_features(momenta, self.layout.reference_parton))
        for layer in self.share_inner:
            hidden = torch.relu(layer(hidden))
        return torch.log_softmax(self.share_outer(hidden), dim=-1)

    def logits_of_objects(
        self, tokens: ObjectTokens, momenta: Float[Tensor, "events samples partons 4"]
    ) -> Float[Tensor, "events samples classes"]:
        """Return s_i(x, z) of each event for its own sets of partons."""
        tokens = tokens.trimmed()
        kinds = len(feature_counts(self.layout.decay_channel))
        objects, masks = tokens.objects()
        encoded, packing = self.encoder(objects[:kinds], masks[:kinds])
        event = self.encoder.embedding(_EVENT).scales(objects[_EVENT], masks[_EVENT])[:, 0]
        of_objects = self.of_objects(torch.cat([self.decoder(encoded, packing), event.float()], dim=-1))
        of_partons = linear(self.of_partons, _standardised(self.scales, _features(tokens, momenta)))
        hidden = torch.relu(of_objects[:, None] + of_partons)
        return linear(self.outer, linear(self.inner, hidden, relu=True))


def _features(tokens: ObjectTokens, momenta: Tensor) -> Tensor:
    """Return features of sets of partons in the frame of the event, and of what is left of its objects."""
    in_frame = tokens.frame.momenta_in(momenta).float()
    total = in_frame.sum(dim=-2)
    left = tokens.momenta().sum(dim=1).float()[:, None] - total
    partons_pt = in_frame[..., 1:3].square().sum(dim=-1).sqrt().sum(dim=-1)
    objects = (tokens.jets, tokens.leptons, tokens.met[:, None], tokens.photons)
    objects_pt = torch.cat([torch.expm1(part[..., 0]) for part in objects], dim=1)
    ratio = torch.log((1.0 + objects_pt.sum(dim=1))[:, None] / (1.0 + partons_pt))
    return torch.cat([global_features(in_frame), torch.asinh(left / _SCALE), ratio[..., None]], dim=-1)


def _standardised(scales: MaskedStandardiser, features: Tensor) -> Tensor:
    return (features.float() - scales.mean.float()) / scales.deviation.float()


def _as_objects(features: Tensor) -> tuple[Tensor, Tensor]:
    return features[:, None], torch.ones((len(features), 1), dtype=torch.bool, device=features.device)
