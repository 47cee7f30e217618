"""Rows of the event store from a showered and reconstructed chunk of events."""

from typing import Any

import numpy as np
import pyarrow as pa
from jaxtyping import Bool, Float, Int

from partonic.events.readers.source import fixed_lists
from partonic.events.schema import ProcessInfo
from partonic.simulation.harvest import DecayTable
from partonic.simulation.isr import IsrView
from partonic.simulation.lhe_chunk import LheChunk
from partonic.simulation.matching import hadronic_tops, jet_provenance, match_jets
from partonic.simulation.particles import azimuth, pseudorapidity
from partonic.simulation.reconstruct import RecoObjects

__all__ = [
    "ColourFlows",
    "decay_columns",
    "hard_process_columns",
    "isr_columns",
    "null_lists",
    "null_values",
    "reco_columns",
    "select_decays",
]


ColourFlows = tuple[tuple[Int[np.ndarray, "particles 2"], ...], ...]
"""For each channel its colour flows: colour and anticolour line of each incoming and final particle."""


def hard_process_columns(chunk: LheChunk, process: ProcessInfo, own: bool, colour_flows: ColourFlows) -> dict[str, Any]:
    """Return the columns of the hard process.

    Args:
        chunk: LHE events.
        process: its partons and collider energy.
        own: whether our generator wrote the file, so that IDPRUP is 1 + the index of the channel.
        colour_flows: flows of each channel, if the file tells them.
    """
    incoming = chunk.incoming()
    partons, pdg = chunk.own_partons(process) if own else chunk.partons(process)
    fractions = 2.0 * chunk.momenta[incoming, 0] / process.collider_energy
    scale, alpha_s = chunk.facts[:, 3], chunk.facts[:, 5]
    channel = (chunk.facts[:, 1] - 1).astype(np.int16)
    flow = _colour_flow(chunk, channel, colour_flows)
    columns = {
        "initial_pdg": fixed_lists(chunk.particles[incoming, 0].astype(np.int32), pa.int32()),
        "channel": pa.array(channel, mask=np.full(len(chunk), not own)),
        "colour_flow": pa.array(flow, mask=flow < 0),
        "scale": pa.array(scale, mask=scale <= 0),
        "alpha_s": pa.array(alpha_s, mask=alpha_s <= 0),
        "x1": pa.array(fractions[:, 0]),
        "x2": pa.array(fractions[:, 1]),
        "partons": fixed_lists(partons.reshape(len(chunk), -1), pa.float64()),
    }
    if len(process.final_states) > 1:
        columns["parton_pdg"] = fixed_lists(pdg.astype(np.int32), pa.int32())
    return columns


def _colour_flow(
    chunk: LheChunk, channel: Int[np.ndarray, " events"], colour_flows: ColourFlows
) -> Int[np.ndarray, " events"]:
    """Return the index of the colour flow of each event among those of its channel, −1 where it is none of them."""
    result = np.full(len(chunk), -1, dtype=np.int8)
    counts = np.diff(chunk.offsets)
    for index, flows in enumerate(colour_flows):
        for number, lines in enumerate(flows):
            chosen = np.flatnonzero((channel == index) & (counts == len(lines)))
            rows = chunk.offsets[chosen][:, None] + np.arange(len(lines))
            result[chosen[(chunk.particles[rows, 4:6] == lines).all(axis=(1, 2))]] = number
    return result


def isr_columns(view: IsrView) -> dict[str, Any]:
    """Return the columns of the view after initial-state radiation; null where it does not exist."""
    missing = ~view.valid
    flat = pa.array(np.where(missing[:, None, None], 0.0, view.partons).reshape(-1))  # masked by the null bitmap
    return {
        "isr_partons": pa.FixedSizeListArray.from_arrays(flat, 16, mask=pa.array(missing)),
        "isr_x1": pa.array(view.x1, mask=missing),
        "isr_x2": pa.array(view.x2, mask=missing),
    }


def decay_columns(decays: DecayTable) -> dict[str, Any]:
    """Return the columns of the decay products."""
    products = decays.particles
    hadronic = hadronic_tops(decays)
    only = np.where(hadronic.sum(axis=1) == 1, np.where(hadronic[:, 0], 6, -6), 0)
    return {
        "hadronic_top": pa.array(only.astype(np.int8)),
        "decay_partons": pa.ListArray.from_arrays(
            pa.array((4 * products.offsets).astype(np.int32)), pa.array(products.momenta.reshape(-1))
        ),
        "decay_pdg": _lists(products.pdg.astype(np.int32), products.offsets),
        "decay_origin": _lists(decays.origin, products.offsets),
    }


