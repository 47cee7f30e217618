"""CMS NanoAOD: jets, leptons, missing momentum, generator partons and weights of collisions and simulated events.

Simulated events are normalised with the sum of generator weights: of the `Runs` tree (all events that were generated,
also when the file is a skim), or of the events themselves where there is none. `LHEReweightingWeight`,
`LHEScaleWeight`, `LHEPdfWeight` and `PSWeight` are relative to the nominal weight.
"""

import re
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
from partonic.events.readers.hard_process import hard_process_columns
from partonic.events.readers.nanoaod_branches import (
    NEEDED,
    NEEDED_SIMULATED,
    OPTIONAL_SIMULATED,
    WEIGHTS,
    known_branches,
)
from partonic.events.readers.nanoaod_events import detector_events, hard_partons
from partonic.events.readers.numbering import Numbering
from partonic.events.readers.reconstruction import reconstructed_columns, truth_columns
from partonic.events.readers.root_file import Batch, Branches, opened_tree, read_steps, resolved
from partonic.events.readers.source import EventSource, fixed_lists, imported_process, kept_weights, source_metadata
from partonic.events.readers.theta_solver import CoefficientSolver
from partonic.events.schema import ProcessInfo

__all__ = ["read_nanoaod"]

_TITLE = re.compile(r"\[(\d+)\] is ([^;]+);")
_THETA = "theta_weights"


def read_nanoaod(config: ImportConfig, process: ProcessInfo, left_out: frozenset[int] = frozenset()) -> EventSource:
    """Read NanoAOD files into the columns of the store.

    Args:
        config: the section `import`: files, cross section, b-tag working point, object cuts, selection, ...
        process: process of the analysis.
        left_out: numbers of events in the sample that are treated as if they were not in the files.

    Raises:
        EventFileError: if a file is missing, damaged, or lacks a branch that is needed, or its weights do not give the
            coefficients. Faults of single events are raised while the tables are read.
        ConfigError: if `branches` names a quantity that there is not.
    """
    info = imported_process(config, process)
    files = [Path(file) for file in sample_files(config)]
    surveys = [_survey(path, config) for path in files]
    num_events = sum(survey.events for survey in surveys)
    sizes, texts = surveys[0].sizes, surveys[0].texts
    descriptions = {str(index): texts.get(_THETA, {}).get(index, "") for index in range(sizes.get(_THETA, 0))}
    numbering = Numbering(files, [survey.events for survey in surveys])
    where = str(files[0])
    solver = CoefficientSolver.of(config, info, descriptions, where, numbering=numbering, relative=True)
    extra = _extra_weights(config, sizes, solver)
    factor, facts = _normalisation(surveys, config, str(files[0]))
    facts["weight_texts"] = {
        name: texts[quantity][index] for name, (quantity, index) in extra.items() if index in texts[quantity]
    }
    generated = sum(survey.generated for survey in surveys)
    metadata = source_metadata(config, info, list(extra), generated, facts, files=files)
    reader = _Reader(solver, factor, sizes, extra)
    return solver.source(metadata, reader.tables(files), num_events, cut_names(config.selection, config.jets))


class _Reader:
    """Makes tables of the store from the events of files whose weights are understood."""

    def __init__(
        self,
        solver: CoefficientSolver,
        factor: float,
        sizes: Mapping[str, int],
        extra: Mapping[str, tuple[str, int]],
    ) -> None:
        self.solver = solver
        self.config = solver.config
        self.factor = factor
        self.sizes = sizes
        self.extra = extra

    def tables(self, files: list[Path]) -> Iterator[pa.Table]:
        """Read the files one after another."""
        first_id = 0
        for path in files:
            with opened_tree(path, "Events") as (_, tree):
                branches = _branches(path, tree, self.config)
                for batch in read_steps(tree, branches, self.config.batch_size):
                    yield self._table(batch, first_id)
                    first_id += len(batch)

    def _table(self, batch: Batch, first_id: int) -> pa.Table:
        ids = np.arange(first_id, first_id + len(batch))
        columns: dict[str, Any] = {"event_id": ids} | self._weights(batch, ids)
        any_final_state = self.config.parton_source == "LHEPart" and not self.solver.process.parton_pdg
        events = detector_events(batch, self.config, any_final_state)
        products = None
        if events.record is not None:
            products = events.record.all_products() if any_final_state else events.record.decay_products()
            partons = hard_partons(batch, events.record, self.solver.process.parton_pdg, self.config)
            columns |= truth_columns(events.record, products, partons) | hard_process_columns(batch)
        return pa.table(columns | reconstructed_columns(events, products, self.config))

    def _weights(self, batch: Batch, ids: np.ndarray) -> dict[str, Any]:
        nominal = np.ones(len(batch))
        vectors = {}
        if not self.config.data:
            nominal = self.factor * batch.scalar("generator_weight").astype(np.float64)
            vectors = {name: batch.matrix(name, size) for name, size in self.sizes.items()}
        indices = [int(name) for name in self.solver.names]
        values = vectors[_THETA][:, indices] if indices else np.zeros((len(batch), 0))
        coefficients = self.solver.solve(nominal, values, self.factor, ids)
        columns: dict[str, Any] = {"weight": nominal, "coefficients": fixed_lists(coefficients, pa.float64())}
        for name, (quantity, index) in self.extra.items():
            columns[f"weight_{name}"] = nominal * vectors[quantity][:, index]
        return columns


