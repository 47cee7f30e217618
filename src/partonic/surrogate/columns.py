"""Rows of the event store from the objects that a surrogate drew."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import torch
from jaxtyping import Bool, Int
from torch import Tensor

from partonic.events.batch import JET_FEATURES, LEPTON_FEATURES, PHOTON_FEATURES, RecoEvents
from partonic.events.selection import SELECTED
from partonic.simulation.event_table import null_lists, null_values

__all__ = ["object_columns", "with_charges"]

_PDG = {"e": 11, "mu": 13}
_MASSES = {11: 0.000511, 13: 0.10566}
"""GeV (Review of Particle Physics 2024)."""

_REJECTED = 0
"""Value of the column `cut` of a rejected event: the surrogate makes one cut."""


def object_columns(
    reco: RecoEvents | None, selected: Bool[np.ndarray, " events"], flavours: Sequence[str], generator: torch.Generator
) -> dict[str, Any]:
    """Return the columns of the selection and of the reconstructed objects; null for rejected events.

    What no network knows is left null: what jets stem from, and what they were before the detector.

    Args:
        reco: objects of the selected events; None if there is none.
        selected: which of all events.
        flavours: of leptons, ``e`` and ``mu``, that events may have; each lepton is one of them with equal probability.
        generator: of the flavours.
    """
    cut = np.where(selected, SELECTED, _REJECTED).astype(np.int8)
    columns: dict[str, Any] = {"selected": pa.array(selected), "cut": pa.array(cut)}
    if reco is None:
        return columns
    leptons, pdg = _with_flavours(reco, flavours, generator)
    columns |= _lists("jet", reco.jets, JET_FEATURES, reco.jet_mask, selected)
    columns["jet_tagged"] = _list(reco.jet_tagged, reco.jet_mask, selected)
    columns |= _lists("lepton", leptons, LEPTON_FEATURES, reco.lepton_mask, selected)
    columns["lepton_pdg"] = _list(pdg.int(), reco.lepton_mask, selected)
    if reco.photons.shape[1]:
        columns |= _lists("photon", reco.photons, PHOTON_FEATURES, reco.photon_mask, selected)
        identified = torch.ones_like(reco.photon_mask, dtype=torch.int8)
        columns["photon_identification"] = _list(identified, reco.photon_mask, selected)
    met = reco.met.numpy()
    return columns | {"met_pt": null_values(met[:, 0], selected), "met_phi": null_values(met[:, 1], selected)}


def with_charges(reco: RecoEvents, hadronic_top: Int[np.ndarray, " events"]) -> RecoEvents:
    """Return semileptonic events whose lepton has the charge of the top that it came from: ℓ⁻ beside a hadronic t.

    What draws objects knows which top is the hadronic one, not whether that is t or t̄.

    Args:
        reco: selected events.
        hadronic_top: +6 or −6 of each; 0, which leaves the charges of an event as they are.
    """
    sign = torch.from_numpy(np.sign(hadronic_top).astype(np.int64))[:, None]
    return replace(reco, lepton_pdg=torch.where(sign == 0, reco.lepton_pdg, sign * reco.lepton_pdg.abs()))


def _with_flavours(reco: RecoEvents, flavours: Sequence[str], generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Return features and PDG ids of leptons whose flavours are drawn, in descending pT."""
    known = torch.tensor([_PDG[name] for name in flavours if name in _PDG] or list(_PDG.values()))
    drawn = known[torch.randint(len(known), reco.lepton_pdg.shape, generator=generator)]
    pdg = torch.where(reco.lepton_mask, drawn * reco.lepton_pdg.sign(), 0)
    mass = torch.where(drawn == 13, _MASSES[13], _MASSES[11]).to(reco.leptons)
    place = LEPTON_FEATURES.index("mass")
    leptons = reco.leptons.clone()
    leptons[..., place] = torch.where(reco.lepton_mask, mass, 0.0)
    order = torch.where(reco.lepton_mask, leptons[..., 0], -1.0).argsort(dim=1, descending=True, stable=True)
    return leptons.gather(1, order[..., None].expand_as(leptons)), pdg.gather(1, order)


def _lists(
    prefix: str, objects: Tensor, names: Sequence[str], mask: Tensor, selected: Bool[np.ndarray, " events"]
) -> dict[str, pa.ListArray]:
    return {f"{prefix}_{name}": _list(objects[..., place].float(), mask, selected) for place, name in enumerate(names)}


def _list(values: Tensor, mask: Tensor, selected: Bool[np.ndarray, " events"]) -> pa.ListArray:
    """Return one list for each event, of its real objects."""
    offsets = np.concatenate([[0], np.cumsum(mask.sum(dim=1).numpy())])
    return null_lists(values[mask].numpy(), offsets, selected)
