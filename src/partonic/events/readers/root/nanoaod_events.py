"""The objects of NanoAOD events: jets, leptons, missing momentum, generator particles and hard partons."""

import numpy as np
from jaxtyping import Float

from partonic.config.importing import ImportConfig
from partonic.errors import EventFileError
from partonic.events.readers.generator_record import GeneratorRecord
from partonic.events.readers.hard_process import HardPartons, hard_partons, mothers
from partonic.events.readers.objects import Objects, joined
from partonic.events.readers.reconstruction import DetectorEvents
from partonic.events.readers.root.batch import Batch
from partonic.events.readers.root.jet_identification import COMPONENTS, identification, passed
from partonic.events.readers.root.photons import photon_candidates
from partonic.events.schema import ProcessInfo

__all__ = ["detector_events", "four_momenta", "nanoaod_partons"]

_ENOUGH_JETS = 10


def detector_events(batch: Batch, config: ImportConfig, any_final_state: bool) -> DetectorEvents:
    """Return the objects of a batch, before any cut.

    Args:
        batch: the events.
        config: the section `import`.
        any_final_state: take the LHE particles as generator particles.
    """
    true_jets = None
    if batch.has_all("true_jet_pt", "true_jet_eta", "true_jet_phi"):
        true_jets = batch.objects(pt="true_jet_pt", eta="true_jet_eta", phi="true_jet_phi")
    return DetectorEvents(
        jets=_jets(batch, config),
        leptons=joined(_leptons(batch, "electron", config), _leptons(batch, "muon", config)),
        met=np.stack([batch.scalar("met_pt").astype(np.float64), batch.angle("met_phi")], axis=-1),
        true_jets=true_jets,
        photons=photon_candidates(batch, config),
        record=None if config.data else _lhe_record(batch) if any_final_state else _generator_record(batch),
    )


def _jets(batch: Batch, config: ImportConfig) -> Objects:
    features = {"pt": "jet_pt", "eta": "jet_eta", "phi": "jet_phi", "mass": "jet_mass", "btag": "jet_btag"}
    if "jet_flavour" in batch:
        features["flavour"] = "jet_flavour"
    jets = batch.objects(**features)
    _check_discriminator(batch, jets)
    identified = np.ones(len(jets["pt"]), dtype=bool)
    if config.jet_identification and "jet_identification" in batch:
        bits = batch.objects(pt="jet_pt", bits="jet_identification")["bits"]
        identified = passed(bits, config.jet_identification)
    elif config.jet_identification and batch.has_all(*COMPONENTS):
        identified = passed(identification(batch), config.jet_identification)
    working_point = config.btag.working_point
    if working_point is not None:
        jets = jets.with_columns(tagged=jets["btag"] >= working_point)
    if "jet_flavour" in batch:
        flavour = np.abs(jets["flavour"].astype(np.int64))
        jets = jets.with_columns(flavour=np.where(np.isin(flavour, (4, 5)), flavour, 0))
    return jets.with_columns(identified=identified)


def _check_discriminator(batch: Batch, jets: Objects) -> None:
    """Refuse a discriminator that was not computed: then all jets hold a large negative number."""
    values = jets["btag"]
    if len(values) >= _ENOUGH_JETS and values.max() < -1:
        raise EventFileError(
            f"{batch.file}: branch {batch.names['jet_btag']} is below −1 for all {len(values)} jets "
            f"of events {batch.numbers[0]} to {batch.numbers[-1]}: this discriminator was not computed. Name "
            "another with import.btag.branch, and its working point"
        )


def _leptons(batch: Batch, kind: str, config: ImportConfig) -> Objects:
    features = ["pt", "eta", "phi", "mass", "pdg", "isolation"]
    if f"{kind}_identification" in batch:
        features.append("identification")
    leptons = batch.objects(**{name: f"{kind}_{name}" for name in features})
    identified = np.ones(len(leptons["pt"]), dtype=bool)
    if f"{kind}_identification" in batch:
        values = leptons["identification"]
        smallest = config.leptons.electron_identification if kind == "electron" else 1
        identified = values if values.dtype == np.bool_ else values.astype(np.int64) >= smallest
    return leptons.with_columns(identified=identified)


def four_momenta(objects: Objects) -> Float[np.ndarray, "objects 4"]:
    """Return (E, px, py, pz) in GeV of objects with pt, eta, phi and mass; infinite where η is too large."""
    pt, eta, phi, mass = (objects[name].astype(np.float64) for name in ("pt", "eta", "phi", "mass"))
    with np.errstate(over="ignore"):
        along = np.where(pt > 0, pt * np.sinh(np.where(pt > 0, eta, 0.0)), 0.0)
        energy = np.sqrt(pt**2 + along**2 + mass**2)
    return np.stack([energy, pt * np.cos(phi), pt * np.sin(phi), along], axis=-1)


def _generator_record(batch: Batch) -> GeneratorRecord:
    features = ("pt", "eta", "phi", "mass", "pdg", "mother")
    particles = batch.objects(**{name: f"generator_{name}" for name in features})
    return GeneratorRecord(
        pdg=particles["pdg"].astype(np.int64),
        mother=mothers(batch, particles),
        momenta=four_momenta(particles),
        counts=particles.counts,
    )


def _lhe_record(batch: Batch) -> GeneratorRecord:
    features = ["pt", "eta", "phi", "mass", "pdg", *(["status"] if "lhe_status" in batch else [])]
    particles = batch.objects(**{name: f"lhe_{name}" for name in features})
    if "lhe_status" in batch:
        particles = particles.select(particles["status"] == 1)
    return GeneratorRecord(
        pdg=particles["pdg"].astype(np.int64),
        mother=np.full(len(particles["pdg"]), -1, dtype=np.int64),
        momenta=four_momenta(particles),
        counts=particles.counts,
    )


def nanoaod_partons(batch: Batch, record: GeneratorRecord, process: ProcessInfo, config: ImportConfig) -> HardPartons:
    """Return the partons of the process from the source that is configured.

    Raises:
        EventFileError: if an event lacks one.
    """
    source = _lhe_record(batch) if config.parton_source == "LHEPart" else record
    return hard_partons(source, process, config, batch.where)
