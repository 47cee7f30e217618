"""Delphes ROOT files: the tree ``Delphes`` with Event, Weight, Particle, GenJet, Jet, Electron, Muon and MissingET.

Weights are absolute, and normalised to the cross section that the file states with its last event or that the user
gives. All files are looked at before the first event is read: one schema holds for the sample.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from jaxtyping import Float

from partonic.config.importing import ImportConfig
from partonic.errors import ConfigError, EventFileError
from partonic.events.cut_flow import cut_names
from partonic.events.readers.cross_sections import DIFFERENT, check_one_sample, plausible_cross_section
from partonic.events.readers.files import EventFile, sample_files
from partonic.events.readers.hard_process import EnergyCheck, check_products, hard_partons, hard_process_columns
from partonic.events.readers.notes import Notes
from partonic.events.readers.numbering import Numbering
from partonic.events.readers.reconstruction import reconstructed_columns, truth_columns
from partonic.events.readers.root.batch import Batch, read_sample, read_steps
from partonic.events.readers.root.branches import Found, Names, found_in, one_schema
from partonic.events.readers.root.delphes_branches import delphes_quantities
from partonic.events.readers.root.delphes_events import TagBits, detector_events, generator_record
from partonic.events.readers.root.delphes_weights import Nominal, WeightSums, nominal_weight
from partonic.events.readers.root.file import opened
from partonic.events.readers.root.identity import IDENTITY, identity_columns
from partonic.events.readers.root.photons import DELPHES, photon_names
from partonic.events.readers.root.weight_vectors import WeightVector, common_vectors, finite_columns, surveyed_vector
from partonic.events.readers.source import EventSource, fixed_lists, imported_process, kept_weights, source_metadata
from partonic.events.readers.theta_solver import CoefficientSolver
from partonic.events.schema import ProcessInfo

__all__ = ["read_delphes"]


def read_delphes(config: ImportConfig, process: ProcessInfo, left_out: frozenset[int] = frozenset()) -> EventSource:
    """Read Delphes files into the columns of the store.

    Args:
        config: the section `import`: files, cross section, object cuts, selection, ...
        process: process of the analysis.
        left_out: numbers of events in the sample that are treated as if they were not in the files.

    Raises:
        EventFileError: if a file is missing, damaged, or lacks a branch that is needed, the files are not of one
            sample, there is no cross section, or the weights do not give the coefficients. Faults of single events are
            raised while the tables are read.
        ConfigError: if `branches` names a quantity that there is not, or Delphes is imported as collision data.
        DependencyError: if a package that a file or address needs is not installed.
    """
    if config.data:
        message = "import.data: Delphes files are simulations, whose events have weights: leave it out"
        raise ConfigError(message)
    info = imported_process(config, process)
    notes = Notes()
    files = sample_files(config)
    sample = _surveyed(files, config, left_out, notes)
    size = 0 if sample.weights is None else sample.weights.size or 0
    texts = {str(place): "" for place in range(size)}
    solver = CoefficientSolver.of(config, info, texts, str(files[0]), numbering=sample.numbering, notes=notes)
    nominal = nominal_weight(config, sample.sums, size, notes)
    names = kept_weights(config, [f"event_{place}" for place in range(size) if str(place) not in solver.names])
    factor = _factor(config, sample, nominal, notes)
    notes.facts["branches"] = dict(sample.names)
    num_events = sample.numbering.total - len(left_out)
    identity = any(name in sample.names for name in IDENTITY)
    photons = "photon_pt" in sample.names
    metadata = source_metadata(config, info, names, num_events, {}, files=files, identity=identity, photons=photons)
    extra = {name: int(name.removeprefix("event_")) for name in names}
    reader = _Reader(solver, factor, sample, nominal, extra, left_out)
    return solver.source(metadata, reader.tables(), num_events, cut_names(config.selection, config.jets))


@dataclass(frozen=True)
class _Sample:
    """What a first look at all files finds.

    Attributes:
        names: branch of each quantity that all files have.
        numbering: of the events of all files.
        weights: the vector of weights; None if there is none that means the same everywhere, or none is read.
        sums: of the weights of each file, without the events that are left out.
        cross_sections: that each file states with its last event, pb; None for no such branch.
    """

    names: Names
    numbering: Numbering
    weights: WeightVector | None
    sums: Sequence[WeightSums]
    cross_sections: Sequence[float | None]


def _surveyed(files: Sequence[EventFile], config: ImportConfig, left_out: frozenset[int], notes: Notes) -> _Sample:
    quantities = delphes_quantities(config)
    found: list[Found] = []
    for file in files:
        with opened(file, notes) as root:
            tree = root.tree("Delphes")
            if not tree.entries:
                notes.warn(f"{file} has no events")
                found.append(Found(file, {}, 0))
            else:
                found.append(found_in(tree, quantities, next((one for one in found if one.entries), None)))
    names = photon_names(one_schema(found, notes, frozenset({"weights", "cross_section"})), DELPHES, config, notes)
    numbering = Numbering(files, [one.entries for one in found])
    vectors, sums, sections = [], [], []
    for index, file in enumerate(files):
        first = numbering.first(index)
        gone = frozenset(event - first for event in left_out if first <= event < first + found[index].entries)
        if not found[index].entries:
            continue
        with opened(file, Notes()) as root:
            tree = root.tree("Delphes")
            wanted = ("generator_weight", "weights", "cross_section")
            here = {name: names[name] for name in wanted if name in names}
            if "weights" in here:
                vectors.append({"weights": surveyed_vector(tree, here["weights"], gone)})
            sums.append(WeightSums(str(file)))
            stated = [np.zeros(0)]
            for batch in read_steps(tree, here, 100_000):
                kept = batch.select(~np.isin(batch.numbers, list(gone)))
                if "cross_section" in kept:
                    stated.append(kept.scalar("cross_section", finite=False))
                sums[-1].add(kept)
            sections.append(_last(np.concatenate(stated), file, notes if config.cross_section is None else Notes()))
    needs_all = not config.theta_independent or config.nominal_weight not in (None, "Event.Weight")
    weights = common_vectors(vectors, frozenset({"weights"} if needs_all else ()), notes).get("weights")
    if weights is None:
        names.pop("weights", None)
    names.pop("cross_section", None)
    return _Sample(names, numbering, weights, sums, sections)


def _last(stated: Float[np.ndarray, " events"], file: EventFile, notes: Notes) -> float | None:
    """Return the cross section of the last event; warn if those before are no estimates of the same number."""
    if not len(stated):
        return None
    settled = stated[len(stated) // 10 :]
    low, high = float(np.min(settled)), float(np.max(settled))
    if low > 0 and high > DIFFERENT * low:
        notes.warn(
            f"{file}: Event.CrossSection lies between {low:g} and {high:g} pb; that of the last event counts, "
            f"{stated[-1]:g} pb. Were files of two samples merged?"
        )
    return float(stated[-1])


def _factor(config: ImportConfig, sample: _Sample, nominal: Nominal, notes: Notes) -> float:
    """Return the factor from the weights of the files to pb; note how it came about.

    Raises:
        EventFileError: if a file states no cross section that can be, the files state different ones, or the weights
            cannot be normalised.
    """
    total = sum(nominal.total(one) for one in sample.sums)
    section = config.cross_section
    where = "as configured"
    if section is None:
        section = _stated_cross_section(sample, notes)
        where = "as stated with the last event (Event.CrossSection)"
    if total <= 0 or not np.isfinite(total):
        raise EventFileError(
            f"{sample.sums[0].file}: the event weights ({nominal.name}) sum to {total:g} and cannot be normalised to "
            f"{section:g} pb. Another weight can be named with import.nominal_weight"
        )
    notes.facts["normalisation"] = f"all weights ({nominal.name}) sum to {section:.10g} pb, {where}"
    return section / total


def _stated_cross_section(sample: _Sample, notes: Notes) -> float:
    stated: list[tuple[float, WeightSums]] = []
    for one, value in zip(sample.sums, sample.cross_sections, strict=True):
        if not one.events:
            continue
        if value is None:
            raise EventFileError(
                f"{one.file} states no cross section (Event.CrossSection): give import.cross_section in pb"
            )
        stated.append((plausible_cross_section(value, "Event.CrossSection of the last event", one.file), one))
    check_one_sample([(value, one.file) for value, one in stated], notes)
    return sum(value * one.events for value, one in stated) / sum(one.events for _, one in stated)


class _Reader:
    """Makes tables of the store from the events of files whose weights are understood."""

    def __init__(
        self,
        solver: CoefficientSolver,
        factor: float,
        sample: _Sample,
        nominal: Nominal,
        extra: Mapping[str, int],
        left_out: frozenset[int],
    ) -> None:
        self.solver = solver
        self.config = solver.config
        self.factor = factor
        self.sample = sample
        self.nominal = nominal
        self.extra = extra
        self.left_out = left_out
        self.bits = TagBits(self.config.btag.bit)
        self.energy = EnergyCheck(solver.process.collider_energy)

    def tables(self) -> Iterator[pa.Table]:
        """Read the files one after another."""
        numbering, names = self.sample.numbering, self.sample.names
        for batch, ids in read_sample(numbering, "Delphes", names, self.config.batch_size, self.left_out):
            yield self._table(batch, ids)
        self.bits.finish(self.sample.names["jet_btag"], self.solver.notes)
        self.energy.finish(self.solver.notes)

    def _table(self, batch: Batch, ids: np.ndarray) -> pa.Table:
        size = 0 if self.sample.weights is None else self.sample.weights.size or 0
        vectors = np.zeros((len(batch), 0)) if size == 0 else batch.matrix("weights", size, finite=False)
        finite_columns(batch, "weights", vectors, list(self.extra.values()))
        nominal = self.factor * self.nominal.values(batch, vectors)
        values = vectors[:, [int(name) for name in self.solver.names]]
        coefficients = self.solver.solve(nominal, values, self.factor, ids)
        columns: dict[str, Any] = {
            "event_id": ids,
            "weight": nominal,
            "coefficients": fixed_lists(coefficients, pa.float64()),
        } | identity_columns(batch)
        columns |= {f"weight_{name}": self.factor * vectors[:, place] for name, place in self.extra.items()}
        record = generator_record(batch)
        info = self.solver.process
        products = record.decay_products(info.decay_tree)
        check_products(batch, record, products)
        partons = hard_partons(record, info, self.config, batch.where)
        process = hard_process_columns(batch, self.solver.notes)
        if self.config.parton_copy == "first":
            self.energy.add(process, partons.momenta)
        events = detector_events(batch, record, self.config, self.bits)
        columns |= truth_columns(record, products, partons) | process
        return pa.table(columns | reconstructed_columns(events, products, self.config))
