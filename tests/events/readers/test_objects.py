import numpy as np
import pyarrow as pa
import pytest

from partonic.events.readers.objects import Objects, azimuth, delta_r, joined, matched, nearest, pairs


def objects(*events):
    """Objects from (pt, eta, phi) of each event."""
    rows = np.array([row for event in events for row in event], dtype=np.float64).reshape(-1, 3)
    return Objects(np.array([len(event) for event in events]), dict(zip(("pt", "eta", "phi"), rows.T, strict=True)))


FIRST = objects([(50, 0, 0), (80, 1, 1)], [], [(20, 0, 3.1), (40, 0, -3.1), (30, 2, 0)])
SECOND = objects([(1, 1, 1.1)], [(2, 0, 0)], [(3, 0, -3.14), (4, 0, 3.0)])


def test_selection_keeps_the_events():
    kept = FIRST.select(FIRST["pt"] > 35)
    assert kept.counts.tolist() == [2, 0, 1]
    assert kept["pt"].tolist() == [50, 80, 40]
    assert FIRST.count(FIRST["eta"] > 0.5).tolist() == [1, 0, 1]


def test_order_in_pt():
    assert FIRST.by_pt()["pt"].tolist() == [80, 50, 40, 30, 20]
    assert FIRST.by_pt(most=1)["pt"].tolist() == [80, 40]
    assert FIRST.by_pt(most=1).counts.tolist() == [1, 0, 1]


def test_pairs_are_within_events():
    left, right = pairs(FIRST, SECOND)
    assert left.tolist() == [0, 1, 2, 2, 3, 3, 4, 4]
    assert right.tolist() == [0, 0, 2, 3, 2, 3, 2, 3]
    expected = [np.hypot(1, 1.1), 0.1, 2 * np.pi - 6.24, 0.1, 0.04, 2 * np.pi - 6.1, np.hypot(2, 3.14), np.hypot(2, 3)]
    assert np.allclose(delta_r(FIRST, SECOND, (left, right)), expected)


def test_nearest():
    row, distance = nearest(FIRST, SECOND, 0.4)
    assert row.tolist() == [-1, 0, 2, 2, -1]
    assert np.allclose(distance, [np.hypot(1, 1.1), 0.1, 2 * np.pi - 6.24, 0.04, np.hypot(2, 3)])
    row, distance = nearest(FIRST, objects([], [], []), 0.4)
    assert row.tolist() == [-1] * 5
    assert np.isinf(distance).all()


def test_each_object_is_matched_once_nearest_first():
    assert matched(FIRST, SECOND, 0.4).tolist() == [-1, 0, 3, 2, -1]
    assert matched(FIRST, SECOND, 0.05).tolist() == [-1, -1, -1, 2, -1]


def test_matching_is_symmetric(rng):
    """A loop over all pairs of each event, the nearest first, gives the same."""
    first, second = (
        objects(*[rng.uniform(-1, 1, (rng.integers(0, 6), 3)).tolist() for _ in range(30)]) for _ in range(2)
    )
    row = matched(first, second, 0.7)
    left, right = pairs(first, second)
    distance = delta_r(first, second, (left, right))
    forward = {(int(i), int(j)) for i, j in enumerate(row) if j >= 0}
    back = matched(second, first, 0.7)
    assert forward == {(int(j), int(i)) for i, j in enumerate(back) if j >= 0}
    for i, j, d in zip(left, right, distance, strict=True):
        if d < 0.7 and (i, j) not in forward:
            taken = [distance[(left == a) & (right == b)][0] for a, b in forward if a == i or b == j]
            assert min(taken) < d


def test_lists_and_joined_collections():
    kept = np.array([True, True, False])
    assert FIRST.lists("pt", pa.float32(), kept).to_pylist() == [[50, 80], [], None]
    both = joined(FIRST, SECOND)
    assert both.counts.tolist() == [3, 1, 5]
    assert both["pt"].tolist() == [50, 80, 1, 2, 20, 40, 30, 3, 4]
    assert FIRST.with_columns(x=np.arange(5))["x"].tolist() == [0, 1, 2, 3, 4]
    with pytest.raises(KeyError):
        FIRST["mass"]


def test_azimuths_are_in_one_turn_also_in_single_precision():
    pi = np.pi
    angles = np.array([0.0, 3.1, pi, -pi, np.float32(pi), -np.float32(pi), 2 * pi, -3.5, 9.0, np.nextafter(pi, 4)])
    for given in (angles, angles.astype(np.float32)):
        single = azimuth(given).astype(np.float32).astype(np.float64)
        assert (single > -pi).all()
        assert (single <= pi).all()
        assert np.allclose(np.cos(single), np.cos(given), atol=1e-6)
        assert np.allclose(np.sin(single), np.sin(given), atol=1e-6)
    inside = np.array([1.2345, -3.0, 3.14], dtype=np.float32)
    assert np.array_equal(azimuth(inside), inside)
