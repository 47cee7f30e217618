"""Reconstructed objects of events as one table of numbers: what networks over sets of objects are given.

Jets, leptons, photons and the missing transverse momentum stand in slots of their own, whatever the decay channel.
Directions are given in a frame that the hardest lepton fixes (else the hardest photon, the hardest jet, or the missing
momentum): it gets azimuth 0 and η ≥ 0, for nothing depends on rotations about the beam or on which proton beam is which
(`partonic.features.frame`).
"""

from collections.abc import Iterator

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor

from partonic.config.base import StrictModel
from partonic.errors import SchemaError
from partonic.events.batch import MAX_LEPTONS, MAX_PHOTONS, PHOTON_COLUMNS, RECO_COLUMNS, EventBatch, RecoEvents
from partonic.events.schema import StoreMetadata
from partonic.features.frame import EventFrame

__all__ = ["KINDS", "OBJECT_NUMBERS", "ObjectSlots", "event_objects", "object_columns", "slots_of"]

KINDS = ("jet", "lepton", "photon", "missing")
"""Kinds of objects, in the order of their slots."""

OBJECT_NUMBERS = ("real", "pt", "eta", "phi", "mass", "btag", "tagged", "charge", "is_muon")
"""Numbers of an object: whether there is one (1 or 0), pT and mass in GeV, direction in the frame of the event, score
and decision of the b tag of a jet, charge of a lepton, and whether it is a muon; what a kind does not have is 0."""

Objects = NDArray[np.float32]


class ObjectSlots(StrictModel):
    """How many objects of each kind there is room for; the hardest are kept. Missing momentum has one slot."""

    jets: int = Field(ge=0)
    """Slots of jets."""

    leptons: int = Field(ge=0)
    """Slots of electrons and muons."""

    photons: int = Field(ge=0)
    """Slots of photons."""

    def __len__(self) -> int:
        """Return the number S of slots."""
        return self.jets + self.leptons + self.photons + 1

    def kinds(self) -> Iterator[tuple[int, slice]]:
        """Yield the number of each kind that has slots, and where they are."""
        start = 0
        for kind, count in enumerate((self.jets, self.leptons, self.photons, 1)):
            if count:
                yield kind, slice(start, start + count)
            start += count


def slots_of(metadata: StoreMetadata, max_jets: int) -> ObjectSlots:
    """Return room for the objects of a store's events, with `max_jets` jets at most."""
    return ObjectSlots(jets=max_jets, leptons=MAX_LEPTONS, photons=MAX_PHOTONS if metadata.photons else 0)


def object_columns(slots: ObjectSlots, metadata: StoreMetadata) -> tuple[str, ...]:
    """Return the columns of a store that the objects are made from.

    Raises:
        SchemaError: if there are slots for photons, and the store has none.
    """
    if slots.photons and not metadata.photons:
        message = "the networks know photons, and these events have none: give them events of a store with photons"
        raise SchemaError(message)
    return (*RECO_COLUMNS, *(PHOTON_COLUMNS if slots.photons else ()))


def event_objects(batch: EventBatch, slots: ObjectSlots) -> Objects:
    """Return `OBJECT_NUMBERS` of the objects of N events, `(N, S, 9)`, zero where there is none.

    Raises:
        SchemaError: if an event has no reconstructed objects.
    """
    if not len(batch):
        return np.zeros((0, len(slots), len(OBJECT_NUMBERS)), dtype=np.float32)
    if not batch.valid("jet_pt").all():
        raise SchemaError(
            f"{int((~batch.valid('jet_pt')).sum())} of {len(batch)} events have no reconstructed objects, which "
            "networks over objects need: simulate them, or take `sbi.network.backbone: mlp`"
        )
    numbers: Objects = objects_of(batch.reco(slots.jets, slots.leptons, slots.photons)).numpy()
    return numbers


def objects_of(reco: RecoEvents) -> Float[Tensor, "events slots 9"]:
    """Return `OBJECT_NUMBERS` of padded objects, zero where there is none."""
    missing = torch.zeros(len(reco), 1, 4)
    missing[:, 0, 0], missing[:, 0, 2] = reco.met.unbind(dim=1)
    photons = torch.nn.functional.pad(reco.photons[..., :3], (0, 1))
    vectors = torch.cat([reco.jets[..., :4], reco.leptons[..., :4], photons, missing], dim=1)
    real = torch.cat([reco.jet_mask, reco.lepton_mask, reco.photon_mask, reco.met[:, :1] > 0.0], dim=1)
    frame = _frame(reco)
    pt, eta, phi, mass = vectors.unbind(dim=-1)
    tagged = reco.jet_tagged.to(pt)
    btag = torch.where(torch.isfinite(reco.jets[..., 4]), reco.jets[..., 4], tagged)
    muon, charge = (reco.lepton_pdg.abs() == 13).to(pt), -reco.lepton_pdg.sign().to(pt)
    blank = torch.zeros_like(pt)
    jets, leptons = slice(0, reco.jets.shape[1]), slice(reco.jets.shape[1], reco.jets.shape[1] + charge.shape[1])
    more = {"btag": blank.clone(), "tagged": blank.clone(), "charge": blank.clone(), "is_muon": blank.clone()}
    more["btag"][:, jets], more["tagged"][:, jets] = btag, tagged
    more["charge"][:, leptons], more["is_muon"][:, leptons] = charge, muon
    numbers = [real.to(pt), pt, frame.eta_in(eta), frame.azimuth_in(phi), mass, *more.values()]
    return torch.where(real[..., None], torch.stack(numbers, dim=-1), 0.0)


def _frame(reco: RecoEvents) -> EventFrame:
    """Return the frame of the hardest object of the first kind that an event has."""
    direction = torch.stack([torch.zeros_like(reco.met[:, 1]), reco.met[:, 1]], dim=1)
    kinds = (
        (reco.jets, reco.jet_mask),
        (reco.photons, reco.photon_mask),
        (reco.leptons, reco.lepton_mask),
    )
    for objects, mask in kinds:
        if not mask.shape[1]:
            continue
        hardest = torch.where(mask, objects[..., 0], -1.0).argmax(dim=1)
        found = objects[torch.arange(len(objects)), hardest, 1:3]
        direction = torch.where(mask.any(dim=1, keepdim=True), found, direction)
    return EventFrame.of_direction(direction[:, 0], direction[:, 1])
