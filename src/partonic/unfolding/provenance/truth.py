"""The true assignment: which jets H, t_had and t_lep decayed to, from the ΔR match of jets and quarks.

A target is complete if each of its quarks has a jet of its own. Two quarks that share a jet, a quark that was lost, or
two tops that decay alike leave a target incomplete; its jets still have their provenance. Each jet belongs to one quark
at most, so complete targets never share a jet.
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Int
from numpy.typing import NDArray
from torch import Tensor

from partonic.errors import SchemaError
from partonic.events.batch import MAX_JETS, EventBatch
from partonic.unfolding.provenance.candidates import SLOTS

__all__ = ["TRUTH_COLUMNS", "AssignmentTruth", "assignment_truth"]

TRUTH_COLUMNS = ("jet_match", "jet_provenance", "decay_pdg", "decay_origin")
"""Columns of the event store that the true assignment is made from."""

_FROM_HIGGS, _FROM_HADRONIC_TOP, _FROM_LEPTONIC_TOP = 1, 2, 3


@dataclass(frozen=True)
class AssignmentTruth:
    """True assignments of events.

    Attributes:
        assignment: the jets of H (two, ascending), t_had (b, then the two of the W, ascending) and t_lep (b), `(N, 6)`,
            int64; −1 for every jet of an incomplete target.
        provenance: 1 for jets from H, 2 from t_had, 3 from t_lep, 0 for others and padding, `(N, J)`, int64.
    """

    assignment: Int[Tensor, "events 6"]
    provenance: Int[Tensor, "events jets"]

    def __len__(self) -> int:
        """Return the number of events."""
        return len(self.assignment)

    @property
    def complete(self) -> Bool[Tensor, "events 3"]:
        """Targets all of whose quarks have a jet."""
        return torch.stack([(self.assignment[:, slots] >= 0).all(dim=1) for slots in SLOTS], dim=1)

    def limited_to(self, jets: int) -> "AssignmentTruth":
        """Return the truth for the first `jets` jets; a target that needs others becomes incomplete."""
        kept = []
        for slots in SLOTS:
            part = self.assignment[:, slots]
            kept.append(torch.where((part < jets).all(dim=1, keepdim=True), part, -1))
        return AssignmentTruth(torch.cat(kept, dim=1), self.provenance[:, :jets])

    def rows(self, chosen: Int[Tensor, " rows"] | Bool[Tensor, " events"] | slice) -> "AssignmentTruth":
        """Return the truth of some events."""
        return AssignmentTruth(self.assignment[chosen], self.provenance[chosen])

    def to(self, device: torch.device | str) -> "AssignmentTruth":
        """Return the truth on another device."""
        return AssignmentTruth(self.assignment.to(device), self.provenance.to(device))


def assignment_truth(batch: EventBatch, max_jets: int = MAX_JETS) -> AssignmentTruth:
    """Return the true assignment of selected events.

    Args:
        batch: events with the columns `TRUTH_COLUMNS`.
        max_jets: jets of an event that are looked at, hardest first.

    Raises:
        SchemaError: if some event has no matched jets: a rejected event, or a source without decays.
    """
    for name in TRUTH_COLUMNS:
        if not batch.has(name):
            raise SchemaError(
                f"the true assignment needs the column '{name}' for every event, but it was not read or is null for "
                "some: read selected events of a simulated sample whose decays are known"
            )
    match: NDArray[np.int64] = batch.padded("jet_match", max_jets)[0].astype(np.int64)
    provenance: NDArray[np.int64] = batch.padded("jet_provenance", max_jets)[0].astype(np.int64)
    top_quark = _from_top_itself(batch, match) & (provenance > 0)
    hadronic = provenance == _FROM_HADRONIC_TOP
    parts = (
        (_jets_where(provenance == _FROM_HIGGS, 2),),
        (_jets_where(hadronic & top_quark, 1), _jets_where(hadronic & ~top_quark, 2)),
        (_jets_where((provenance == _FROM_LEPTONIC_TOP) & top_quark, 1),),
    )
    targets = [np.concatenate(part, axis=1) for part in parts]
    whole = [np.where((target >= 0).all(axis=1, keepdims=True), target, -1) for target in targets]
    return AssignmentTruth(torch.from_numpy(np.concatenate(whole, axis=1)), torch.from_numpy(provenance))


def _from_top_itself(batch: EventBatch, match: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return which jets match the quark of t → W q itself: down-type and, for a t, a quark (for a t̄, an antiquark).

    W⁺ decays to an up-type quark and a down-type antiquark, so the rule holds for all flavours, W → c b̄ included.
    """
    width = max(int(batch.counts("decay_pdg").max(initial=0)), 1)
    pdg: NDArray[np.int64] = batch.padded("decay_pdg", width)[0].astype(np.int64)
    origin: NDArray[np.int64] = batch.padded("decay_origin", width)[0].astype(np.int64)
    direct = (np.abs(origin) == 6) & (np.abs(pdg) % 2 == 1) & (np.abs(pdg) <= 5) & (pdg * origin > 0)
    found: NDArray[np.bool_] = np.take_along_axis(direct, np.maximum(match, 0), axis=1) & (match >= 0)
    return found


def _jets_where(chosen: NDArray[np.bool_], number: int) -> NDArray[np.int64]:
    """Return the chosen jets of each event, ascending, `(N, number)`; −1 where there are not exactly `number`."""
    found = np.full((len(chosen), number), -1, dtype=np.int64)
    exact = chosen.sum(axis=1) == number
    found[exact] = np.nonzero(chosen[exact])[1].reshape(-1, number)
    return found
