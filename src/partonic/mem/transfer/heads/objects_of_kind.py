"""Objects of one kind, with the states before them: what a head is asked about, or what it is to draw."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float, Shaped
from torch import Tensor
from torch.nn import functional

from partonic.mem.transfer.heads.near_candidates import NearCandidates
from partonic.mem.transfer.layout import TransferLayout
from partonic.mem.transfer.mixture import ObjectPlace, Observed
from partonic.mem.transfer.objects import JET, LEPTON, MET, PHOTON, ObjectTable, cuts_of, first_of

__all__ = ["ObjectsOfKind"]

_SMALLEST = 1e-6
"""Smallest room between the cut and the jet before, as the real line has it."""

_INSIDE = 1.0 - 1e-6
"""Largest |η|/η_max: no event leaves the cuts by rounding."""


@dataclass(frozen=True)
class ObjectsOfKind:
    """Slots of one kind of N events, for S sets of partons each.

    Attributes:
        layout: objects and cuts.
        table: the events; of an object that is to be drawn, only those before it are known.
        states: of the transformer before each object, `(N, S, T, width)`.
        slots: where they stand among the objects of the table, T of them.
        near: candidates; None without.
    """

    layout: TransferLayout
    table: ObjectTable
    states: Float[Tensor, "events samples slots width"]
    slots: range
    near: NearCandidates | None

    @property
    def kind(self) -> int:
        """Which kind of object."""
        return int(self.table.kind[self.slots.start])

    @property
    def is_first(self) -> bool:
        """Whether the first slot is the first of its kind, which has no object of its kind before it."""
        return self.slots.start == first_of(self.layout, self.kind)

    @property
    def is_reference(self) -> bool:
        """Whether the first of the slots has φ = 0 by the choice of the frame."""
        return self.slots.start == self.layout.reference_object

    def column(self, values: Tensor) -> Shaped[Tensor, " rows"]:
        """Return a column of the table, `(N, all slots)`, for these slots and all sets of partons, N·S·T rows."""
        part = values[:, None, self.slots.start : self.slots.stop]
        return part.expand(self.states.shape[:3]).flatten()

    def rows(self) -> Float[Tensor, "rows width"]:
        """Return the states, one row for each event, set of partons and slot."""
        return self.states.flatten(0, 2)

    def candidates_before(self, slot: int) -> NearCandidates:
        """Return the candidates that can be looked at for a slot: those of the objects before it.

        Raises:
            ValueError: without candidates.
        """
        if self.near is None:
            slots = f"{self.slots.start} to {self.slots.stop - 1}"
            raise ValueError(f"the objects in slots {slots} have no candidates: the network was built without (0 keys)")
        return self.near.first(self.near.plan.counts[slot])

    def place_of(self, slot: int) -> ObjectPlace:
        """Return where the object in a slot can be."""
        if self.kind == MET:
            return ObjectPlace(None, None, None)
        pt_min, eta_max = cuts_of(self.layout, self.kind)
        follows = self.kind in (JET, PHOTON) and slot > first_of(self.layout, self.kind)
        before = torch.log(self.table.pt[:, slot - 1]).float() if follows else None
        return ObjectPlace(math.log(pt_min), before, eta_max)

    def observed(self, slot: int) -> Observed:
        """Return the object in a slot."""
        table = self.table
        t_pt, t_eta = table.line[:, slot].unbind(dim=-1)
        place, phi = self.place_of(slot), table.phi[:, slot].float()
        log_volume = torch.zeros_like(t_pt)
        if place.high is not None and place.low is not None:
            whole = torch.log((place.high - place.low).clamp(min=_SMALLEST))
            log_volume = whole + functional.logsigmoid(t_pt) + functional.logsigmoid(-t_pt)
        elif place.low is not None:
            log_volume = t_pt
        if place.eta_max is not None:
            of_eta = functional.logsigmoid(t_eta) + functional.logsigmoid(-t_eta)
            log_volume = log_volume + of_eta + math.log(2.0 * place.eta_max)
        log_pt, eta = torch.log(table.pt[:, slot]).float(), table.eta[:, slot].float()
        return Observed(log_pt, eta, torch.cos(phi), torch.sin(phi), log_volume)

    def pt(self, t: Float[Tensor, " events"]) -> Float[Tensor, " events"]:
        """Return pT in GeV of a number on the line, of the object in the first slot."""
        if self.kind == MET:
            return torch.exp(t)
        cut, _ = cuts_of(self.layout, self.kind)
        if self.kind == LEPTON or self.is_first:
            return cut * torch.exp(torch.exp(t))
        return cut * (self.table.pt[:, self.slots.start - 1] / cut) ** torch.sigmoid(t)

    def eta(self, t: Float[Tensor, " events"]) -> Float[Tensor, " events"]:
        """Return η of a number on the line; 0 for the missing momentum, which has none."""
        if self.kind == MET:
            return torch.zeros_like(t)
        _, largest = cuts_of(self.layout, self.kind)
        return largest * torch.tanh(0.5 * t).clamp(-_INSIDE, _INSIDE)
