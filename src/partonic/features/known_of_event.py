"""What the transfer function knows of an event, and nothing else.

p_T is a density of the number of jets, and of pT, η, φ and b-tag of the objects. A network that is trained on events
drawn from it must not look at what it leaves open: masses, scores of the b-tagging, flavour and isolation of leptons,
isolation of photons.
"""

from dataclasses import replace

import torch
from torch import Tensor

from partonic.events.batch import JET_FEATURES, LEPTON_FEATURES, PHOTON_FEATURES, RecoEvents
from partonic.features.decay_channel import DecayChannel

__all__ = ["ELECTRON", "described"]

ELECTRON = 11
"""PDG id of the lepton that stands for all."""


def described(reco: RecoEvents, decay_channel: DecayChannel) -> RecoEvents:
    """Return events without what the transfer function leaves open.

    Jets and leptons lose their masses, leptons and photons their isolation; b-tags are 1 or 0; leptons become
    electrons. Their charges stay where they order the partons (dilepton); in the semileptonic channel partons are
    ordered by decay.
    """
    sign = torch.ones_like(reco.lepton_pdg) if decay_channel.leptons == 1 else reco.lepton_pdg.sign()
    tags = reco.jet_tagged.to(reco.jets)
    if decay_channel.photons:
        photons = _with(reco.photons, PHOTON_FEATURES, {"isolation": _zeros(reco.photons)})
        reco = replace(reco, photons=photons)
    return replace(
        reco,
        jets=_with(reco.jets, JET_FEATURES, {"mass": torch.zeros_like(tags), "btag": tags}),
        leptons=_with(reco.leptons, LEPTON_FEATURES, dict.fromkeys(("mass", "isolation"), _zeros(reco.leptons))),
        lepton_pdg=torch.where(reco.lepton_mask, ELECTRON * sign, 0),
    )


def _zeros(objects: Tensor) -> Tensor:
    return torch.zeros_like(objects[..., 0])


def _with(objects: Tensor, names: tuple[str, ...], values: dict[str, Tensor]) -> Tensor:
    """Return the features of objects with some of them replaced."""
    return torch.stack([values.get(name, objects[..., place]) for place, name in enumerate(names)], dim=-1)
