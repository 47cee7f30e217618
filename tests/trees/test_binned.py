import numpy as np
import pytest
from tests.trees.tree_toys import LINEAR, QUADRATIC, few, smeared_gaussian

from partonic.errors import TrainingError
from partonic.trees.binned import prepare, resampled
from partonic.trees.data import ArrayData
from partonic.trees.engine import Threads


def rng(seed=1):
    return np.random.default_rng(seed)


def test_codes_and_residuals_are_those_of_the_events():
    data, x = smeared_gaussian(3_000, rng())
    events = prepare(data, QUADRATIC, few(), rng(2))
    np.testing.assert_array_equal(events.codes[:, 0], events.bins.encode(np.column_stack([x, x]))[:, 0])
    c = next(data.batches()).coefficients
    np.testing.assert_array_equal(events.statistics, events.scaling.statistics(c))
    np.testing.assert_array_equal(events.train, np.arange(3_000))
    assert len(events.held_out) == 0
    assert not events.codes.flags.writeable


def test_on_disk_as_in_memory_and_with_threads(tmp_path):
    data, _ = smeared_gaussian(150_000, rng())
    memory = prepare(data, QUADRATIC, few(held_out=0.3), rng(2))
    with Threads(2) as threads:
        disk = prepare(data, QUADRATIC, few(held_out=0.3), rng(2), tmp_path, threads)
    assert isinstance(disk.codes, np.memmap)
    assert (tmp_path / "codes.npy").is_file()
    assert disk.digest() == memory.digest()


def test_groups_stay_together():
    data, x = smeared_gaussian(40_000, rng())
    batch = next(data.batches())
    groups = rng(5).integers(0, 4_000, 40_000)
    events = prepare(
        ArrayData(batch.features, batch.coefficients, data.names, groups), QUADRATIC, few(held_out=0.25), rng(3)
    )
    assert set(groups[events.train]).isdisjoint(groups[events.held_out])
    share = len(set(groups[events.held_out])) / len(set(groups))
    assert abs(share - 0.25) < 4 * np.sqrt(0.25 * 0.75 / 4_000)
    assert len(events.train) + len(events.held_out) == len(x)


def test_another_seed_holds_out_other_events():
    data, _ = smeared_gaussian(5_000, rng())
    held = [set(prepare(data, QUADRATIC, few(held_out=0.5), rng(seed)).held_out) for seed in (1, 1, 2)]
    assert held[0] == held[1]
    assert 1_000 < len(held[0] & held[2]) < 1_500


def test_a_sample_places_the_edges():
    data, _ = smeared_gaussian(50_000, rng())
    whole = prepare(data, QUADRATIC, few(bins=16), rng(2)).bins.edges
    part = prepare(data, QUADRATIC, few(bins=16, bin_sample=5_000), rng(2)).bins.edges
    np.testing.assert_allclose(part, whole, atol=0.25)
    assert (part != whole).any()


def test_intervals_are_finer_where_ratios_vary():
    """By weight alone the 1% of events with large ratios would share one of 50 intervals."""
    x = np.linspace(0.0, 1.0, 20_000)
    ratio = np.where(x > 0.99, 40.0 * (x - 0.99), 0.0)
    data = ArrayData(x[:, None], np.column_stack([np.ones(len(x)), ratio]), ["x"])
    edges = prepare(data, LINEAR, few(bins=50), rng()).bins.edges[0]
    assert np.sum(edges > 0.99) >= 20
    assert np.sum((edges > 0) & (edges < 0.99)) >= 20


def test_units_of_weights_do_not_matter():
    data, _ = smeared_gaussian(2_000, rng())
    batch = next(data.batches())
    found = [
        prepare(ArrayData(batch.features, scale * batch.coefficients, data.names), QUADRATIC, few(), rng(2)).statistics
        for scale in (1.0, 2.0**-90)
    ]
    np.testing.assert_array_equal(*found)


class Shrinking(ArrayData):
    def __len__(self):
        return super().__len__() + 1


def test_shapes_that_do_not_fit():
    features, c = rng().random((400, 2)), rng().random((400, 2))
    with pytest.raises(TrainingError, match=r"expected features \(n, 3\)"):
        prepare(ArrayData(features, c, ["a", "b", "c"]), LINEAR, few(), rng())
    with pytest.raises(TrainingError, match="one coefficient each"):
        prepare(ArrayData(features, c[:, :1], ["a", "b"]), LINEAR, few(), rng())
    with pytest.raises(TrainingError, match="got 0"):
        prepare(ArrayData(features[:0], c[:0], ["a", "b"]), LINEAR, few(), rng())
    with pytest.raises(TrainingError, match="401 events were announced, 400 came"):
        prepare(Shrinking(features, c, ["a", "b"]), LINEAR, few(), rng())


def test_one_group_cannot_be_divided():
    data = ArrayData(rng().random((400, 1)), rng().random((400, 2)), ["a"], np.zeros(400, dtype=int))
    with pytest.raises(TrainingError, match=r"held_out 0\.2 leaves \d+ events for the training and \d+ held out"):
        prepare(data, LINEAR, few(held_out=0.2), rng())


def test_events_may_say_themselves_which_are_held_out():
    data, _ = smeared_gaussian(1_000, rng())
    batch = next(data.batches())
    held = np.arange(1_000) % 3 == 0
    given = ArrayData(batch.features, batch.coefficients, data.names, held_out=held)
    np.testing.assert_array_equal(prepare(given, QUADRATIC, few(), rng()).held_out, np.flatnonzero(held))
    with pytest.raises(TrainingError, match=r"set settings\.held_out to 0, got 0\.2"):
        prepare(given, QUADRATIC, few(held_out=0.2), rng())
    with pytest.raises(TrainingError, match="leaves 0 events for the training"):
        prepare(
            ArrayData(batch.features, batch.coefficients, data.names, held_out=np.ones(1_000, bool)),
            QUADRATIC,
            few(),
            rng(),
        )


def test_a_bootstrap_sample_counts_events_several_times():
    data, _ = smeared_gaussian(2_000, rng())
    events = prepare(data, QUADRATIC, few(held_out=0.3), rng(2))
    counts = rng(3).poisson(1.0, 2_000)
    found = resampled(events, counts)
    factor = np.where(np.isin(np.arange(2_000), events.train), counts, 1)
    np.testing.assert_allclose(found.statistics, events.statistics * factor[:, None], rtol=1e-6)
    assert found.sums[0].effective == pytest.approx(counts[events.train].sum() ** 2 / (counts[events.train] ** 2).sum())
    assert found.sums[1] is events.sums[1]
    with pytest.raises(TrainingError, match="resampled weights of"):
        resampled(events, np.zeros(2_000, dtype=int))
