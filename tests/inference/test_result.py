import json
from dataclasses import dataclass

import numpy as np
import pyarrow.parquet as pq

from partonic.inference.result import CURVES, CurveTable, plain


@dataclass
class Inner:
    values: np.ndarray
    number: float


def test_plain_is_json():
    content = plain({1: Inner(np.array([1.0, np.nan]), np.inf), "b": (np.int64(3), np.bool_(True), None, "text")})
    assert json.loads(json.dumps(content, allow_nan=False)) == {
        "1": {"values": [1.0, None], "number": None}, "b": [3, True, None, "text"],
    }  # fmt: skip


def test_curves_are_rows(tmp_path):
    curves = CurveTable()
    curves.add("profile", "a", np.array([0.0, 1.0]), np.array([2.0, 3.0]), index=1)
    curves.add_contour(("a", "b"), np.array([0.0, 1.0]), np.array([5.0, 6.0, 7.0]), np.arange(6.0).reshape(2, 3))
    curves.write(tmp_path / "curves.parquet")
    table = pq.read_table(tmp_path / "curves.parquet")
    assert table.schema.equals(CURVES)
    rows = table.to_pylist()
    assert rows[1] == {"kind": "profile", "index": 1, "x": "a", "y": None, "x_value": 1.0, "y_value": None, "q": 3.0}
    assert rows[5] == {
        "kind": "contour", "index": 0, "x": "a", "y": "b", "x_value": 1.0, "y_value": 5.0, "q": 3.0,
    }  # fmt: skip


def test_no_curves(tmp_path):
    CurveTable().write(tmp_path / "curves.parquet")
    assert pq.read_table(tmp_path / "curves.parquet").num_rows == 0
