import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from partonic.errors import EventFileError, SchemaError
from partonic.inference.likelihood.intervals import Interval
from partonic.inference.record import read_result
from partonic.inference.result import RESULT_FORMAT, CurveTable, plain

X = np.linspace(-1.0, 1.0, 5)
INTERVAL = Interval("a", 0.68, ((-0.2, 0.1), (0.4, 0.5)), open_above=True)
RESULT = {
    "format": RESULT_FORMAT, "fitted": ["a", "b"], "data": {"truth": {"a": 0.5}}, "best_fit": {},
    "intervals": {"a": [INTERVAL, Interval("a", 0.68, ((-1.0, 1.0),), kind="total")]},
    "settings": {"levels": [0.68, 0.95]}, "coverage": [], "expected": [],
    "toys": {"a": {"intervals": [Interval("a", 0.68, ((-2.0, 2.0),), kind="toys")]}},
}  # fmt: skip


def written(folder: Path, **changes: object) -> Path:
    curves = CurveTable()
    curves.add("profile", "a", X, X**2)
    curves.add("expected", "a", X, 2 * X**2, index=1)
    curves.add_contour(("a", "b"), X, X[:3], X[:, None] + 10 * X[None, :3])
    curves.write(folder / "curves.parquet")
    (folder / "result.json").write_text(json.dumps(plain(RESULT | changes)))
    return folder / "result.json"


def test_numbers_and_curves_come_back(tmp_path: Path) -> None:
    record = read_result(written(tmp_path))
    assert record.fitted == ("a", "b")
    assert record.levels == (0.68, 0.95)
    assert (record.truth("a"), record.truth("b")) == (0.5, 0.0)
    assert record.intervals("a", "asymptotic") == (INTERVAL,)
    assert record.intervals("a", "total")[0].segments == ((-1.0, 1.0),)
    assert record.intervals("a", "toys")[0].length == 4.0
    np.testing.assert_allclose(record.curve("profile", "a")[1], X**2)
    np.testing.assert_allclose(record.curve("expected", "a", 1)[1], 2 * X**2)
    assert len(record.curve("expected", "a")[0]) == 0
    assert record.pairs() == (("a", "b"),)
    x, y, q = record.contour(("a", "b"))
    np.testing.assert_allclose(q, x[:, None] + 10 * y[None, :])


def test_real_data_have_no_truth(tmp_path: Path) -> None:
    assert read_result(written(tmp_path, data={"truth": None})).truth("a") is None


def test_results_that_cannot_be_read(tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    with pytest.raises(EventFileError, match="cannot read the result of the inference"):
        read_result(path)
    for content, error, message in (
        ("{", EventFileError, "is damaged"),
        ("[]", SchemaError, "must hold a JSON object, got a list"),
        ("{}", EventFileError, r"the curves .* are missing"),
    ):
        path.write_text(content)
        with pytest.raises(error, match=message):
            read_result(path)
    written(tmp_path, format=99)
    with pytest.raises(SchemaError, match="has format 99"):
        read_result(path)
    path.write_text("{}")
    with pytest.raises(SchemaError, match="it lacks format, fitted"):
        read_result(path)
    written(tmp_path)
    pq.write_table(pa.table({"x": [1.0]}), tmp_path / "curves.parquet")
    with pytest.raises(SchemaError, match="have the columns x, expected kind"):
        read_result(path)
    (tmp_path / "curves.parquet").write_text("no")
    with pytest.raises(EventFileError, match="is damaged"):
        read_result(path)
