"""What the networks see of an event: features of jets, lepton, missing transverse momentum and of their sum.

Momenta enter as log(1 + p), azimuths as cosine and sine in the event's frame. The features are not standardised; that
is part of the networks, with statistics that are saved with them.
"""

from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from partonic.events.batch import RecoEvents
from partonic.features.frame import EventFrame
from partonic.physics.kinematics import from_pt_eta_phi_m

__all__ = [
    "BOOST_TOKEN",
    "JET_TOKEN",
    "LEPTON_TOKEN",
    "MET_TOKEN",
    "EventTokens",
    "boost_features",
    "event_tokens",
    "jet_features",
    "met_features",
    "sum_of_objects",
]

JET_TOKEN = ("log_pt", "eta", "cos_phi", "sin_phi", "log_mass", "btag")
"""Features of a jet; pT and mass as log(1 + GeV)."""

LEPTON_TOKEN = ("log_pt", "eta", "is_muon")
"""Features of the lepton; in the canonical frame its azimuth is 0 and η ≥ 0."""

MET_TOKEN = ("log_pt", "cos_phi", "sin_phi")
"""Features of the missing transverse momentum."""

BOOST_TOKEN = ("log_energy", "px", "py", "pz")
"""Sum of the objects with |η| < 2.4: log(1 + E/GeV), and arsinh of the components in GeV."""

_BOOST_ETA = 2.4


@dataclass(frozen=True)
class EventTokens:
    """Features of the objects of events, float32, in the frame of each event.

    Attributes:
        jets: `JET_TOKEN` of each jet, `(N, J, 6)`, zero where there is no jet.
        jet_mask: real jets, `(N, J)`.
        lepton: `LEPTON_TOKEN`, `(N, 3)`.
        met: `MET_TOKEN`, `(N, 3)`.
        boost: `BOOST_TOKEN`, `(N, 4)`.
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
    return EventTokens(
        jets=jet_features(jets, mask, frame),
        jet_mask=mask,
        lepton=torch.stack(
            [torch.log1p(pt), frame.eta_in(eta), (reco.lepton_pdg[:, 0].abs() == 13).to(pt.dtype)], dim=-1
        ),
        met=met_features(reco.met, frame),
        boost=boost_features(reco, frame),
        frame=frame,
    )


def jet_features(
    jets: Float[Tensor, "events jets 5"], mask: Bool[Tensor, "events jets"], frame: EventFrame
) -> Float[Tensor, "events jets 6"]:
    """Return `JET_TOKEN` of jets, in `frame`; zero where there is no jet."""
    phi = frame.azimuth_in(jets[..., 2])
    features = torch.stack(
        [
            torch.log1p(jets[..., 0]),
            frame.eta_in(jets[..., 1]),
            torch.cos(phi),
            torch.sin(phi),
            torch.log1p(jets[..., 3].clamp(min=0.0)),
            jets[..., 4],
        ],
        dim=-1,
    )
    return torch.where(mask[..., None], features, 0.0)


def met_features(met: Float[Tensor, "events 2"], frame: EventFrame) -> Float[Tensor, "events 3"]:
    """Return `MET_TOKEN` of the missing transverse momentum, in `frame`."""
    phi = frame.azimuth_in(met[:, 1])
    return torch.stack([torch.log1p(met[:, 0]), torch.cos(phi), torch.sin(phi)], dim=-1)


def sum_of_objects(reco: RecoEvents, *, photons: bool = False) -> Float[Tensor, "events 4"]:
    """Return the sum of jets, leptons and missing momentum (pz = 0) with |η| < 2.4, GeV, float64; photons if wanted."""
    jets = _vectors(reco.jets, reco.jet_mask)
    leptons = _vectors(reco.leptons, reco.lepton_mask)
    zero = torch.zeros_like(reco.met[:, 0])
    met = from_pt_eta_phi_m(torch.stack([reco.met[:, 0], zero, reco.met[:, 1], zero], dim=-1).double())
    total = jets + leptons + met
    if not photons:
        return total
    massless = torch.nn.functional.pad(reco.photons[..., :3], (0, 1))
    return total + _vectors(massless, reco.photon_mask)


def boost_features(reco: RecoEvents, frame: EventFrame, *, photons: bool = False) -> Float[Tensor, "events 4"]:
    """Return `BOOST_TOKEN` of the sum of all objects, in `frame`; of photons, too, if they are wanted."""
    total = frame.momenta_in(sum_of_objects(reco, photons=photons))
    return torch.cat([torch.log1p(total[:, :1]), torch.asinh(total[:, 1:])], dim=-1).float()


def _vectors(objects: Tensor, mask: Tensor) -> Tensor:
    central = mask & (objects[..., 1].abs() < _BOOST_ETA)
    vectors = from_pt_eta_phi_m(torch.where(central[..., None], objects[..., :4], 0.0).double())
    return vectors.sum(dim=1)
