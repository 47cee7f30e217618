import numpy as np
import pyarrow as pa

from partonic.events.row_digests import row_digests


def table():
    return pa.table(
        {
            "x": pa.array([1.0, 1.0, None, 2.0, 1.0], pa.float32()),
            "n": pa.array([1, 1, 1, 1, 1], pa.int8()),
            "many": pa.array([[1.5, 2.5], [2.5, 1.5], None, [], [1.5, 2.5]], pa.list_(pa.float64())),
            "flags": pa.array([[True], [True], [False], [True], [True]], pa.list_(pa.bool_())),
            "fixed": pa.array([[1, 2], [1, 2], None, [1, 2], [1, 2]], pa.list_(pa.int64(), 2)),
        }
    )


NAMES = ("x", "n", "many", "flags", "fixed")


def test_equal_rows_and_only_these():
    digests, floats = row_digests(table(), NAMES)
    assert digests[0] == digests[4]
    assert len(set(digests.tolist())) == 4
    assert floats.tolist() == [3, 3, 0, 1, 3]


def test_a_digest_does_not_depend_on_the_other_rows():
    whole, _ = row_digests(table(), NAMES)
    parts = np.concatenate([row_digests(table().slice(start, 2), NAMES)[0] for start in (0, 2, 4)])
    assert np.array_equal(whole, parts)


def test_where_a_value_stands_counts():
    first = pa.table({"a": [[1.0], [1.0]], "b": [[2.0, 3.0], [2.0]]})
    second = pa.table({"a": [[1.0, 2.0], [2.0]], "b": [[3.0], [1.0]]})
    digests = [int(each) for found in (first, second) for each in row_digests(found, ("a", "b"))[0]]
    assert len(set(digests)) == 4
    assert np.array_equal(row_digests(first, ("a", "none"))[0], row_digests(first, ("a",))[0])


def test_digests_of_many_rows_are_spread(rng):
    digests, _ = row_digests(pa.table({"k": np.arange(200_000)}), ("k",))
    assert len(np.unique(digests)) == 200_000
    bits = (digests[:, None] >> np.arange(64, dtype=np.uint64)) & np.uint64(1)
    assert np.abs(bits.mean(axis=0) - 0.5).max() < 5 * 0.5 / np.sqrt(200_000)
