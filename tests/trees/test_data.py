import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from partonic.errors import EventFileError, TrainingError
from partonic.trees.data import BATCH, ArrayData, ParquetData, TreeData

RNG = np.random.default_rng(8)


def read(data):
    batches = list(data.batches())
    assert sum(len(batch.features) for batch in batches) == len(data)
    return [np.concatenate(parts) for parts in zip(*[(b.features, b.coefficients) for b in batches], strict=True)]


def test_arrays_come_in_batches():
    features, c = RNG.random((BATCH + 10, 2), dtype=np.float32), RNG.random((BATCH + 10, 3))
    data = ArrayData(features, c, ["a", "b"], np.arange(BATCH + 10) // 2)
    assert isinstance(data, TreeData)
    assert len(list(data.batches())) == 2
    for found, expected in zip(read(data), (features, c), strict=True):
        np.testing.assert_array_equal(found, expected)
    assert next(data.batches()).groups.tolist()[:4] == [0, 0, 1, 1]


def test_arrays_need_the_same_length():
    with pytest.raises(TrainingError, match="got 4, 5 rows"):
        ArrayData(RNG.random((4, 2)), RNG.random((5, 2)), ["a", "b"])
    with pytest.raises(TrainingError, match="got 4, 4, 3 rows"):
        ArrayData(RNG.random((4, 2)), RNG.random((4, 2)), ["a", "b"], np.arange(3))


@pytest.fixture
def parquet(tmp_path):
    columns = {
        "pt": [1.0, 2.0, None], "jets": [4, 5, 6], "event": [7, 7, 8], "name": ["x", "y", "z"],
        "coefficients": [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], "c0": [1.0, 2.0, 3.0], "c1": [0.5, 0.5, 0.1],
        "ragged": [[1.0, 2.0], [3.0], [4.0, 5.0, 6.0]],
    }  # fmt: skip
    path = tmp_path / "events.parquet"
    pq.write_table(pa.table(columns), path)
    return path


def test_columns_of_a_parquet_file(parquet):
    features, c = read(ParquetData(parquet, ["pt", "jets"], "coefficients", "event"))
    np.testing.assert_array_equal(features, [[1.0, 4.0], [2.0, 5.0], [np.nan, 6.0]])
    np.testing.assert_array_equal(c, [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    np.testing.assert_array_equal(read(ParquetData(parquet, ["pt"], ["c0", "c1"]))[1][:, 1], [0.5, 0.5, 0.1])
    assert next(ParquetData(parquet, ["pt"], "coefficients", "event").batches()).groups.tolist() == [7, 7, 8]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((["eta"], "coefficients"), "has no column eta; it has: pt, jets"),
        ((["name"], "coefficients"), "column name must hold numbers, it holds string"),
        ((["pt"], "ragged"), "lists in column ragged differ in length"),
        ((["pt"], "coefficients", "c1"), "column c1 must hold a whole number in each row"),
    ],
)
def test_columns_that_do_not_fit(parquet, arguments, message):
    with pytest.raises(EventFileError, match=message):
        read(ParquetData(parquet, *arguments))


def test_what_is_no_parquet_file(tmp_path):
    (tmp_path / "events.parquet").write_text("nothing")
    with pytest.raises(EventFileError, match="as a Parquet file"):
        ParquetData(tmp_path / "events.parquet", ["pt"], "c")
