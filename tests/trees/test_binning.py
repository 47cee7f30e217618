import numpy as np
import pytest

from partonic.errors import ModelError, NonFiniteError, TrainingError
from partonic.trees.binning import FeatureBins

RNG = np.random.default_rng(5)


def bins_of(column, weights=None, bins=255):
    values = np.asarray(column, dtype=float)[:, None]
    return FeatureBins.of_sample(["x"], values, np.ones(len(values)) if weights is None else weights, bins)


def test_each_of_few_values_has_an_interval():
    found = bins_of([3.0, 1.0, 1.0, 7.0, np.nan])
    np.testing.assert_array_equal(found.edges[0, : found.counts[0]], [2.0, 5.0])
    np.testing.assert_array_equal(found.encode(np.array([[1.0], [3.0], [100.0], [np.nan]]))[:, 0], [0, 1, 2, 255])


def test_intervals_hold_equal_weights():
    x = RNG.exponential(size=50_000)
    weights = np.where(x > 1.0, 5.0, 1.0) * RNG.choice([-1.0, 1.0], len(x), p=[0.1, 0.9])
    found = bins_of(x, weights, 20)
    assert found.counts[0] == 19
    held = np.bincount(found.encode(x[:, None])[:, 0], weights=np.abs(weights))
    np.testing.assert_allclose(held / held.sum(), 0.05, rtol=0.01)


def test_a_value_that_many_events_share_has_an_interval_of_its_own():
    x = np.concatenate([np.zeros(9_000), RNG.random(1_000) + 1.0])
    codes = bins_of(x, bins=10).encode(x[:, None])[:, 0]
    assert set(codes[:9000]) == {0}
    assert 0 not in codes[9000:]


def test_single_precision_gives_the_codes_of_its_values():
    x = RNG.normal(size=(20_000, 1)).astype(np.float32)
    found = FeatureBins.of_sample(["x"], x, np.ones(len(x)))
    np.testing.assert_array_equal(found.encode(x), found.encode(x.astype(np.float64)))
    assert len(np.unique(found.encode(x))) == 255


def test_neighbouring_numbers_are_told_apart():
    x = np.array([1.0, np.nextafter(1.0, 2.0)])
    np.testing.assert_array_equal(bins_of(x).encode(x[:, None])[:, 0], [0, 1])


def test_events_without_weight_do_not_break_the_intervals():
    assert bins_of(np.arange(1000.0), np.zeros(1000), 10).counts[0] == 9


def test_whether_a_value_is_missing_can_be_all_that_is_known():
    found = bins_of([2.0, np.nan, 2.0])
    assert found.counts[0] == 0
    np.testing.assert_array_equal(found.encode(np.array([[2.0], [np.nan]]))[:, 0], [0, 255])


@pytest.mark.parametrize(
    ("column", "message"),
    [
        ([2.5, 2.5, 2.5], r"feature 'x' is 2\.5 in all events.*leave it out"),
        ([np.nan, np.nan], r"feature 'x' is missing \(NaN\) in all events.*leave it out"),
    ],
)
def test_a_feature_that_says_nothing_is_refused(column, message):
    with pytest.raises(TrainingError, match=message):
        bins_of(column)


def test_infinite_features_are_refused():
    with pytest.raises(NonFiniteError, match="feature 'x' is infinite"):
        bins_of([1.0, np.inf])
    with pytest.raises(NonFiniteError, match="feature 'x' is infinite"):
        bins_of([1.0, 2.0]).encode(np.array([[1.0], [-np.inf]]))


def test_other_features_are_refused():
    features = RNG.random((10, 2))
    found = FeatureBins.of_sample(["pt", "eta"], features, np.ones(10))
    found.check_names(["pt", "eta"])
    with pytest.raises(ModelError, match=r"another order.*give pt, eta"):
        found.check_names(["eta", "pt"])
    with pytest.raises(ModelError, match=r"missing: eta; not known: phi"):
        found.check_names(["pt", "phi"])
    with pytest.raises(ModelError, match=r"expected features \(events, 2\)"):
        found.encode(features[:, :1])


def test_names_must_fit():
    with pytest.raises(TrainingError, match="got 1 names for 2 columns"):
        FeatureBins.of_sample(["a"], RNG.random((4, 2)), np.ones(4))
    with pytest.raises(TrainingError, match="listed twice: a"):
        FeatureBins.of_sample(["a", "a"], RNG.random((4, 2)), np.ones(4))
