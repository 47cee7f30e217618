"""How often the assignment network finds the right jets, beside the χ² of masses, on the same events.

The χ² is fitted to the very events that it is tried on, which can only flatter it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Int
from torch import Tensor

from partonic.events.batch import MAX_JETS, EventBatch, RecoEvents
from partonic.events.store import EventStore
from partonic.features.event_status import is_usable
from partonic.features.inputs import EventTokens, event_tokens
from partonic.unfolding.data import COLUMNS
from partonic.unfolding.provenance.efficiency import AssignmentEfficiency, assignment_efficiencies
from partonic.unfolding.provenance.mass_baseline import MassBaseline
from partonic.unfolding.provenance.truth import AssignmentTruth, assignment_truth

__all__ = ["Assigner", "ProvenanceQuality", "evaluate_provenance"]


@runtime_checkable
class Assigner(Protocol):
    """What assigns jets: an `AssignmentNetwork`."""

    def assign(self, tokens: EventTokens, as_many_as_possible: bool = False) -> Int[Tensor, "events 6"]:
        """Return the best conflict-free assignment of each event."""


@dataclass(frozen=True)
class ProvenanceQuality:
    """Efficiencies by number of jets, all events first.

    Attributes:
        network: of the assignment network.
        baseline: of the χ² of masses.
    """

    network: tuple[AssignmentEfficiency, ...]
    baseline: tuple[AssignmentEfficiency, ...]

    def record(self) -> dict[str, object]:
        """Return all numbers, JSON-like."""
        return {name: [part.to_json() for part in getattr(self, name)] for name in ("network", "baseline")}


@torch.no_grad()
def evaluate_provenance(network: Assigner, store: EventStore, events: int) -> ProvenanceQuality:
    """Return the efficiencies on the selected events of a store with matched truth.

    Args:
        network: the assignment network.
        store: the events.
        events: selected events at most.

    Raises:
        SchemaError: if the jets of the store are not matched to the decay partons.
        EventFileError: if too few events have all jets matched.
    """
    reco, truth, found = [], [], []
    for batch in _batches(store, events):
        objects = batch.reco()
        reco.append(objects)
        truth.append(assignment_truth(batch, MAX_JETS))
        found.append(network.assign(event_tokens(objects)))
    objects = RecoEvents(**{f.name: torch.cat([getattr(part, f.name) for part in reco]) for f in fields(RecoEvents)})
    known = AssignmentTruth(
        torch.cat([part.assignment for part in truth]), torch.cat([part.provenance for part in truth])
    )
    jets = objects.jet_mask.sum(dim=1)
    baseline = MassBaseline.fit(objects, known).assign(objects)
    return ProvenanceQuality(
        assignment_efficiencies(torch.cat(found), known, jets), assignment_efficiencies(baseline, known, jets)
    )


def _batches(store: EventStore, events: int) -> Iterator[EventBatch]:
    left = events
    for batch in store.batches(columns=COLUMNS, selected_only=True):
        usable = batch.filter(is_usable(batch.reco()).numpy())
        if left <= 0:
            return
        yield EventBatch(usable.table.slice(0, left), usable.metadata)
        left -= len(usable)
