"""Fit of all transfer functions of the classical method to a simulated event store."""

import torch
from torch import Tensor

from partonic.config.simulation import JetConfig, SelectionConfig
from partonic.errors import SchemaError
from partonic.events.store import EventStore
from partonic.mem.classical.extra_jets import ExtraJets, fit_extra_jets
from partonic.mem.classical.matched import COLUMNS, MatchedEvents, matched_events
from partonic.mem.classical.recoil import fit_missing_momentum, fit_recoil
from partonic.mem.classical.response import JetResponse
from partonic.mem.classical.response_fit import fit_response
from partonic.mem.classical.tagging import TagProbability, fit_tags
from partonic.mem.classical.transfer import TransferFunctions

__all__ = ["ETA_EDGES", "fit_transfer_functions"]

ETA_EDGES = (0.8, 1.6, 2.4)
"""Upper ends of the bands in |η| of the jet response."""

_SELECTION, _JETS = SelectionConfig(), JetConfig()


def fit_transfer_functions(
    store: EventStore, selection: SelectionConfig = _SELECTION, jets: JetConfig = _JETS, max_events: int = 100_000
) -> TransferFunctions:
    """Fit the transfer functions to semileptonic events of a store.

    Args:
        store: simulated events of any process with a top pair, after the selection.
        selection: the cuts that the events passed.
        jets: threshold and acceptance of their jets.
        max_events: selected events that are read at most.

    Raises:
        SchemaError: if the store has no matched jets, or no selected event.
        TrainingError: if the sample is too small.
    """
    batch = next(store.batches(COLUMNS, size=max_events, selected_only=True), None)
    if batch is None:
        raise SchemaError(f"{store.path} has no selected event: transfer functions cannot be fitted")
    events = matched_events(batch)
    extra = events.is_extra.sum(dim=1)
    lost = (events.quarks[..., 1:3] - _of_quarks(events)) * events.found[..., None]
    scalar_sum = (events.jets[..., 0] * events.is_jet).sum(dim=1)
    return TransferFunctions(
        bottom=_response(events, events.is_bottom, selection, jets),
        light=_response(events, events.is_quark & ~events.is_bottom, selection, jets),
        tags=_tags(events, selection),
        missing=fit_missing_momentum(events.met, events.neutrino, lost.sum(dim=1), scalar_sum),
        recoil=fit_recoil(events.total, (events.jet_momenta * events.is_extra[..., None]).sum(dim=1), extra),
        extra=_extra(events, jets),
        facts={"store": store.path.name, "events": len(batch), "process": store.metadata.process},
    )


def _of_quarks(events: MatchedEvents) -> Tensor:
    index = events.jet_of.clamp(min=0)[..., None].expand(-1, -1, 2)
    return events.jet_momenta.gather(1, index)


def _response(events: MatchedEvents, kind: Tensor, selection: SelectionConfig, jets: JetConfig) -> JetResponse:
    probes = events.quark_probes(selection) & kind
    eta = events.of_quarks(events.jets[..., 1])
    jet_energy = events.of_quarks(events.jets[..., 0]) * torch.cosh(eta)
    eta = torch.where(events.found, eta, events.quark_eta())
    edges = (*(edge for edge in ETA_EDGES if edge < jets.eta_max), jets.eta_max)
    columns = (jet_energy[probes], events.quarks[..., 0][probes], eta[probes], events.found[probes])
    return fit_response(*columns, edges, jets.pt_min)


def _tags(events: MatchedEvents, selection: SelectionConfig) -> TagProbability:
    probes = events.tag_probes(selection)
    return fit_tags(events.jets[..., 0][probes], events.flavour[probes], events.tagged[probes])


def _extra(events: MatchedEvents, jets: JetConfig) -> ExtraJets:
    whole = events.found.sum(dim=1) == events.is_quark.sum(dim=1)
    chosen = events.is_extra
    count = chosen.sum(dim=1)[whole]
    return fit_extra_jets(count, events.jets[..., 0][chosen], events.flavour[chosen], jets.pt_min, jets.eta_max)