def reco_columns(reco: RecoObjects, decays: DecayTable | None, match_radius: float) -> dict[str, Any]:
    """Return the columns of the selection and of the reconstructed objects; null for rejected events.

    Args:
        reco: reconstructed objects of N events.
        decays: decay products of the same events, None if the source has none (jets are then not matched).
        match_radius: ΔR of the match of jets to them.
    """
    selected, jets, leptons = reco.selected, reco.jets, reco.leptons
    columns = {
        "jet_pt": jets.pt, "jet_eta": jets.eta, "jet_phi": jets.phi, "jet_mass": jets.mass,
        "jet_btag": reco.tagged, "jet_true_pt": reco.true_pt,
    }  # fmt: skip
    table: dict[str, Any] = {name: values.astype(np.float32) for name, values in columns.items()}
    table |= {"jet_tagged": reco.tagged, "jet_flavour": reco.flavour}
    if decays is not None:
        of_selected = select_decays(decays, selected)
        match = match_jets(jets, of_selected, match_radius)
        table |= {"jet_match": match, "jet_provenance": jet_provenance(jets, match, of_selected)}
    lepton_columns = {
        "lepton_pt": np.hypot(leptons.momenta[:, 1], leptons.momenta[:, 2]),
        "lepton_eta": pseudorapidity(leptons.momenta),
        "lepton_phi": azimuth(leptons.momenta),
        "lepton_mass": _mass(leptons.momenta),
        "lepton_isolation": leptons.isolation,
    }
    result: dict[str, Any] = {"selected": pa.array(selected), "cut": pa.array(reco.cut)}
    result |= {name: null_lists(values, jets.offsets, selected) for name, values in table.items()}
    result |= {
        name: null_lists(values.astype(np.float32), leptons.offsets, selected)
        for name, values in lepton_columns.items()
    }
    result["lepton_pdg"] = null_lists(leptons.pdg.astype(np.int32), leptons.offsets, selected)
    result |= _photon_columns(reco)
    result["met_pt"] = null_values(np.hypot(reco.met[:, 0], reco.met[:, 1]), selected)
    result["met_phi"] = null_values(np.arctan2(reco.met[:, 1], reco.met[:, 0]), selected)
    return result


def _photon_columns(reco: RecoObjects) -> dict[str, pa.Array]:
    """Return the columns of photons; none where they were not asked for."""
    photons, selected = reco.photons, reco.selected
    if photons is None:
        return {}
    columns = {
        "photon_pt": np.hypot(photons.momenta[:, 1], photons.momenta[:, 2]),
        "photon_eta": pseudorapidity(photons.momenta),
        "photon_phi": azimuth(photons.momenta),
        "photon_isolation": photons.isolation,
    }
    lists = {name: null_lists(values.astype(np.float32), photons.offsets, selected) for name, values in columns.items()}
    identified = np.ones(len(photons.isolation), dtype=np.int8)
    return lists | {"photon_identification": null_lists(identified, photons.offsets, selected)}


def select_decays(decays: DecayTable, events: Bool[np.ndarray, " events"]) -> DecayTable:
    """Return the decay products of the `events` for which the mask is True."""
    of_kept = np.repeat(events, decays.particles.counts)
    return DecayTable(decays.particles.select_events(events), decays.origin[of_kept], decays.tree)


def _mass(momenta: Float[np.ndarray, "leptons 4"]) -> Float[np.ndarray, " leptons"]:
    squares = momenta**2
    result: Float[np.ndarray, " leptons"] = np.sqrt(np.maximum(squares[:, 0] - squares[:, 1:].sum(axis=1), 0.0))
    return result


def _lists(values: np.ndarray, offsets: Int[np.ndarray, " bounds"]) -> pa.ListArray:
    return pa.ListArray.from_arrays(pa.array(offsets.astype(np.int32)), pa.array(values))


def null_lists(
    values: np.ndarray, offsets: Int[np.ndarray, " bounds"], selected: Bool[np.ndarray, " events"]
) -> pa.ListArray:
    """Return lists for all events: those of the selected ones, null for the others."""
    counts = np.zeros(len(selected), dtype=np.int64)
    counts[selected] = np.diff(offsets)
    bounds = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(bounds), pa.array(values), mask=pa.array(~selected))


def null_values(values: Float[np.ndarray, " selected"], selected: Bool[np.ndarray, " events"]) -> pa.Array:
    """Return one value for each event: those of the selected ones, null for the others."""
    spread = np.zeros(len(selected), dtype=np.float32)
    spread[selected] = values
    return pa.array(spread, mask=~selected)
