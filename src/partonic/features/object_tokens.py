"""What the proposal network sees of an event of any decay channel: jets, leptons, missing momentum and their sum.

Events are looked at in a frame fixed by one direction, which gets azimuth 0 and η ≥ 0: that of the lepton (of ℓ⁺ where
there are two), or of the hardest jet where there is none. This makes the network exactly equivariant (`EventFrame`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from partonic.events.batch import RecoEvents
from partonic.features.decay_channel import DecayChannel
from partonic.features.frame import EventFrame
from partonic.features.inputs import (
    BOOST_TOKEN,
    JET_TOKEN,
    MET_TOKEN,
    boost_features,
    jet_features,
    met_features,
    sum_of_objects,
)
from partonic.features.lepton_order import order_by_charge
from partonic.physics.fourvector import mass, on_shell

__all__ = ["CHARGED_LEPTON_TOKEN", "EVENT_FEATURES", "ObjectTokens", "feature_counts", "object_tokens"]

CHARGED_LEPTON_TOKEN = ("log_pt", "eta", "cos_phi", "sin_phi", "is_muon", "charge")
"""Features of a lepton; pT as log(1 + GeV)."""

EVENT_FEATURES = (*BOOST_TOKEN, "log_mass")
"""Features of the sum of all objects; its mass as log(1 + GeV)."""


@dataclass(frozen=True)
class ObjectTokens:
    """Features of the objects of events, float32, in the frame of each event; zero where there is no object.

    Attributes:
        jets, jet_mask: features of the jets, `(N, J, 6)`, and which are real.
        leptons, lepton_mask: `CHARGED_LEPTON_TOKEN`, `(N, L, 6)`, and which are real.
        met: features of the missing transverse momentum, `(N, 3)`.
        event: `EVENT_FEATURES`, `(N, 5)`.
        frame: the frame that the directions are given in.
    """

    jets: Float[Tensor, "events jets 6"]
    jet_mask: Bool[Tensor, "events jets"]
    leptons: Float[Tensor, "events leptons 6"]
    lepton_mask: Bool[Tensor, "events leptons"]
    met: Float[Tensor, "events 3"]
    event: Float[Tensor, "events 5"]
    frame: EventFrame

    def __len__(self) -> int:
        """Return the number of events."""
        return len(self.met)

    def trimmed(self) -> "ObjectTokens":
        """Return the same events without the slots that no event fills."""
        jets, leptons = (
            max(int(mask.sum(dim=1).max()), 1) if len(mask) else 1 for mask in (self.jet_mask, self.lepton_mask)
        )
        return replace(
            self,
            jets=self.jets[:, :jets],
            jet_mask=self.jet_mask[:, :jets],
            leptons=self.leptons[:, :leptons],
            lepton_mask=self.lepton_mask[:, :leptons],
        )

    def objects(self) -> tuple[list[Float[Tensor, "events _ _"]], list[Bool[Tensor, "events _"]]]:
        """Return the objects by kind, as sets, and their masks: jets, missing momentum, event, leptons."""
        always = self.jet_mask.new_ones(len(self), 1)
        kinds = [self.jets, self.met[:, None], self.event[:, None], self.leptons]
        return kinds, [self.jet_mask, always, always, self.lepton_mask]

    def momenta(self) -> Float[Tensor, "events objects 4"]:
        """Return four-vectors in the order of `objects`, GeV: the missing momentum with pz = 0, the event as zero."""
        jets = _four_vectors(self.jets[..., :4], torch.expm1(self.jets[..., 4]))
        leptons = _four_vectors(self.leptons[..., :4], torch.zeros_like(self.leptons[..., 0]))
        met = torch.cat([self.met[:, :1], torch.zeros_like(self.met[:, :1]), self.met[:, 1:]], dim=-1)
        missing = _four_vectors(met, torch.zeros_like(met[:, 0]))
        vectors = torch.cat([jets, missing[:, None], torch.zeros_like(missing)[:, None], leptons], dim=1)
        real = torch.cat(self.objects()[1], dim=1)
        return torch.where(real[..., None], vectors, 0.0)

    def columns(self) -> dict[str, Tensor]:
        """Return everything as columns of a table."""
        parts = {name: values for name, values in vars(self).items() if name != "frame"}
        return {**parts, "azimuth": self.frame.azimuth, "mirrored": self.frame.mirrored}

    @classmethod
    def of_columns(cls, columns: Mapping[str, Tensor]) -> "ObjectTokens":
        """Return the events of some rows of such a table."""
        names = ("jets", "jet_mask", "leptons", "lepton_mask", "met", "event")
        frame = EventFrame(columns["azimuth"], columns["mirrored"])
        return cls(**{name: columns[name] for name in names}, frame=frame).trimmed()

    def to(self, device: torch.device | str) -> "ObjectTokens":
        """Return the events on another device."""
        return ObjectTokens(**{name: part.to(device) for name, part in vars(self).items()})


def feature_counts(decay_channel: DecayChannel) -> tuple[int, ...]:
    """Return the number of features of each kind of object, in the order of `ObjectTokens.objects`.

    Events of a decay channel without leptons have no such kind.
    """
    counts = (len(JET_TOKEN), len(MET_TOKEN), len(EVENT_FEATURES), len(CHARGED_LEPTON_TOKEN))
    return counts if decay_channel.leptons else counts[:-1]


def object_tokens(reco: RecoEvents, decay_channel: DecayChannel, max_jets: int = 16) -> ObjectTokens:
    """Return the features of reconstructed events in their frames.

    Args:
        reco: reconstructed objects, in the laboratory, of events without faults (`decay_channel_status`).
        decay_channel: of the decays.
        max_jets: hardest jets kept.
    """
    reco = order_by_charge(reco) if decay_channel.leptons > 1 else reco
    reference = reco.leptons[:, 0] if decay_channel.leptons else reco.jets[:, 0]
    frame = EventFrame.of_direction(reference[:, 1], reference[:, 2])
    jets, mask = reco.jets[:, :max_jets], reco.jet_mask[:, :max_jets]
    log_mass = torch.log1p(mass(sum_of_objects(reco))).to(reco.met)
    return ObjectTokens(
        jets=jet_features(jets, mask, frame),
        jet_mask=mask,
        leptons=_lepton_features(reco, frame),
        lepton_mask=reco.lepton_mask,
        met=met_features(reco.met, frame),
        event=torch.cat([boost_features(reco, frame), log_mass[:, None]], dim=-1),
        frame=frame,
    )


def _lepton_features(reco: RecoEvents, frame: EventFrame) -> Tensor:
    pt, eta, phi = reco.leptons[..., 0], reco.leptons[..., 1], frame.azimuth_in(reco.leptons[..., 2])
    is_muon, charge = (reco.lepton_pdg.abs() == 13).to(pt), -reco.lepton_pdg.sign().to(pt)
    features = [torch.log1p(pt), frame.eta_in(eta), torch.cos(phi), torch.sin(phi), is_muon, charge]
    return torch.where(reco.lepton_mask[..., None], torch.stack(features, dim=-1), 0.0)


def _four_vectors(features: Tensor, mass_of: Tensor) -> Tensor:
    """Return the four-vectors of log(1 + pT), η, cos φ, sin φ and a mass."""
    pt = torch.expm1(features[..., 0])
    three = torch.stack([pt * features[..., 2], pt * features[..., 3], pt * torch.sinh(features[..., 1])], dim=-1)
    return on_shell(three, mass_of)
