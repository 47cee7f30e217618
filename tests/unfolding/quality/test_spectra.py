import numpy as np
import pytest

from partonic.unfolding.quality.spectra import correlation, spectra


def test_outer_bins_hold_the_rest_and_shares_sum_to_one():
    found = spectra({"truth": np.array([-5.0, 0.5, 1.5, 99.0])}, (0.0, 1.0, 2.0))
    assert found.shares["truth"].tolist() == [0.5, 0.5]


def test_error_counts_events_and_not_samples(rng: np.random.Generator):
    centre = rng.normal(size=(2000, 1))
    narrow = spectra({"s": centre + 1e-9 * rng.normal(size=(2000, 30))}, (-1.0, 0.0, 1.0))
    single = spectra({"s": centre[:, 0]}, (-1.0, 0.0, 1.0))
    np.testing.assert_allclose(narrow.errors["s"], single.errors["s"], rtol=1e-6)
    np.testing.assert_allclose(single.errors["s"], np.sqrt(0.25 / 2000), rtol=0.01)
    independent = spectra({"s": rng.normal(size=(2000, 30))}, (-1.0, 0.0, 1.0))
    np.testing.assert_allclose(independent.errors["s"], np.sqrt(0.25 / 60_000), rtol=0.1)


def test_correlation_coefficient_is_pearsons(rng: np.random.Generator):
    x = rng.normal(0.0, 500.0, 5000)
    y = 0.8 * x + rng.normal(0.0, 300.0, 5000)
    found = correlation(x, y, tuple(range(-1000, 1001, 200)))
    assert found.coefficient == pytest.approx(np.corrcoef(x, y)[0, 1], rel=1e-9)
    assert found.coefficient == pytest.approx(0.8, abs=4 * found.error)
    assert found.counts.sum() == 5000
    # True value on the first axis.
    assert found.counts[-1].sum() == (x >= 800.0).sum()
