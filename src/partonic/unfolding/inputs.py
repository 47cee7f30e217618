"""What the networks see of an event: features of jets, lepton, missing transverse momentum and of their sum.

Momenta enter as log(1 + p), azimuths as cosine and sine in the event's frame. The features are not standardised; that
is part of the networks, with statistics that are saved with them.
"""

from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from partonic.events.batch import RecoEvents
from partonic.physics.kinematics import from_pt_eta_phi_m
from partonic.unfolding.frame import EventFrame

__all__ = [
    "BOOST_FEATURES",
    "JET_FEATURES",
    "LEPTON_FEATURES",
    "MET_FEATURES",
    "EventTokens",
    "event_tokens",
    "sum_of_objects",
]

JET_FEATURES = ("log_pt", "eta", "cos_phi", "sin_phi", "log_mass", "btag")
"""Features of a jet; pT and mass as log(1 + GeV)."""

LEPTON_FEATURES = ("log_pt", "eta", "is_muon")
"""Features of the lepton; in the canonical frame its azimuth is 0 and η ≥ 0."""

MET_FEATURES = ("log_pt", "cos_phi", "sin_phi")
"""Features of the missing transverse momentum."""

BOOST_FEATURES = ("log_energy", "px", "py", "pz")
"""Sum of the objects with |η| < 2.4: log(1 + E/GeV), and arsinh of the components in GeV."""

_BOOST_ETA = 2.4


@dataclass(frozen=True)
class EventTokens:
    """Features of the objects of events, float32, in the frame of each event.

    Attributes:
        jets: `JET_FEATURES` of each jet, `(N, J, 6)`, zero where there is no jet.
        jet_mask: real jets, `(N, J)`.
        lepton: `LEPTON_FEATURES`, `(N, 3)`.
        met: `MET_FEATURES`, `(N, 3)`.
        boost: `BOOST_FEATURES`, `(N, 4)`.
        frame: the frame that the directions are given in.
    """

    jets: Float[Tensor, "events jets 6"]
    jet_mask: Bool[Tensor, "events jets"]
    lepton: Float[Tensor, "events 3"]
    met: Float[Tensor, "events 3"]
    boost: Float[Tensor, "events 4"]
    frame: EventFrame

    def __len__(self) -> int:
        """Return the number of events."""
        return len(self.met)

    def trimmed(self) -> "EventTokens":
        """Return the same events without the slots that no event fills with a jet."""
        used = max(int(self.jet_mask.sum(dim=1).max()) if len(self) else 1, 1)
        return replace(self, jets=self.jets[:, :used], jet_mask=self.jet_mask[:, :used])

    def to(self, device: torch.device | str) -> "EventTokens":
        """Return the events on another device."""
        return EventTokens(**{name: part.to(device) for name, part in vars(self).items()})


def event_tokens(reco: RecoEvents, max_jets: int = 16) -> EventTokens:
    """Return the features of reconstructed events in their canonical frames, which the leading lepton fixes.

    Args:
        reco: reconstructed objects, in the laboratory.
        max_jets: hardest jets kept.
    """
    jets, mask = reco.jets[:, :max_jets], reco.jet_mask[:, :max_jets]
    pt, eta, phi = reco.leptons[:, 0, 0], reco.leptons[:, 0, 1], reco.leptons[:, 0, 2]
    frame = EventFrame.of_direction(eta, phi)
    jet_phi = frame.azimuth_in(jets[..., 2])
    features = torch.stack(
        [
            torch.log1p(jets[..., 0]),
            frame.eta_in(jets[..., 1]),
            torch.cos(jet_phi),
            torch.sin(jet_phi),
            torch.log1p(jets[..., 3].clamp(min=0.0)),
            jets[..., 4],
        ],
        dim=-1,
    )
    met_phi = frame.azimuth_in(reco.met[:, 1])
    return EventTokens(
        jets=torch.where(mask[..., None], features, 0.0),
        jet_mask=mask,
        lepton=torch.stack(
            [torch.log1p(pt), frame.eta_in(eta), (reco.lepton_pdg[:, 0].abs() == 13).to(pt.dtype)], dim=-1
        ),
        met=torch.stack([torch.log1p(reco.met[:, 0]), torch.cos(met_phi), torch.sin(met_phi)], dim=-1),
        boost=_boost(reco, frame),
        frame=frame,
    )


def sum_of_objects(reco: RecoEvents) -> Float[Tensor, "events 4"]:
    """Return the sum of jets, leptons and missing momentum (pz = 0) with |η| < 2.4, GeV, float64."""
    jets = _vectors(reco.jets, reco.jet_mask)
    leptons = _vectors(reco.leptons, reco.lepton_mask)
    zero = torch.zeros_like(reco.met[:, 0])
    met = from_pt_eta_phi_m(torch.stack([reco.met[:, 0], zero, reco.met[:, 1], zero], dim=-1).double())
    return jets + leptons + met


def _vectors(objects: Tensor, mask: Tensor) -> Tensor:
    central = mask & (objects[..., 1].abs() < _BOOST_ETA)
    vectors = from_pt_eta_phi_m(torch.where(central[..., None], objects[..., :4], 0.0).double())
    return vectors.sum(dim=1)


def _boost(reco: RecoEvents, frame: EventFrame) -> Tensor:
    total = frame.momenta_in(sum_of_objects(reco))
    return torch.cat([torch.log1p(total[:, :1]), torch.asinh(total[:, 1:])], dim=-1).float()
