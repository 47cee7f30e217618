"""What the proposal network sees of an event of any decay channel: jets, leptons, photons, missing momentum, their sum.

Events are looked at in a frame fixed by one direction, which gets azimuth 0 and η ≥ 0: that of the lepton (of ℓ⁺ where
there are two), of the hardest photon where the decay channel has photons alone, or of the hardest jet where it has
neither. This makes the network exactly equivariant (`EventFrame`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

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

__all__ = [
    "CHARGED_LEPTON_TOKEN",
    "EVENT_FEATURES",
    "PHOTON_TOKEN",
    "ObjectTokens",
    "feature_counts",
    "object_tokens",
]

CHARGED_LEPTON_TOKEN = ("log_pt", "eta", "cos_phi", "sin_phi", "is_muon", "charge")
"""Features of a lepton; pT as log(1 + GeV)."""

PHOTON_TOKEN = ("log_pt", "eta", "cos_phi", "sin_phi")
"""Features of a photon; pT as log(1 + GeV)."""

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
        photons, photon_mask: `PHOTON_TOKEN`, `(N, P, 4)`, and which are real; no slots where the channel has none.
    """

    jets: Float[Tensor, "events jets 6"]
    jet_mask: Bool[Tensor, "events jets"]
    leptons: Float[Tensor, "events leptons 6"]
    lepton_mask: Bool[Tensor, "events leptons"]
    met: Float[Tensor, "events 3"]
    event: Float[Tensor, "events 5"]
    frame: EventFrame
    photons: Float[Tensor, "events photons 4"] = field(default_factory=lambda: torch.zeros(0, 0, len(PHOTON_TOKEN)))
    photon_mask: Bool[Tensor, "events photons"] = field(default_factory=lambda: torch.zeros(0, 0, dtype=torch.bool))

    def __post_init__(self) -> None:
        if not self.photons.shape[1] and len(self.photons) != len(self.met):
            object.__setattr__(self, "photons", self.met.new_zeros(len(self.met), 0, len(PHOTON_TOKEN)))
            object.__setattr__(self, "photon_mask", torch.zeros_like(self.photons[..., 0], dtype=torch.bool))

    def __len__(self) -> int:
        """Return the number of events."""
        return len(self.met)

    def trimmed(self) -> "ObjectTokens":
        """Return the same events without the slots that no event fills."""
        jets, leptons, photons = (
            max(int(mask.sum(dim=1).max()), 1) if len(mask) and mask.shape[1] else 1
            for mask in (self.jet_mask, self.lepton_mask, self.photon_mask)
        )
        return replace(
            self,
            jets=self.jets[:, :jets],
            jet_mask=self.jet_mask[:, :jets],
            leptons=self.leptons[:, :leptons],
            lepton_mask=self.lepton_mask[:, :leptons],
            photons=self.photons[:, :photons],
            photon_mask=self.photon_mask[:, :photons],
        )

    def objects(self) -> tuple[list[Float[Tensor, "events _ _"]], list[Bool[Tensor, "events _"]]]:
        """Return the objects by kind, as sets, and their masks: jets, missing momentum, event, leptons, photons.

        Leptons and photons are there if there are slots for them.
        """
        always = self.jet_mask.new_ones(len(self), 1)
        kinds, masks = [self.jets, self.met[:, None], self.event[:, None]], [self.jet_mask, always, always]
        for objects, mask in ((self.leptons, self.lepton_mask), (self.photons, self.photon_mask)):
            if objects.shape[1]:
                kinds.append(objects)
                masks.append(mask)
        return kinds, masks

    def momenta(self) -> Float[Tensor, "events objects 4"]:
        """Return four-vectors in the order of `objects`, GeV: the missing momentum with pz = 0, the event as zero."""
        jets = _four_vectors(self.jets[..., :4], torch.expm1(self.jets[..., 4]))
        leptons = _four_vectors(self.leptons[..., :4], torch.zeros_like(self.leptons[..., 0]))
        met = torch.cat([self.met[:, :1], torch.zeros_like(self.met[:, :1]), self.met[:, 1:]], dim=-1)
        missing = _four_vectors(met, torch.zeros_like(met[:, 0]))
        photons = _four_vectors(self.photons, torch.zeros_like(self.photons[..., 0]))
        vectors = torch.cat([jets, missing[:, None], torch.zeros_like(missing)[:, None], leptons, photons], dim=1)
        real = torch.cat(self.objects()[1], dim=1)
        return torch.where(real[..., None], vectors, 0.0)

    def columns(self) -> dict[str, Tensor]:
        """Return everything as columns of a table."""
        left_out = ("frame",) if self.photons.shape[1] else ("frame", "photons", "photon_mask")
        parts = {name: values for name, values in vars(self).items() if name not in left_out}
        return {**parts, "azimuth": self.frame.azimuth, "mirrored": self.frame.mirrored}

    @classmethod
    def of_columns(cls, columns: Mapping[str, Tensor]) -> "ObjectTokens":
        """Return the events of some rows of such a table."""
        names = ["jets", "jet_mask", "leptons", "lepton_mask", "met", "event"]
        names += [name for name in ("photons", "photon_mask") if name in columns]
        frame = EventFrame(columns["azimuth"], columns["mirrored"])
        return cls(**{name: columns[name] for name in names}, frame=frame).trimmed()

    def to(self, device: torch.device | str) -> "ObjectTokens":
        """Return the events on another device."""
        return ObjectTokens(**{name: part.to(device) for name, part in vars(self).items()})


