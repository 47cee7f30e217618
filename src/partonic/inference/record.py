"""The result of an inference, read back: the numbers of ``result.json`` and the curves beside it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from partonic.errors import EventFileError, SchemaError
from partonic.inference.likelihood.intervals import Interval
from partonic.inference.result import CURVES, RESULT_FORMAT

__all__ = ["InferenceRecord", "interval_of", "read_result"]

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class InferenceRecord:
    """A result.

    Attributes:
        path: of ``result.json``.
        result: its content.
        curves: the table of curves.
    """

    path: Path
    result: Mapping[str, Any]
    curves: pa.Table = field(repr=False)

    @property
    def fitted(self) -> tuple[str, ...]:
        """Theory parameters that were fitted."""
        return tuple(self.result["fitted"])

    @property
    def levels(self) -> tuple[float, ...]:
        """Confidence levels."""
        return tuple(self.result["settings"]["levels"])

    def truth(self, name: str) -> float | None:
        """Return the true value of a theory parameter; None for real data."""
        truth = self.result["data"]["truth"]
        return None if truth is None else float(truth.get(name, 0.0))

    def standard_model(self, name: str) -> float:
        """Return the value of a theory parameter in the Standard Model, or of a curve at its nominal place."""
        return float(self.result.get("standard_model", {}).get(name, 0.0))

    def intervals(self, name: str, kind: str) -> tuple[Interval, ...]:
        """Return the intervals of a parameter of one kind (``"asymptotic"``, ``"total"``, ``"toys"``)."""
        toys = self.result["toys"].get(name, {"intervals": ()})["intervals"]
        found = toys if kind == "toys" else self.result["intervals"][name]
        return tuple(interval_of(each) for each in found if each["kind"] == kind)

    def curve(self, kind: str, name: str, index: int = 0) -> tuple[Array, Array]:
        """Return values of a parameter and q there, `(M,)` each; empty if there is no such curve."""
        rows = self._rows(kind, name, None, index)
        return _numbers(rows, "x_value"), _numbers(rows, "q")

    def pairs(self) -> tuple[tuple[str, str], ...]:
        """Return the pairs of parameters that were scanned together."""
        rows = self.curves.filter(pc.equal(self.curves["kind"], "contour"))
        return tuple(dict.fromkeys(zip(rows["x"].to_pylist(), rows["y"].to_pylist(), strict=True)))

    def contour(self, names: tuple[str, str]) -> tuple[Array, Array, Array]:
        """Return values of two parameters, `(M,)` and `(N,)`, and q over them, `(M, N)`."""
        rows = self._rows("contour", *names, 0)
        x, y = (np.unique(_numbers(rows, column)) for column in ("x_value", "y_value"))
        return x, y, _numbers(rows, "q").reshape(len(x), len(y))

    def _rows(self, kind: str, x: str, y: str | None, index: int) -> pa.Table:
        table = self.curves
        chosen = pc.and_(pc.equal(table["kind"], kind), pc.equal(table["x"], x))
        chosen = pc.and_(chosen, pc.equal(table["index"], index))
        return table.filter(pc.and_(chosen, pc.is_null(table["y"]) if y is None else pc.equal(table["y"], y)))


def read_result(path: Path) -> InferenceRecord:
    """Read what `partonic infer` wrote.

    Args:
        path: of ``result.json``; ``curves.parquet`` lies beside it.

    Raises:
        EventFileError: if a file is missing, damaged or truncated.
        SchemaError: if it is no such result, or of another format.
    """
    result, curves = _json(path), _parquet(path.with_name("curves.parquet"))
    needed = ("fitted", "data", "best_fit", "intervals", "settings", "toys", "coverage", "expected")
    if missing := [name for name in ("format", *needed) if name not in result]:
        raise SchemaError(f"{path} is no result of an inference: it lacks {', '.join(missing)}; run `partonic infer`")
    if result["format"] != RESULT_FORMAT:
        raise SchemaError(
            f"{path} has format {result['format']}, but this partonic reads format {RESULT_FORMAT}; run "
            "`partonic infer` again"
        )
    if not curves.schema.remove_metadata().equals(CURVES):
        raise SchemaError(f"the curves beside {path} have the columns {', '.join(curves.column_names)}, expected "
                          f"{', '.join(CURVES.names)}; run `partonic infer` again")  # fmt: skip
    return InferenceRecord(path, result, curves)


def interval_of(content: Mapping[str, Any]) -> Interval:
    """Return the interval that a result describes."""
    segments: Sequence[Sequence[float]] = content["segments"]
    return Interval(
        content["name"],
        content["level"],
        tuple((low, high) for low, high in segments),
        content["open_below"],
        content["open_above"],
        content["kind"],
        content.get("period"),
    )


def _json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise EventFileError(f"cannot read the result of the inference {path}: {error.strerror or error}") from error
    except ValueError as error:
        raise EventFileError(f"{path} is damaged: {error}; run `partonic infer` again") from error
    if not isinstance(content, dict):
        raise SchemaError(f"{path} must hold a JSON object, got a {type(content).__name__}; run `partonic infer`")
    return content


def _parquet(path: Path) -> pa.Table:
    try:
        return pq.read_table(path, use_threads=False)
    except FileNotFoundError as error:
        raise EventFileError(f"the curves {path} are missing; run `partonic infer` again") from error
    except (OSError, pa.ArrowException) as error:
        raise EventFileError(f"{path} is damaged: {error}; run `partonic infer` again") from error


def _numbers(rows: pa.Table, column: str) -> Array:
    return np.asarray(rows[column].to_numpy(), dtype=np.float64)
