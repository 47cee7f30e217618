"""The likelihood of a result of `partonic infer`, built again from the files that the result names."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import ValidationError

from partonic.config.inference import InferenceConfig
from partonic.errors import EventFileError, InferenceError, SchemaError
from partonic.events.store import EventStore
from partonic.export.likelihood_document import best_point
from partonic.inference.data import Data, make_data
from partonic.inference.record import InferenceRecord, read_result
from partonic.inference.samples import Files, Loaded, load
from partonic.inference.sources import settings_for

__all__ = ["FittedLikelihood", "fitted_likelihood"]

_SAME = 1e-9
"""Relative difference of log L that rounding may bring."""


@dataclass(frozen=True)
class FittedLikelihood:
    """A result with the likelihood that it came from.

    Attributes:
        record: the result.
        loaded: coefficients, rates and simulated events.
        data: what was fitted.
        process: short name of the process; None without an event store.
    """

    record: InferenceRecord
    loaded: Loaded
    data: Data
    process: str | None


def fitted_likelihood(path: Path) -> FittedLikelihood:
    """Read a result and the files that it was made from, and check that they still give it.

    Args:
        path: ``result.json``, or the folder that holds it.

    Raises:
        EventFileError: if the result, or a file that it names, is missing or damaged.
        SchemaError: if it is no such result, or one that an older version wrote.
        InferenceError: if the files have changed since: log L at the best fit is another one.
    """
    record = read_result(path / "result.json" if path.is_dir() else path)
    config, files = _settings(record), _files(record)
    loaded = load(files, config, int(record.result["data"]["seed"]))
    data = make_data(loaded, config)
    _check_same(data, record)
    process = None if files.store is None else EventStore.open(files.store).metadata.process
    return FittedLikelihood(record, loaded, data, process)


def _settings(record: InferenceRecord) -> InferenceConfig:
    settings = {name: value for name, value in record.result["settings"].items() if name != "source"}
    try:
        return settings_for(str(record.result["source"]), settings)
    except (KeyError, ValidationError) as error:
        raise SchemaError(
            f"{record.path} has settings that this partonic does not know ({error}): run `partonic infer` again"
        ) from error


def _files(record: InferenceRecord) -> Files:
    found: dict[str, Any] = record.result.get("files", {})
    if missing := [name for name in ("store", "signal", "backgrounds", "components") if name not in found]:
        raise SchemaError(
            f"{record.path} does not name the files that it was made from (it lacks {', '.join(missing)}): run "
            "`partonic infer` again"
        )
    paths = {kind: {name: Path(each) for name, each in found[kind].items()} for kind in ("backgrounds", "components")}
    store, signal = (found[name] and Path(found[name]) for name in ("store", "signal"))
    named = [*filter(None, (store, signal)), *paths["backgrounds"].values(), *paths["components"].values()]
    if gone := [str(path) for path in named if not path.exists()]:
        raise EventFileError(
            f"{record.path} names {', '.join(gone)}, and there is no such file, seen from {Path.cwd()}: work in the "
            "folder in which the fit was made, or run `partonic infer` again"
        )
    return Files(store or None, signal or None, paths["backgrounds"], paths["components"])


def _check_same(data: Data, record: InferenceRecord) -> None:
    stated = float(record.result["log_likelihood"])
    found = float(data.likelihood(best_point(data.likelihood.mixture, record)))
    if not np.isclose(found, stated, rtol=_SAME, atol=_SAME):
        raise InferenceError(
            f"{record.path} states log L = {stated!r} at its best fit, but the files that it names give {found!r}: "
            "they have changed since the fit; run `partonic infer` again"
        )
