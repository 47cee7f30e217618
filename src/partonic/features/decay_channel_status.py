"""Which reconstructed events a network of a decay channel can be asked about, and what is wrong with the others."""

import torch
from jaxtyping import Bool
from torch import Tensor

from partonic.events.batch import RecoEvents
from partonic.features.decay_channel import DecayChannel
from partonic.features.event_status import any_not_finite, first_faults, smallest_pt

__all__ = ["decay_channel_status"]


def decay_channel_status(reco: RecoEvents, decay_channel: DecayChannel, jets_min: int) -> tuple[str, ...]:
    """Return for each event ``"ok"`` or the first thing that is wrong with it, `(N,)`.

    Args:
        reco: the events, in any frame.
        decay_channel: how many leptons and photons they must have; two leptons must have opposite charges.
        jets_min: fewest jets that the network knows.
    """
    faults: dict[str, Bool[Tensor, " events"]] = {f"fewer than {jets_min} jets": reco.jet_mask.sum(dim=1) < jets_min}
    if decay_channel.leptons:
        few = reco.lepton_mask.sum(dim=1) < decay_channel.leptons
        faults["no lepton" if decay_channel.leptons == 1 else f"fewer than {decay_channel.leptons} leptons"] = few
    if decay_channel.leptons == 2:
        signs = torch.where(reco.lepton_mask, reco.lepton_pdg.sign(), 0)
        faults["no leptons of opposite charges"] = (signs.amax(dim=1) <= 0) | (signs.amin(dim=1) >= 0)
    if decay_channel.photons:
        faults[f"fewer than {decay_channel.photons} photons"] = reco.photon_mask.sum(dim=1) < decay_channel.photons
        faults["a photon is NaN or infinite"] = any_not_finite(reco.photons, reco.photon_mask)
        faults["a photon has no transverse momentum"] = (reco.photon_mask & (reco.photons[..., 0] <= 0.0)).any(dim=1)
    faults["a jet is NaN or infinite"] = any_not_finite(reco.jets, reco.jet_mask)
    faults["a lepton is NaN or infinite"] = any_not_finite(reco.leptons, reco.lepton_mask)
    faults["the missing transverse momentum is NaN or infinite"] = ~reco.met.isfinite().all(dim=1)
    softest = torch.minimum(smallest_pt(reco.jets, reco.jet_mask), smallest_pt(reco.leptons, reco.lepton_mask))
    faults["a jet or a lepton has no transverse momentum"] = softest <= 0.0
    return first_faults(faults)
