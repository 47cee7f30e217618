"""Which reconstructed events can be unfolded, and what is wrong with the others.

A network gives some answer to any input, so what it was not made for is told apart before: each event has a status,
and a bad one costs nothing but itself.
"""

from collections.abc import Mapping

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from partonic.event_status import OK
from partonic.events.batch import RecoEvents

__all__ = [
    "MIN_JETS",
    "NOT_FINITE",
    "STATUSES",
    "any_not_finite",
    "event_status",
    "first_faults",
    "is_usable",
    "smallest_pt",
]

MIN_JETS = 4
"""Fewest jets of an event that is unfolded: the selection of the events that models are trained on asks for as many."""

NOT_FINITE = "the networks gave a number that is not finite"
"""Status of an event whose samples came out NaN or infinite: none of them is kept."""

_FAULTS = (
    f"fewer than {MIN_JETS} jets",
    "no lepton",
    "a jet is NaN or infinite",
    "the lepton is NaN or infinite",
    "the missing transverse momentum is NaN or infinite",
    "a jet or the lepton has no transverse momentum",
)

STATUSES = (OK, *_FAULTS, NOT_FINITE)
"""All that can be said of an event."""


def event_status(reco: RecoEvents) -> tuple[str, ...]:
    """Return for each event `OK` or the first thing that is wrong with it, `(N,)`."""
    return first_faults(dict(zip(_FAULTS, _faults(reco), strict=True)))


def is_usable(reco: RecoEvents) -> Bool[Tensor, " events"]:
    """Return which events can be unfolded, `(N,)`."""
    return ~torch.stack(_faults(reco)).any(dim=0)


def first_faults(faults: Mapping[str, Bool[Tensor, " events"]]) -> tuple[str, ...]:
    """Return for each event `OK` or the name of the first fault that it has, `(N,)`."""
    names = (OK, *faults)
    status = torch.zeros_like(next(iter(faults.values())), dtype=torch.long)
    for number, fault in enumerate(faults.values(), start=1):
        status = torch.where((status == 0) & fault, number, status)
    return tuple(names[number] for number in status.tolist())


def any_not_finite(
    objects: Float[Tensor, "events objects features"], mask: Bool[Tensor, "events objects"]
) -> Bool[Tensor, " events"]:
    """Return which events have a real object with a feature that is NaN or infinite."""
    return (mask & ~objects.isfinite().all(dim=-1)).any(dim=1)


def smallest_pt(
    objects: Float[Tensor, "events objects features"], mask: Bool[Tensor, "events objects"]
) -> Float[Tensor, " events"]:
    """Return the smallest transverse momentum of the real objects of each event, infinite where there is none."""
    return objects[..., 0].masked_fill(~mask, torch.inf).amin(dim=1)


def _faults(reco: RecoEvents) -> list[Bool[Tensor, " events"]]:
    """Return which events have each fault, in the order of `_FAULTS`."""
    no_lepton = ~reco.lepton_mask.any(dim=1)
    lepton, lepton_is_real = reco.leptons[:, :1], reco.lepton_mask[:, :1]
    softest = torch.minimum(smallest_pt(reco.jets, reco.jet_mask), smallest_pt(lepton, lepton_is_real))
    return [
        reco.jet_mask.sum(dim=1) < MIN_JETS,
        no_lepton,
        any_not_finite(reco.jets, reco.jet_mask),
        any_not_finite(lepton, lepton_is_real),
        ~reco.met.isfinite().all(dim=1),
        softest <= 0.0,
    ]
