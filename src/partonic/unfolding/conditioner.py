"""The conditioner: a transformer that regresses the partons of each event, and what else the flow should know.

As in CMS-DP-2023-85: jets, lepton, missing transverse momentum and their sum are encoded together; one decoder each for
H, t_had, t_lep and the boost regresses (pT, η, φ) and the longitudinal momentum of the whole; another gives a free
latent vector. A decoder is attention layers of its own over the encoded objects, without cross-attention, and their
mean: with the published sizes this gives 1.83 million weights (published: 1.8), with cross-attention it would be 2.1.

The heads see, beside the decoder's vector, the first estimates of `jet_sum_features`, so that the networks only correct
sums of jets. The radiated parton follows from momentum balance and all partons are put on their mass shells
(`regressed_numbers`).
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from partonic.config.unfolding import ConditionerConfig
from partonic.features.inputs import BOOST_TOKEN, JET_TOKEN, LEPTON_TOKEN, MET_TOKEN, EventTokens
from partonic.features.jet_sums import SUM_FEATURES, jet_sum_features
from partonic.nn.attention import AttentionStack
from partonic.nn.packing import Packing
from partonic.nn.set_encoder import SetDecoder, SetEncoder
from partonic.unfolding.momentum_balance import radiation_of, regressed_numbers
from partonic.unfolding.regression import TargetScales
from partonic.unfolding.view import PartonView

__all__ = ["Conditioner", "Conditions"]

_EVENT_FEATURES = len(BOOST_TOKEN) + len(SUM_FEATURES)
_PROVENANCES = 3
_EVENT = 3
"""Place of the whole event among the kinds of objects."""


@dataclass(frozen=True)
class Conditions:
    """What the conditioner says of each event, in the frame of its tokens.

    Attributes:
        particles: regressed pT (GeV), η, φ of H, t_had, t_lep, `(N, 3, 3)`.
        p_z: longitudinal momentum of all partons, GeV, `(N,)`.
        radiation: momentum of the radiated parton from momentum balance, GeV, `(N, 3)`; 0 in a view without.
        latent: free numbers for the flow, `(N, L)`.
        numbers: the regressed partons, on shell, in the unit cube of the view, float64, `(N, D)`.
        standardised: the vector that the losses compare with the truth, `(N, 13)`, or `(N, 10)` without radiation.
    """

    particles: Float[Tensor, "events 3 3"]
    p_z: Float[Tensor, " events"]
    radiation: Float[Tensor, "events 3"]
    latent: Float[Tensor, "events latent"]
    numbers: Float[Tensor, "events dimensions"]
    standardised: Float[Tensor, "events targets"]

    def map(self, change: Callable[[Tensor], Tensor]) -> "Conditions":
        """Return the conditions of other events: `change` chooses or repeats rows."""
        return Conditions(**{name: change(part) for name, part in vars(self).items()})


class Conditioner(nn.Module):
    """Encoder, decoders of the targets and of the latent vector, and the scales of inputs and targets."""

    def __init__(self, config: ConditionerConfig, view: PartonView) -> None:
        """Build the networks for `view`, with weights from torch's global generator.

        Raises:
            ConfigError: if the heads of `config` do not divide its width.
        """
        super().__init__()
        self.view = view
        width = config.width
        kinds = (len(JET_TOKEN) + _PROVENANCES, len(LEPTON_TOKEN), len(MET_TOKEN), _EVENT_FEATURES)
        self.encoder = SetEncoder(kinds, _stack(config, config.encoder_layers, config.encoder_heads), width)
        self.particle_decoders = nn.ModuleList([_decoder(config, config.decoder_layers) for _ in range(3)])
        self.boost_decoder = _decoder(config, config.decoder_layers)
        self.latent_decoder = _decoder(config, config.latent_layers) if config.latent else None
        self.particle_heads = nn.ModuleList([nn.Linear(width + _EVENT_FEATURES, 4) for _ in range(3)])
        self.boost_head = nn.Linear(width + _EVENT_FEATURES, 1)
        self.latent_head = nn.Linear(width, config.latent) if config.latent else None
        self.targets = TargetScales("radiation" in view.particles, 0.5 * view.collider_energy)

    def fit_scales(
        self,
        tokens: EventTokens,
        provenance: Float[Tensor, "events jets 3"],
        particles: Float[Tensor, "events 3 3"],
        p_z: Float[Tensor, " events"],
        radiation: Float[Tensor, "events 3"],
    ) -> None:
        """Set the scales of inputs and targets from training events.

        Args:
            tokens: features of the objects.
            provenance: probability of each jet to come from H, t_had, t_lep.
            particles: true pT (GeV), η, φ of H, t_had, t_lep, in the frame of the tokens.
            p_z: true longitudinal momentum of all partons, GeV.
            radiation: true momentum of the radiated parton, GeV.

        Raises:
            NonFiniteError: if a feature is not finite.
        """
        self.encoder.fit_scales(*_objects(tokens, provenance[:, : tokens.jets.shape[1]]))
        self.targets.fit(particles, p_z, radiation)

    def forward(self, tokens: EventTokens, provenance: Float[Tensor, "events jets 3"]) -> Conditions:
        """Return the conditions of each event.

        Args:
            tokens: features of the objects.
            provenance: probability of each jet to come from H, t_had, t_lep; no gradient flows through it.
        """
        tokens = tokens.trimmed()
        objects, masks = _objects(tokens, provenance[:, : tokens.jets.shape[1]].detach())
        encoded, packing = self.encoder(objects, masks)
        event = self.encoder.embedding(_EVENT).scales(objects[_EVENT], masks[_EVENT])[:, 0]
        outputs = [
            head(torch.cat([decode(encoded, packing), event], dim=-1)).float()
            for decode, head in zip(self.particle_decoders, self.particle_heads, strict=True)
        ]
        boost = self.boost_head(torch.cat([self.boost_decoder(encoded, packing), event], dim=-1)).float()
        particles, p_z = self.targets.particles(torch.stack(outputs, dim=1)), self.targets.boost(boost[:, 0])
        return self._conditions(particles, p_z, self._latent(encoded, packing))

    def _conditions(self, particles: Tensor, p_z: Tensor, latent: Tensor) -> Conditions:
        radiation = radiation_of(particles, p_z) if self.targets.radiation else torch.zeros_like(particles[:, 0])
        return Conditions(
            particles=particles,
            p_z=p_z,
            radiation=radiation,
            latent=latent,
            numbers=regressed_numbers(self.view, particles, p_z),
            standardised=self.targets.standardise(particles, p_z, radiation),
        )

    def _latent(self, encoded: Tensor, packing: Packing) -> Tensor:
        if self.latent_decoder is None or self.latent_head is None:
            return encoded.new_zeros(len(packing.order), 0)
        latent: Tensor = self.latent_head(self.latent_decoder(encoded, packing)).float()
        return latent


def _stack(config: ConditionerConfig, layers: int, heads: int) -> AttentionStack:
    return AttentionStack(layers, config.width, heads, config.feedforward, config.dropout)


def _decoder(config: ConditionerConfig, layers: int) -> SetDecoder:
    return SetDecoder(_stack(config, layers, config.decoder_heads), config.width)


def _objects(
    tokens: EventTokens, provenance: Float[Tensor, "events jets 3"]
) -> tuple[list[Float[Tensor, "events _ _"]], list[Bool[Tensor, "events _"]]]:
    """Return the features of jets, lepton, missing momentum and whole event, as sets, and their masks."""
    event = torch.cat([tokens.boost, jet_sum_features(tokens, provenance)], dim=-1)
    jets = torch.cat([tokens.jets, provenance], dim=-1)
    always = tokens.jet_mask.new_ones(len(tokens), 1)
    return [jets, tokens.lepton[:, None], tokens.met[:, None], event[:, None]], [tokens.jet_mask, *[always] * 3]
