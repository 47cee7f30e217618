"""One reconstructed event as the classical method sees it."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from partonic.event_status import OK
from partonic.events.batch import RecoEvents
from partonic.physics.kinematics import from_pt_eta_phi_m

__all__ = ["ObservedEvent", "observed_event", "why_not"]


@dataclass(frozen=True)
class ObservedEvent:
    """Jets, lepton and missing momentum of one event, float64, GeV.

    Attributes:
        jets: pT, η, φ, descending in pT, `(J, 3)`.
        tagged: b-tagged jets, `(J,)`.
        lepton: massless four-vector, `(4,)`.
        met: missing transverse momentum (x, y), `(2,)`.
        reco: the event as it was handed in, which knows the charge of the lepton.
    """

    jets: Float[Tensor, "jets 3"]
    tagged: Bool[Tensor, " jets"]
    lepton: Float[Tensor, "4"]
    met: Float[Tensor, "2"]
    reco: RecoEvents

    @property
    def scalar_sum(self) -> float:
        """Sum of the jet pT, GeV."""
        return float(self.jets[:, 0].sum())

    @property
    def jet_momenta(self) -> Float[Tensor, "jets 2"]:
        """Transverse momenta (x, y), GeV."""
        pt, phi = self.jets[:, 0], self.jets[:, 2]
        return torch.stack([pt * torch.cos(phi), pt * torch.sin(phi)], dim=-1)


def why_not(reco: RecoEvents, index: int, jets_min: int) -> str:
    """Return ``"ok"``, or why the event has no classical integral."""
    if int(reco.lepton_mask[index].sum()) != 1:
        return f"{int(reco.lepton_mask[index].sum())} leptons, expected 1"
    if (jets := int(reco.jet_mask[index].sum())) < jets_min:
        return f"{jets} jets, expected {jets_min} or more"
    real = reco.jets[index][reco.jet_mask[index]]
    values = torch.cat([real.flatten(), reco.leptons[index, 0], reco.met[index]])
    return OK if bool(torch.isfinite(values).all()) else "an object is not finite"


def observed_event(reco: RecoEvents, index: int) -> ObservedEvent:
    """Return one event of a batch."""
    mask = reco.jet_mask[index]
    lepton = reco.leptons[index, 0, :4].double()
    met, phi = reco.met[index].double()
    return ObservedEvent(
        jets=reco.jets[index][mask][:, :3].double(),
        tagged=reco.jet_tagged[index][mask],
        lepton=from_pt_eta_phi_m(torch.stack([lepton[0], lepton[1], lepton[2], lepton.new_zeros(())])),
        met=torch.stack([met * torch.cos(phi), met * torch.sin(phi)]),
        reco=_single(reco, index),
    )


def _single(reco: RecoEvents, index: int) -> RecoEvents:
    return RecoEvents(**{name: value[index : index + 1] for name, value in vars(reco).items()})
