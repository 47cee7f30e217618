"""From the objects of a detector-level file to the columns of the store: object cuts, cleaning, matching, selection."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from jaxtyping import Bool, Float, Int

from partonic.config.importing import ImportConfig
from partonic.config.selection import SelectionConfig
from partonic.events.object_cuts import Candidates
from partonic.events.readers.generator_record import DecayProducts, GeneratorRecord
from partonic.events.readers.hard_process import HardPartons
from partonic.events.readers.objects import Objects, matched, nearest
from partonic.events.selection import SELECTED, counted_jets, jet_cut, object_cut

__all__ = ["DetectorEvents", "reconstructed_columns", "truth_columns"]

_FROM_HADRONIC_TOP = 2
_TOP = 6
_JET_TYPES = {"pt": pa.float32(), "eta": pa.float32(), "phi": pa.float32(), "mass": pa.float32(), "btag": pa.float32(),
              "tagged": pa.bool_(), "flavour": pa.int8(), "provenance": pa.int8(), "match": pa.int8(),
              "true_pt": pa.float32()}  # fmt: skip
_LEPTON_TYPES = {"pt": pa.float32(), "eta": pa.float32(), "phi": pa.float32(), "mass": pa.float32(),
                 "pdg": pa.int32(), "isolation": pa.float32()}  # fmt: skip

_PHOTON_TYPES = {"pt": pa.float32(), "eta": pa.float32(), "phi": pa.float32(), "isolation": pa.float32(),
                 "identification": pa.int8()}  # fmt: skip
_JET_PHOTON_DISTANCE = 0.4
_PHOTON = 22


@dataclass(frozen=True)
class DetectorEvents:
    """What a detector-level file holds of N events, before any cut.

    Attributes:
        jets: pt, eta, phi, mass, btag, tagged, identified, and flavour for simulated events.
        leptons: electrons and muons: pt, eta, phi, mass, pdg, isolation, identified.
        met: size (GeV) and azimuth of the missing transverse momentum, `(N, 2)`.
        true_jets: particle-level jets: pt, eta, phi; None for data.
        record: generator particles; None for data.
        photons: pt, eta, phi, identified, and isolation and identification where the file has them; None without.
    """

    jets: Objects
    leptons: Objects
    met: Float[np.ndarray, "events 2"]
    true_jets: Objects | None = None
    record: GeneratorRecord | None = None
    photons: Objects | None = None


def reconstructed_columns(
    events: DetectorEvents, products: DecayProducts | None, config: ImportConfig
) -> dict[str, pa.Array]:
    """Return the columns of jets, leptons, photons, missing momentum and selection.

    Args:
        events: the objects of the file.
        products: decay products that jets are matched to; None without generator information.
        config: object cuts and selection.
    """
    leptons = _kept_leptons(events.leptons, config)
    photons = None if events.photons is None else _kept_photons(events.photons, leptons, config)
    jets = _kept_jets(events.jets, leptons, photons, config)
    jets = _with_truth(jets, events, products, config.jets.match_radius)
    cut = np.full(len(jets.counts), SELECTED)
    if config.selection is not None:
        cut = first_failed(jets, leptons, config.selection, photons, events.met)
    kept = cut < 0
    columns = {"selected": pa.array(kept), "cut": pa.array(cut, pa.int8())}
    for name, kind in _JET_TYPES.items():
        if name in jets.columns:
            columns[f"jet_{name}"] = jets.lists(name, kind, kept)
    for name, kind in _LEPTON_TYPES.items():
        columns[f"lepton_{name}"] = leptons.lists(name, kind, kept)
    for name, kind in _PHOTON_TYPES.items():
        if photons is not None and name in photons.columns:
            columns[f"photon_{name}"] = photons.lists(name, kind, kept)
    for index, name in enumerate(("met_pt", "met_phi")):
        columns[name] = pa.array(events.met[:, index].astype(np.float32), mask=~kept)
    return columns


def _kept_leptons(leptons: Objects, config: ImportConfig) -> Objects:
    cuts = config.leptons
    electron = np.abs(leptons["pdg"]) == 11
    isolation_max = np.where(electron, cuts.electron_isolation_max, cuts.muon_isolation_max)
    kept = (leptons["pt"] > cuts.pt_min) & (np.abs(leptons["eta"]) < cuts.eta_max) & leptons["identified"]
    return leptons.select(kept & (leptons["isolation"] < isolation_max)).by_pt()


def _kept_photons(photons: Objects, leptons: Objects, config: ImportConfig) -> Objects:
    cuts = config.photons
    _, distance = nearest(photons, leptons, cuts.lepton_distance)
    kept = (photons["pt"] > cuts.pt_min) & (np.abs(photons["eta"]) < cuts.eta_max) & photons["identified"]
    if cuts.isolation_max is not None:
        kept &= photons["isolation"] < cuts.isolation_max
    return photons.select(kept & (distance >= cuts.lepton_distance)).by_pt()


def _kept_jets(jets: Objects, leptons: Objects, photons: Objects | None, config: ImportConfig) -> Objects:
    radius = config.jet_photon_distance
    if radius is None:
        radius = _JET_PHOTON_DISTANCE if config.wants_photons else 0.0
    if photons is not None and radius > 0.0:
        jets = jets.select(nearest(jets, photons, radius)[1] >= radius)
    _, distance = nearest(jets, leptons, config.jet_lepton_distance)
    kept = (jets["pt"] > config.jets.pt_min) & (np.abs(jets["eta"]) < config.jets.eta_max) & jets["identified"]
    return jets.select(kept & (distance >= config.jet_lepton_distance)).by_pt(config.jets.max_jets)


def first_failed(
    jets: Objects,
    leptons: Objects,
    cuts: SelectionConfig,
    photons: Objects | None = None,
    met: Float[np.ndarray, "events 2"] | None = None,
) -> Int[np.ndarray, " events"]:
    """Return for each event the index of the first cut that it fails (`cut_flow.cut_names`), −1 if none.

    Args:
        jets: kept jets.
        leptons: kept leptons.
        cuts: the selection.
        photons: kept photons; None without any.
        met: size (GeV) and azimuth of the missing transverse momentum; needed where a cut looks at it.
    """
    events = len(jets.counts)
    cut = object_cut(
        _candidates(leptons, cuts.lepton_eta_max),
        Candidates.none() if photons is None else _candidates(photons, cuts.photon_eta_max),
        met,
        events,
        cuts,
    )
    passed = cut == SELECTED
    tagged = jets["tagged"].astype(bool) if "tagged" in jets.columns else np.zeros(len(jets["pt"]), dtype=bool)
    counted, tags = counted_jets(jets["pt"], tagged, jets.event, events, cuts)
    cut[passed] = jet_cut(counted[passed], tags[passed], cuts)
    return cut


def _candidates(objects: Objects, eta_max: float) -> Candidates:
    central = objects.select(np.abs(objects["eta"]) < eta_max)
    pt, eta, phi = (central[name] for name in ("pt", "eta", "phi"))
    pdg = central["pdg"].astype(np.int64) if "pdg" in central.columns else np.full(len(pt), _PHOTON)
    return Candidates(pt, eta, phi, pdg, central.event)


def _with_truth(jets: Objects, events: DetectorEvents, products: DecayProducts | None, radius: float) -> Objects:
    if events.true_jets is not None:
        row, _ = nearest(jets, events.true_jets, radius)
        true_pt = np.full(len(row), np.nan, dtype=np.float32)
        true_pt[row >= 0] = events.true_jets["pt"][row[row >= 0]]
        jets = jets.with_columns(true_pt=true_pt)
    if events.record is None or products is None:
        return jets
    pdg = np.abs(events.record.pdg[products.rows])
    targets = _directions(events.record.momenta[products.rows], products.counts).with_columns(
        index=np.arange(len(products.rows))
    )
    quarks = targets.select(pdg <= 5)
    row = matched(jets, quarks, radius)
    index = np.where(row >= 0, quarks["index"][row] if len(quarks["index"]) else 0, -1)
    begin = np.cumsum(products.counts) - products.counts
    match = np.where(index >= 0, index - begin[jets.event], -1)
    return jets.with_columns(match=match.astype(np.int8), provenance=_provenance(jets, index, products))


def _provenance(
    jets: Objects, index: Int[np.ndarray, " objects"], products: DecayProducts
) -> Int[np.ndarray, " objects"]:
    found = index >= 0
    origin = products.origin[index[found]]
    of_resonance = np.zeros(len(origin), dtype=np.int8)
    for pdg in products.tree.origins:
        of_resonance[origin == pdg] = products.tree.provenance_of(pdg)
    if products.tree.has_top_pair:
        hadronic = products.hadronic[jets.event[found], np.where(origin == _TOP, 0, 1)]
        of_resonance[hadronic & (np.abs(origin) == _TOP)] = _FROM_HADRONIC_TOP
    provenance = np.zeros(len(index), dtype=np.int8)
    provenance[found] = of_resonance
    return provenance


def _directions(momenta: Float[np.ndarray, "particles 4"], counts: Int[np.ndarray, " events"]) -> Objects:
    pt = np.hypot(momenta[:, 1], momenta[:, 2])
    eta = np.arcsinh(momenta[:, 3] / np.maximum(pt, 1e-12))
    return Objects(counts, {"pt": pt, "eta": eta, "phi": np.arctan2(momenta[:, 2], momenta[:, 1])})


def truth_columns(record: GeneratorRecord, products: DecayProducts, partons: HardPartons) -> dict[str, Any]:
    """Return the columns of the hard partons and of the decay products."""
    kept = Objects(
        products.counts,
        {"pdg": record.pdg[products.rows], "origin": products.origin},
    )
    everything: Bool[np.ndarray, " events"] = np.ones(len(products.counts), dtype=bool)
    offsets = np.concatenate([[0], np.cumsum(4 * products.counts)]).astype(np.int32)
    columns: dict[str, Any] = {
        "hadronic_top": pa.array(products.hadronic_top, pa.int8()),
        "decay_partons": pa.ListArray.from_arrays(offsets, pa.array(record.momenta[products.rows].ravel())),
        "decay_pdg": kept.lists("pdg", pa.int32(), everything),
        "decay_origin": kept.lists("origin", pa.int8(), everything),
    }
    return columns | partons.columns()
