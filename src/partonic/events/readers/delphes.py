"""Delphes ROOT files: the tree ``Delphes`` with Event, Weight, Particle, GenJet, Jet, Electron, Muon and MissingET.

Branches are found by their last name (``Jet.PT``), so files of Delphes itself, where they are split under ``Jet``, and
flat copies of them are read alike. Weights are absolute, and normalised to the cross section that the file states with
its last event or that the user gives.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from partonic.config.importing import ImportConfig
from partonic.errors import ConfigError, EventFileError
from partonic.events.cut_flow import cut_names
from partonic.events.readers.files import sample_files
from partonic.events.readers.generator_record import GeneratorRecord
from partonic.events.readers.hard_process import hard_parton_momenta, hard_process_columns
from partonic.events.readers.numbering import Numbering
from partonic.events.readers.objects import Objects, joined
from partonic.events.readers.reconstruction import DetectorEvents, reconstructed_columns, truth_columns
from partonic.events.readers.root_file import Batch, Branches, opened_tree, read_steps, resolved
from partonic.events.readers.source import EventSource, fixed_lists, imported_process, kept_weights, source_metadata
from partonic.events.readers.theta_solver import CoefficientSolver
from partonic.events.schema import ProcessInfo

__all__ = ["NEEDED", "OPTIONAL", "read_delphes"]

NEEDED: Mapping[str, Sequence[str]] = {
    "jet_pt": ("Jet.PT",),
    "jet_eta": ("Jet.Eta",),
    "jet_phi": ("Jet.Phi",),
    "jet_mass": ("Jet.Mass",),
    "jet_btag": ("Jet.BTag",),
    "electron_pt": ("Electron.PT",),
    "electron_eta": ("Electron.Eta",),
    "electron_phi": ("Electron.Phi",),
    "electron_charge": ("Electron.Charge",),
    "electron_isolation": ("Electron.IsolationVar",),
    "muon_pt": ("Muon.PT", "MuonTight.PT"),
    "muon_eta": ("Muon.Eta", "MuonTight.Eta"),
    "muon_phi": ("Muon.Phi", "MuonTight.Phi"),
    "muon_charge": ("Muon.Charge", "MuonTight.Charge"),
    "muon_isolation": ("Muon.IsolationVar", "MuonTight.IsolationVar"),
    "met_pt": ("MissingET.MET", "PuppiMissingET.MET"),
    "met_phi": ("MissingET.Phi", "PuppiMissingET.Phi"),
    "generator_weight": ("Event.Weight",),
    "generator_pdg": ("Particle.PID",),
    "generator_mother": ("Particle.M1",),
    "generator_e": ("Particle.E",),
    "generator_px": ("Particle.Px",),
    "generator_py": ("Particle.Py",),
    "generator_pz": ("Particle.Pz",),
}
"""Branches of every file, by our name for the quantity (https://delphes.github.io, tree description)."""

OPTIONAL: Mapping[str, Sequence[str]] = {
    "jet_flavour": ("Jet.Flavor",),
    "true_jet_pt": ("GenJet.PT",),
    "true_jet_eta": ("GenJet.Eta",),
    "true_jet_phi": ("GenJet.Phi",),
    "weights": ("Weight.Weight",),
    "cross_section": ("Event.CrossSection",),
    "x1": ("Event.X1",),
    "x2": ("Event.X2",),
    "initial_pdg_1": ("Event.ID1",),
    "initial_pdg_2": ("Event.ID2",),
    "scale": ("Event.ScalePDF",),
    "alpha_s": ("Event.AlphaQCD",),
}
"""Branches that a file may have."""

_MASSES = {"electron": 0.000511, "muon": 0.10566}
_PDG = {"electron": 11, "muon": 13}


@dataclass(frozen=True)
class _Survey:
    """Events, sum of weights, stated cross section (pb) and number of further weights of a file."""

    events: int
    sum_of_weights: float
    cross_section: float | None
    weights: int


def read_delphes(config: ImportConfig, process: ProcessInfo, left_out: frozenset[int] = frozenset()) -> EventSource:
    """Read Delphes files into the columns of the store.

    Args:
        config: the section `import`: files, cross section, object cuts, selection, ...
        process: process of the analysis.
        left_out: numbers of events in the sample that are treated as if they were not in the files.

    Raises:
        EventFileError: if a file is missing, damaged, or lacks a branch that is needed, there is no cross section, or
            its weights do not give the coefficients. Faults of single events are raised while the tables are read.
        ConfigError: if `branches` names a quantity that there is not.
    """
    info = imported_process(config, process)
    files = [Path(file) for file in sample_files(config)]
    surveys = [_survey(path, config) for path in files]
    count = surveys[0].weights
    numbering = Numbering(files, [survey.events for survey in surveys])
    texts = {str(index): "" for index in range(count)}
    solver = CoefficientSolver.of(config, info, texts, str(files[0]), numbering=numbering)
    names = kept_weights(config, [f"event_{index}" for index in range(count) if str(index) not in solver.names])
    factor, section = _factor(config, surveys, str(files[0]))
    num_events = sum(survey.events for survey in surveys)
    facts = {"normalisation": f"all weights sum to {section} pb"}
    metadata = source_metadata(config, info, names, num_events, facts, files=files)
    reader = _Reader(solver, factor, count, {name: int(name.removeprefix("event_")) for name in names})
    return solver.source(metadata, reader.tables(files), num_events, cut_names(config.selection, config.jets))


class _Reader:
    """Makes tables of the store from the events of files whose weights are understood."""

    def __init__(self, solver: CoefficientSolver, factor: float, size: int, extra: Mapping[str, int]) -> None:
        self.solver = solver
        self.config = solver.config
        self.factor = factor
        self.size = size
        self.extra = extra

    def tables(self, files: Sequence[Path]) -> Iterator[pa.Table]:
        """Read the files one after another."""
        first_id = 0
        for path in files:
            with opened_tree(path, "Delphes") as (_, tree):
                for batch in read_steps(tree, _branches(path, tree, self.config), self.config.batch_size):
                    yield self._table(batch, first_id)
                    first_id += len(batch)

    def _table(self, batch: Batch, first_id: int) -> pa.Table:
        ids = np.arange(first_id, first_id + len(batch))
        nominal = self.factor * batch.scalar("generator_weight").astype(np.float64)
        weights = batch.matrix("weights", self.size) if "weights" in batch else np.zeros((len(batch), 0))
        values = weights[:, [int(name) for name in self.solver.names]]
        columns: dict[str, Any] = {
            "event_id": ids,
            "weight": nominal,
            "coefficients": fixed_lists(self.solver.solve(nominal, values, self.factor, ids), pa.float64()),
        }
        columns |= {f"weight_{name}": self.factor * weights[:, index] for name, index in self.extra.items()}
        record = _generator_record(batch)
        products = record.decay_products()
        partons = hard_parton_momenta(batch, record, self.solver.process.parton_pdg, self.config)
        events = _detector_events(batch, record, self.config)
        columns |= truth_columns(record, products, partons) | hard_process_columns(batch)
        return pa.table(columns | reconstructed_columns(events, products, self.config))


def _branches(path: Path, tree: Any, config: ImportConfig) -> Branches:
    needed, optional = dict(NEEDED), dict(OPTIONAL)
    if unknown := sorted(set(config.branches) - {*needed, *optional}):
        quantities = ", ".join(sorted({*needed, *optional}))
        raise ConfigError(
            f"import.branches names {', '.join(unknown)}, but the quantities of Delphes are: {quantities}"
        )
    if config.btag.branch is not None:
        needed["jet_btag"] = (config.btag.branch,)
    for quantity, branch in config.branches.items():
        (needed if quantity in needed else optional)[quantity] = (branch,)
    return resolved(path, tree.keys(), needed, optional)


def _survey(path: Path, config: ImportConfig) -> _Survey:
    with opened_tree(path, "Delphes") as (_, tree):
        branches = _branches(path, tree, config)
        wanted = ("generator_weight", "cross_section", "weights")
        only = Branches(path, {name: branches.names[name] for name in wanted if name in branches})
        count, total, section, size = 0, 0.0, None, 0
        for batch in read_steps(tree, only, 100_000):
            if "weights" in batch and count == 0:
                size = int(batch.counts("weights")[0])
            count += len(batch)
            total += float(batch.scalar("generator_weight").sum(dtype=np.float64))
            if "cross_section" in batch:
                section = float(batch.scalar("cross_section")[-1])
        return _Survey(count, total, section, size)


def _factor(config: ImportConfig, surveys: Sequence[_Survey], where: str) -> tuple[float, float]:
    section = config.cross_section
    if section is None:
        stated = [(survey.cross_section, survey.events) for survey in surveys if survey.cross_section]
        if len(stated) < len(surveys):
            raise EventFileError(
                f"{where} states no cross section (Event.CrossSection): give import.cross_section in pb"
            )
        section = sum(value * count for value, count in stated) / sum(count for _, count in stated)
    total = sum(survey.sum_of_weights for survey in surveys)
    if total == 0 or not np.isfinite(total):
        raise EventFileError(f"{where}: the event weights sum to {total} and cannot be normalised to {section} pb")
    return section / total, section


def _detector_events(batch: Batch, record: GeneratorRecord, config: ImportConfig) -> DetectorEvents:
    true_jets = None
    if batch.branches.has_all("true_jet_pt", "true_jet_eta", "true_jet_phi"):
        true_jets = batch.objects(pt="true_jet_pt", eta="true_jet_eta", phi="true_jet_phi")
    return DetectorEvents(
        jets=_jets(batch, config),
        leptons=joined(_leptons(batch, "electron"), _leptons(batch, "muon")),
        met=np.stack([batch.scalar("met_pt"), batch.scalar("met_phi")], axis=-1).astype(np.float64),
        true_jets=true_jets,
        record=record,
    )


def _jets(batch: Batch, config: ImportConfig) -> Objects:
    jets = batch.objects(pt="jet_pt", eta="jet_eta", phi="jet_phi", mass="jet_mass", btag="jet_btag")
    if config.btag.branch is None:
        tagged = (jets["btag"].astype(np.int64) >> config.btag.bit) & 1 > 0
        jets = jets.with_columns(btag=tagged.astype(np.float32))
    else:
        tagged = jets["btag"] >= (1.0 if config.btag.working_point is None else config.btag.working_point)
    if "jet_flavour" in batch:
        flavour = np.abs(batch.flat("jet_flavour").astype(np.int64))
        jets = jets.with_columns(flavour=np.where(np.isin(flavour, (4, 5)), flavour, 0))
    return jets.with_columns(tagged=tagged, identified=np.ones(len(tagged), dtype=bool))


def _leptons(batch: Batch, kind: str) -> Objects:
    leptons = batch.objects(**{name: f"{kind}_{name}" for name in ("pt", "eta", "phi", "charge", "isolation")})
    charge = leptons["charge"].astype(np.int64)
    return leptons.with_columns(
        pdg=-charge * _PDG[kind],
        mass=np.full(len(charge), _MASSES[kind]),
        identified=np.ones(len(charge), dtype=bool),
    )


def _generator_record(batch: Batch) -> GeneratorRecord:
    particles = batch.objects(
        pdg="generator_pdg", mother="generator_mother", e="generator_e", px="generator_px", py="generator_py",
        pz="generator_pz",
    )  # fmt: skip
    return GeneratorRecord(
        pdg=particles["pdg"].astype(np.int64),
        mother=particles["mother"].astype(np.int64),
        momenta=np.stack([particles[name] for name in ("e", "px", "py", "pz")], axis=-1).astype(np.float64),
        counts=particles.counts,
    )
