"""Leptons in the order of their charge: in the dilepton decay channel ℓ⁺, which comes from t, first, and then ℓ⁻."""

from dataclasses import replace

import torch
from torch import Tensor

from partonic.events.batch import RecoEvents

__all__ = ["order_by_charge"]


def order_by_charge(reco: RecoEvents) -> RecoEvents:
    """Return the events with positive leptons first, then negative ones, each in the order that they had.

    Padded slots stay last. PDG ids of positive leptons are negative.
    """
    key = torch.where(reco.lepton_mask, (reco.lepton_pdg > 0).long(), 2)
    order = key.argsort(dim=1, stable=True)
    return replace(
        reco,
        leptons=reco.leptons.gather(1, order[..., None].expand_as(reco.leptons)),
        lepton_pdg=_sorted(reco.lepton_pdg, order),
        lepton_mask=_sorted(reco.lepton_mask, order),
    )


def _sorted(values: Tensor, order: Tensor) -> Tensor:
    return values.gather(1, order)