def _branches(path: Path, tree: Any, config: ImportConfig) -> Branches:
    needed = dict(NEEDED) if config.data else {**NEEDED, **NEEDED_SIMULATED}
    optional = {} if config.data else dict(OPTIONAL_SIMULATED)
    known = known_branches(config, needed, optional)
    if unknown := sorted(set(config.branches) - set(known[0]) - set(known[1]) - {"met"}):
        quantities = ", ".join(sorted({*known[0], *known[1], "met"}))
        raise ConfigError(
            f"import.branches names {', '.join(unknown)}, but the quantities of NanoAOD are: {quantities}"
        )
    return resolved(path, tree.keys(), *known)


@dataclass(frozen=True)
class _Survey:
    """What a first look at a file finds.

    Attributes:
        events: number of events in it.
        generated: number of events generated for it, more than `events` for a skim.
        sum_of_weights: of all generated events.
        complete: whether that sum comes from the `Runs` tree.
        sizes: lengths of the weight vectors.
        texts: what their titles say of each weight.
    """

    events: int
    generated: int
    sum_of_weights: float
    complete: bool
    sizes: Mapping[str, int]
    texts: Mapping[str, Mapping[int, str]]


def _survey(path: Path, config: ImportConfig) -> _Survey:
    with opened_tree(path, "Events") as (file, tree):
        branches = _branches(path, tree, config)
        count = int(tree.num_entries)
        if config.data:
            return _Survey(count, count, float(count), False, {}, {})
        sizes, texts = _weight_vectors(tree, branches)
        runs = file.get("Runs")
        if runs is not None and "genEventSumw" in runs:
            total = float(np.sum(runs["genEventSumw"].array(library="np")))
            generated = int(np.sum(runs["genEventCount"].array(library="np"))) if "genEventCount" in runs else count
            return _Survey(count, generated, total, True, sizes, texts)
        only = Branches(path, {"generator_weight": branches.names["generator_weight"]})
        sums = [batch.scalar("generator_weight").sum(dtype=np.float64) for batch in read_steps(tree, only, 1_000_000)]
        return _Survey(count, count, float(sum(sums)), False, sizes, texts)


def _weight_vectors(tree: Any, branches: Branches) -> tuple[dict[str, int], dict[str, dict[int, str]]]:
    """Return the lengths of the weight vectors in the first event, and what their titles say of each weight."""
    there = {quantity: branches.names[quantity] for quantity in WEIGHTS if quantity in branches}
    batch = next(read_steps(tree, Branches(branches.path, there), 1), None) if there else None
    sizes = {quantity: 0 if batch is None else int(batch.counts(quantity)[0]) for quantity in there}
    texts = {
        quantity: {int(index): text.strip() for index, text in _TITLE.findall(getattr(tree[branch], "title", ""))}
        for quantity, branch in there.items()
    }
    return sizes, texts


def _extra_weights(
    config: ImportConfig, sizes: Mapping[str, int], solver: CoefficientSolver
) -> dict[str, tuple[str, int]]:
    """Return the column names of the weights that stay, with their vector and index in it."""
    names = {
        f"{WEIGHTS[quantity]}_{index}": (quantity, index)
        for quantity, size in sizes.items()
        for index in range(size)
        if quantity != _THETA or str(index) not in solver.names
    }
    kept = kept_weights(config, list(names))
    return {name: names[name] for name in kept}


def _normalisation(surveys: Sequence[_Survey], config: ImportConfig, where: str) -> tuple[float, dict[str, Any]]:
    """Return the factor from generator weights to pb, and how it came about."""
    if config.data or config.cross_section is None:
        return 1.0, {"normalisation": "every event has weight 1"}
    total = sum(survey.sum_of_weights for survey in surveys)
    if total == 0 or not np.isfinite(total):
        raise EventFileError(f"{where}: the generator weights sum to {total} and cannot be normalised")
    source = "the Runs tree" if all(survey.complete for survey in surveys) else "the events"
    return config.cross_section / total, {
        "normalisation": f"the generator weights, of sum {total} in {source}, are scaled to {config.cross_section} pb",
        "sum_of_weights": total,
    }
