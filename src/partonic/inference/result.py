"""The result of an inference: one JSON file with all numbers, and one Parquet file with all curves.

Curves have one row a point: ``kind`` says which (``profile``, ``fixed``: other parameters at the best fit, ``total``:
with the errors of integration, rate, calibration and training, ``contour``, ``expected`` with the number of its θ in
``index``), ``x`` and ``y`` name the parameters, and ``q`` is 2 [log L(best) − log L]. Where the training of networks
has an error, ``integration_band`` and ``training_band`` have the standard errors of q along the profile as their ``q``.
"""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from partonic.files import atomic_output

__all__ = ["CURVES", "RESULT_FORMAT", "CurveTable", "plain"]

Array = NDArray[np.float64]

RESULT_FORMAT = 1
"""Version of the JSON and of the curves; raised by every change that an older reader would misread."""

CURVES = pa.schema(
    [
        pa.field("kind", pa.string()),
        pa.field("index", pa.int64()),
        pa.field("x", pa.string()),
        pa.field("y", pa.string()),
        pa.field("x_value", pa.float64()),
        pa.field("y_value", pa.float64()),
        pa.field("q", pa.float64()),
    ]
)
"""Columns of the curves; `y` and `y_value` are null for curves of one parameter."""


@dataclass
class CurveTable:
    """Curves, collected one after another."""

    _tables: list[pa.Table] = field(default_factory=list)

    def add(self, kind: str, name: str, values: Array, q: Array, index: int = 0) -> None:
        """Add q over one parameter, both `(M,)`."""
        self._append(kind, index, name, None, values, None, q)

    def add_contour(self, names: tuple[str, str], x: Array, y: Array, q: Array) -> None:
        """Add q `(M, N)` over two parameters, `(M,)` and `(N,)`."""
        grid_x, grid_y = np.meshgrid(x, y, indexing="ij")
        self._append("contour", 0, names[0], names[1], grid_x.reshape(-1), grid_y.reshape(-1), q.reshape(-1))

    def write(self, path: Path) -> None:
        """Write all of them, whole or not at all.

        Raises:
            OutputError: if the file cannot be written.
        """
        with atomic_output(path) as temporary:
            pq.write_table(pa.concat_tables([CURVES.empty_table(), *self._tables]), temporary)

    def _append(
        self, kind: str, index: int, x: str, y: str | None, x_values: Array, y_values: Array | None, q: Array
    ) -> None:
        n = len(x_values)
        columns = [
            pa.array([kind] * n, pa.string()),
            pa.array([index] * n, pa.int64()),
            pa.array([x] * n, pa.string()),
            pa.array([y] * n, pa.string()),
            pa.array(x_values, pa.float64()),
            pa.nulls(n, pa.float64()) if y_values is None else pa.array(y_values, pa.float64()),
            pa.array(q, pa.float64()),
        ]
        self._tables.append(pa.Table.from_arrays(columns, schema=CURVES))


def plain(value: Any) -> Any:
    """Return what JSON can hold: arrays as lists, dataclasses as mappings, NaN and infinities as null."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {each.name: plain(getattr(value, each.name)) for each in dataclasses.fields(value)}
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [plain(each) for each in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
