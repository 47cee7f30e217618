"""What every reader gives, and what all readers share: the stated process, θ points and extra weights."""

import fnmatch
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from partonic.config.document import YamlDocument, read_document
from partonic.config.importing import ImportConfig
from partonic.errors import ConfigError
from partonic.events.readers.equal_particles import RULE, is_ambiguous
from partonic.events.readers.files import EventFile, short_name
from partonic.events.readers.notes import Notes
from partonic.events.readers.wild_weights import WildEvents
from partonic.events.schema import ProcessInfo, StoreMetadata
from partonic.provenance import package_versions

__all__ = [
    "NOMINAL",
    "EventSource",
    "fixed_lists",
    "imported_process",
    "kept_weights",
    "source_metadata",
    "stated_points",
]

Array = NDArray[np.float64]

_NAMES = {1: "d", 2: "u", 3: "s", 4: "c", 5: "b", 6: "t", 11: "e-", 13: "mu-", 15: "tau-", 12: "nu_e", 14: "nu_mu",
          16: "nu_tau", 21: "g", 22: "gamma", 23: "Z", 24: "W+", 25: "H"}  # fmt: skip
NOMINAL = "nominal weight"
"""Name of the nominal weight among those at θ points."""

_CHARGED_ANTI = {-11: "e+", -13: "mu+", -15: "tau+", -24: "W-"}


@dataclass(frozen=True)
class EventSource:
    """Events of a file in the columns of the store, read when iterated.

    Attributes:
        metadata: metadata of a store of these events; the cut flow and the cross section are still empty.
        tables: the events, some thousand at a time, in the order of the file.
        num_events: number of events.
        notes: facts and warnings, filled while the tables are read.
        wild: events whose weights make no sense, filled while the tables are read.
        points: θ points of the weights of the events, `(B, K)`.
        cuts: names of the cuts whose index the column `cut` holds.
        finish: called after the last table; checks and notes what is known only then.
    """

    metadata: StoreMetadata
    tables: Iterator[pa.Table]
    num_events: int
    notes: Notes
    wild: WildEvents
    points: Array
    cuts: tuple[str, ...] = ()
    finish: Callable[[], None] = lambda: None


def imported_process(config: ImportConfig, process: ProcessInfo) -> ProcessInfo:
    """Return the process of the imported events: name and partons may differ from those of the analysis."""
    info = process if config.sample is None else replace(process, name=config.sample)
    if config.partons is None:
        return info
    names = tuple(_parton_name(pdg) for pdg in config.partons)
    return info.with_partons(names, config.partons)


def _parton_name(pdg: int) -> str:
    if pdg in _CHARGED_ANTI:
        return _CHARGED_ANTI[pdg]
    name = _NAMES.get(abs(pdg), f"pdg{abs(pdg)}")
    return name if pdg > 0 else f"{name}bar"


def stated_points(config: ImportConfig) -> Mapping[str, Mapping[str, float]]:
    """Return the θ points of the weights that the user states, from the section or from its file.

    Raises:
        ConfigError: if the file cannot be read, is not a mapping from weight ids to θ, or gives a weight twice.
    """
    path = config.weight_points_file
    if path is None:
        return config.weight_points
    document = read_document(path, "weight ids to θ points, such as `rwgt_1: {c_tG: 0.5}`")
    points: dict[str, dict[str, float]] = {}
    for name in document.content:
        if str(name) in points:  # the number 1 and the text "1" are two keys of YAML, but one weight
            raise ConfigError(f"{path}:{document.line((name,))}: the weight '{name}' is given twice")
        points[str(name)] = _point(document, name)
    return points


def _point(document: YamlDocument, name: str | int) -> dict[str, float]:
    point = document.content[name]
    numbers = isinstance(point, dict) and all(
        isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        for value in point.values()
    )
    if not isinstance(point, dict) or not numbers:
        raise ConfigError(
            f"{document.path}:{document.line((name,))}: weight '{name}': expected a θ point of finite numbers, such as "
            f"`{{c_tG: 0.5}}`, got {point!r}"
        )
    return {str(key): float(value) for key, value in point.items()}


def kept_weights(config: ImportConfig, names: Sequence[str]) -> list[str]:
    """Return those of the extra weights that a pattern of `extra_weights` matches, in their order."""
    return [name for name in names if any(fnmatch.fnmatchcase(name, pattern) for pattern in config.extra_weights)]


def source_metadata(
    config: ImportConfig,
    process: ProcessInfo,
    weight_names: Sequence[str],
    num_events: int,
    facts: Mapping[str, object],
    *,
    files: Sequence[EventFile],
    identity: bool = False,
    photons: bool = False,
) -> StoreMetadata:
    """Return the metadata of a store of imported events.

    Args:
        config: the section `import`.
        process: process of the events.
        weight_names: extra weights that are kept.
        num_events: number of generated events.
        facts: known before the events are read.
        files: the files of the sample.
        identity: whether the events have run, luminosity block and event number.
        photons: whether they have reconstructed photons.
    """
    names = ", ".join(short_name(file) for file in files)
    return StoreMetadata.for_process(
        process,
        weight_names=tuple(weight_names),
        theta=config.theta,
        n_generated=num_events,
        config={"import": config.model_dump(mode="json")},
        versions=package_versions(),
        source=f"{config.format}: {names}",
        facts=dict(facts) | _assignment(process),
        identity=identity,
        photons=photons,
    )


def _assignment(process: ProcessInfo) -> dict[str, object]:
    """Return how equal particles were given to the slots, for a process in which that is a question."""
    asked = any(is_ambiguous(state, process.decay_tree) for state in process.final_states)
    return {"equal_particles": RULE} if asked else {}


def fixed_lists(values: NDArray[np.generic], kind: pa.DataType) -> pa.FixedSizeListArray:
    """Return an array `(N, length)` as Arrow lists of fixed length."""
    flat = pa.array(np.ascontiguousarray(values).reshape(-1), kind)
    if values.shape[1] == 0:
        return pa.nulls(len(values), pa.list_(kind, 0))
    return pa.FixedSizeListArray.from_arrays(flat, values.shape[1])