def feature_counts(decay_channel: DecayChannel) -> tuple[int, ...]:
    """Return the number of features of each kind of object, in the order of `ObjectTokens.objects`.

    Events of a decay channel without leptons, or without photons, have no such kind.
    """
    counts = (len(JET_TOKEN), len(MET_TOKEN), len(EVENT_FEATURES))
    leptons = (len(CHARGED_LEPTON_TOKEN),) if decay_channel.leptons else ()
    return (*counts, *leptons, *((len(PHOTON_TOKEN),) if decay_channel.photons else ()))


def object_tokens(reco: RecoEvents, decay_channel: DecayChannel, max_jets: int = 16) -> ObjectTokens:
    """Return the features of reconstructed events in their frames.

    Args:
        reco: reconstructed objects, in the laboratory, of events without faults (`decay_channel_status`).
        decay_channel: of the decays.
        max_jets: hardest jets kept.
    """
    reco = order_by_charge(reco) if decay_channel.leptons > 1 else reco
    with_photons = decay_channel.photons > 0
    no_lepton = reco.photons[:, 0] if with_photons else reco.jets[:, 0]
    reference = reco.leptons[:, 0] if decay_channel.leptons else no_lepton
    frame = EventFrame.of_direction(reference[:, 1], reference[:, 2])
    jets, mask = reco.jets[:, :max_jets], reco.jet_mask[:, :max_jets]
    log_mass = torch.log1p(mass(sum_of_objects(reco, photons=with_photons))).to(reco.met)
    # Kinds of objects that the channel has not must not come before photons: networks take the first kinds.
    leptons = slice(None) if decay_channel.leptons or not with_photons else slice(0)
    photons = slice(decay_channel.photons)
    return ObjectTokens(
        jets=jet_features(jets, mask, frame),
        jet_mask=mask,
        leptons=_lepton_features(reco, frame)[:, leptons],
        lepton_mask=reco.lepton_mask[:, leptons],
        met=met_features(reco.met, frame),
        event=torch.cat([boost_features(reco, frame, photons=with_photons), log_mass[:, None]], dim=-1),
        frame=frame,
        photons=_photon_features(reco, frame)[:, photons],
        photon_mask=reco.photon_mask[:, photons],
    )


def _lepton_features(reco: RecoEvents, frame: EventFrame) -> Tensor:
    pt, eta, phi = reco.leptons[..., 0], reco.leptons[..., 1], frame.azimuth_in(reco.leptons[..., 2])
    is_muon, charge = (reco.lepton_pdg.abs() == 13).to(pt), -reco.lepton_pdg.sign().to(pt)
    features = [torch.log1p(pt), frame.eta_in(eta), torch.cos(phi), torch.sin(phi), is_muon, charge]
    return torch.where(reco.lepton_mask[..., None], torch.stack(features, dim=-1), 0.0)


def _photon_features(reco: RecoEvents, frame: EventFrame) -> Tensor:
    pt, eta, phi = reco.photons[..., 0], reco.photons[..., 1], frame.azimuth_in(reco.photons[..., 2])
    features = torch.stack([torch.log1p(pt), frame.eta_in(eta), torch.cos(phi), torch.sin(phi)], dim=-1)
    return torch.where(reco.photon_mask[..., None], features, 0.0)


def _four_vectors(features: Tensor, mass_of: Tensor) -> Tensor:
    """Return the four-vectors of log(1 + pT), η, cos φ, sin φ and a mass."""
    pt = torch.expm1(features[..., 0])
    three = torch.stack([pt * features[..., 2], pt * features[..., 3], pt * torch.sinh(features[..., 1])], dim=-1)
    return on_shell(three, mass_of)
