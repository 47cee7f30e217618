"""CMS NanoAOD: jets, leptons, missing momentum, generator partons and weights of collisions and simulated events.

Simulated events are normalised with the sum of generator weights: of the `Runs` tree (all events that were generated,
also when the file is a skim), or of the events themselves where there is none. `LHEReweightingWeight`,
`LHEScaleWeight`, `LHEPdfWeight` and `PSWeight` are relative to the nominal weight.

All files are looked at before the first event is read: one schema holds for the sample.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from partonic.config.importing import ImportConfig
from partonic.errors import ConfigError, EventFileError
from partonic.events.cut_flow import cut_names
from partonic.events.readers.files import EventFile, sample_files
from partonic.events.readers.hard_process import EnergyCheck, check_products, hard_process_columns
from partonic.events.readers.notes import Notes
from partonic.events.readers.numbering import Numbering
from partonic.events.readers.reconstruction import reconstructed_columns, truth_columns
from partonic.events.readers.root.batch import Batch, read_sample
from partonic.events.readers.root.branches import Found, Names, found_in, one_schema
from partonic.events.readers.root.file import RootFile, Tree, opened
from partonic.events.readers.root.generator_sums import GeneratorSums, generator_sums, normalisation
from partonic.events.readers.root.identity import IDENTITY, identity_columns
from partonic.events.readers.root.jet_identification import COMPONENTS
from partonic.events.readers.root.nanoaod_branches import WEIGHTS, check_chosen, nanoaod_quantities
from partonic.events.readers.root.nanoaod_events import detector_events, nanoaod_partons
from partonic.events.readers.root.photons import NANOAOD, photon_names
from partonic.events.readers.root.weight_vectors import WeightVector, common_vectors, finite_columns, surveyed_vector
from partonic.events.readers.source import EventSource, fixed_lists, imported_process, kept_weights, source_metadata
from partonic.events.readers.theta_solver import CoefficientSolver
from partonic.events.schema import ProcessInfo

__all__ = ["read_nanoaod"]

_THETA = "theta_weights"


def read_nanoaod(config: ImportConfig, process: ProcessInfo, left_out: frozenset[int] = frozenset()) -> EventSource:
    """Read NanoAOD files into the columns of the store.

    Args:
        config: the section `import`: files, cross section, b-tag working point, object cuts, selection, ...
        process: process of the analysis.
        left_out: numbers of events in the sample that are treated as if they were not in the files.

    Raises:
        EventFileError: if a file is missing, damaged, or lacks a branch that is needed, the files are not of one
            sample, or their weights do not give the coefficients. Faults of single events are raised while the tables
            are read.
        ConfigError: if `branches` names a quantity that there is not, or the nominal weight is not that of NanoAOD.
        DependencyError: if a package that a file or address needs is not installed.
    """
    if config.nominal_weight not in (None, "genWeight"):
        message = (
            f"import.nominal_weight: the nominal weight of NanoAOD is genWeight, got {config.nominal_weight}; another "
            "branch can be named under import.branches: `generator_weight: <branch>`"
        )
        raise ConfigError(message)
    info = imported_process(config, process)
    notes = Notes()
    files = sample_files(config)
    sample = _surveyed(files, config, left_out, notes)
    where = str(files[0])
    solver = CoefficientSolver.of(
        config, info, sample.theta_texts, where, numbering=sample.numbering, notes=notes, relative=True
    )
    extra = _extra_weights(config, sample.vectors, solver)
    factor, generated = 1.0, sample.numbering.total - len(left_out)
    if config.data:
        notes.facts["normalisation"] = "every event has weight 1"
    else:
        factor, generated = normalisation(sample.sums, config, notes)
    _note_choices(sample.names, sample.vectors, extra, config, notes)
    identity = any(name in sample.names for name in IDENTITY)
    photons = "photon_pt" in sample.names
    metadata = source_metadata(
        config, info, list(extra), generated, {}, files=files, identity=identity, photons=photons
    )
    reader = _Reader(solver, factor, sample, extra, left_out)
    events = sample.numbering.total - len(left_out)
    return solver.source(metadata, reader.tables(), events, cut_names(config.selection, config.jets))


@dataclass(frozen=True)
class _Sample:
    """What a first look at all files finds.

    Attributes:
        names: branch of each quantity that all files have.
        numbering: of the events of all files.
        vectors: weight vectors that mean the same in all files.
        sums: what normalises each file; empty for collision data.
    """

    names: Names
    numbering: Numbering
    vectors: Mapping[str, WeightVector]
    sums: Sequence[GeneratorSums]

    @property
    def theta_texts(self) -> dict[str, str]:
        """Text of each weight that may sit at a θ point."""
        vector = self.vectors.get(_THETA)
        return {} if vector is None else {str(i): vector.texts.get(i, "") for i in range(vector.size or 0)}


def _surveyed(files: Sequence[EventFile], config: ImportConfig, left_out: frozenset[int], notes: Notes) -> _Sample:
    found: list[Found] = []
    for file in files:
        with opened(file, notes) as root:
            tree = root.tree("Events")
            found.append(_found(tree, config, found[0] if found else None, notes))
    needed = frozenset() if config.theta_independent else frozenset({_THETA})
    names = photon_names(one_schema(found, notes, needed), NANOAOD, config, notes)
    _check_identified(names, found, config)
    numbering = Numbering(files, [one.entries for one in found])
    vectors, sums = [], []
    for index, file in enumerate(files):
        first = numbering.first(index)
        gone = frozenset(event - first for event in left_out if first <= event < first + found[index].entries)
        with opened(file, Notes()) as root:
            tree = root.tree("Events")
            if tree.entries:
                vectors.append(_wanted_vectors(tree, names, config, gone))
            if not config.data:
                sums.append(_sums(root, tree, found[index], config, gone, notes))
    common = common_vectors(vectors, needed, notes)
    for quantity in WEIGHTS:
        if quantity not in common:
            names.pop(quantity, None)
    return _Sample(names, numbering, common, sums)


def _found(tree: Tree, config: ImportConfig, like: Found | None, notes: Notes) -> Found:
    quantities = nanoaod_quantities(config)
    if not tree.entries:
        notes.warn(f"{tree.file} has no events")
        return Found(tree.file, {}, 0)
    if not config.data and "genWeight" not in tree.branches and "GenPart_pdgId" not in tree.branches:
        raise EventFileError(
            f"{tree.file} has neither generator weights (genWeight) nor generator particles (GenPart): it holds "
            "collision data. Set import.data and import.theta_independent to true"
        )
    if config.data and ("genWeight" in tree.branches or "GenPart_pdgId" in tree.branches):
        notes.warn(
            f"{tree.file} is simulated (it has genWeight or GenPart), but is imported as collision data: every event "
            "has weight 1, whatever its generator weight"
        )
    found = found_in(tree, quantities, like)
    check_chosen(tree, found, quantities, config)
    names = found.names
    if "jet_identification" in names:
        names = {quantity: branch for quantity, branch in names.items() if quantity not in COMPONENTS}
    return Found(found.file, names, found.entries)


def _check_identified(names: Names, found: Sequence[Found], config: ImportConfig) -> None:
    """Refuse files of which only some have the identification of jets: that of the others is not the same."""
    if not config.jet_identification or "jet_identification" in names or set(COMPONENTS) <= set(names):
        return
    filled = [one for one in found if one.names]
    has = next((one for one in filled if "jet_identification" in one.names), filled[0])
    lacks = next((one for one in filled if "jet_identification" not in one.names), filled[-1])
    raise EventFileError(
        f"the files of the sample differ: {has.file} has the identification of jets, {lacks.file} has not, or only "
        "what it can be computed from. Import them as two samples, or set import.jet_identification to 0"
    )


def _wanted_vectors(
    tree: Tree, names: Names, config: ImportConfig, left_out: frozenset[int]
) -> dict[str, WeightVector]:
    """Look at the weight vectors of a file of which anything is read."""
    found = {}
    for quantity, name in WEIGHTS.items():
        if quantity not in names:
            continue
        vector = surveyed_vector(tree, names[quantity], left_out)
        columns = [f"{name}_{place}" for place in range(vector.most)]
        needed = quantity == _THETA and not config.theta_independent
        if needed or kept_weights(config, columns):
            found[quantity] = vector
    return found


def _sums(
    root: RootFile, tree: Tree, found: Found, config: ImportConfig, left_out: frozenset[int], notes: Notes
) -> GeneratorSums:
    weight = found.names.get("generator_weight", "genWeight")
    if weight != "genWeight" and "sum_of_weights" not in config.branches and root.optional_tree("Runs") is not None:
        raise EventFileError(
            f"{root.file}: the sum of weights in its tree 'Runs' is that of genWeight, but import.branches names "
            f"{weight} as generator_weight: name also the branch of its sum, `sum_of_weights: <branch>`"
        )
    return generator_sums(root, tree, weight, config.branches, left_out, notes)


def _extra_weights(
    config: ImportConfig, vectors: Mapping[str, WeightVector], solver: CoefficientSolver
) -> dict[str, tuple[str, int]]:
    """Return the column names of the weights that stay, with their vector and place in it."""
    names = {
        f"{WEIGHTS[quantity]}_{place}": (quantity, place)
        for quantity, vector in vectors.items()
        for place in range(vector.size or 0)
        if quantity != _THETA or str(place) not in solver.names
    }
    return {name: names[name] for name in kept_weights(config, list(names))}


def _note_choices(
    names: Names,
    vectors: Mapping[str, WeightVector],
    extra: Mapping[str, tuple[str, int]],
    config: ImportConfig,
    notes: Notes,
) -> None:
    """Note which branches were chosen among those that could be meant."""
    notes.facts["branches"] = dict(names)
    notes.facts["btag_branch"] = names["jet_btag"]
    notes.facts["met_collection"] = names["met_pt"].rpartition("_")[0]
    if config.jet_identification:
        computed = "computed from the composition of jets (criteria of CMS for PUPPI jets)"
        notes.facts["jet_identification"] = names.get("jet_identification", computed)
    if not config.data:
        notes.facts["nominal_weight"] = names["generator_weight"]
    texts = {name: vectors[quantity].texts.get(place) for name, (quantity, place) in extra.items()}
    notes.facts["weight_texts"] = {name: text for name, text in texts.items() if text}


class _Reader:
    """Makes tables of the store from the events of files whose weights are understood."""

    def __init__(
        self,
        solver: CoefficientSolver,
        factor: float,
        sample: _Sample,
        extra: Mapping[str, tuple[str, int]],
        left_out: frozenset[int],
    ) -> None:
        self.solver = solver
        self.config = solver.config
        self.factor = factor
        self.sample = sample
        self.extra = extra
        self.left_out = left_out
        self.energy = EnergyCheck(solver.process.collider_energy)

    def tables(self) -> Iterator[pa.Table]:
        """Read the files one after another."""
        numbering, names = self.sample.numbering, self.sample.names
        for batch, ids in read_sample(numbering, "Events", names, self.config.batch_size, self.left_out):
            yield self._table(batch, ids)
        self.energy.finish(self.solver.notes)

    def _table(self, batch: Batch, ids: np.ndarray) -> pa.Table:
        columns: dict[str, Any] = {"event_id": ids} | identity_columns(batch) | self._weights(batch, ids)
        any_final_state = self.config.parton_source == "LHEPart" and not self.solver.process.parton_pdg
        events = detector_events(batch, self.config, any_final_state)
        products = None
        if events.record is not None:
            info = self.solver.process
            tree = info.decay_tree
            products = events.record.all_products() if any_final_state else events.record.decay_products(tree)
            check_products(batch, events.record, products)
            partons = nanoaod_partons(batch, events.record, info, self.config)
            process = hard_process_columns(batch, self.solver.notes)
            if self.config.parton_copy == "first":
                self.energy.add(process, partons.momenta)
            columns |= truth_columns(events.record, products, partons) | process
        return pa.table(columns | reconstructed_columns(events, products, self.config))

    def _weights(self, batch: Batch, ids: np.ndarray) -> dict[str, Any]:
        nominal = np.ones(len(batch))
        vectors = {}
        if not self.config.data:
            nominal = self.factor * batch.scalar("generator_weight").astype(np.float64)
            vectors = {
                quantity: batch.matrix(quantity, vector.size or 0, finite=False)
                for quantity, vector in self.sample.vectors.items()
            }
        places = [int(name) for name in self.solver.names]
        values = vectors[_THETA][:, places] if places else np.zeros((len(batch), 0))
        coefficients = self.solver.solve(nominal, values, self.factor, ids)
        columns: dict[str, Any] = {"weight": nominal, "coefficients": fixed_lists(coefficients, pa.float64())}
        for name, (quantity, place) in self.extra.items():
            finite_columns(batch, quantity, vectors[quantity], [place])
            columns[f"weight_{name}"] = nominal * vectors[quantity][:, place]
        return columns
