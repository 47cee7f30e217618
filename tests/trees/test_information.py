import json

import numpy as np
import pytest

from partonic.trees.information import Information, InformationSums


def test_information_of_a_gaussian_shift():
    """Ratios (1, x) of x ~ N(0, 1) with weights of mean σ/n: I₁₁ = Lσ, and its error is that of the mean of x²."""
    rng = np.random.default_rng(1)
    x = rng.normal(size=40_000)
    w = np.full(len(x), 2.5 / len(x))
    ratios = np.column_stack([np.ones(len(x)), x])
    sums = InformationSums()
    for rows in np.array_split(np.arange(len(x)), 7):
        sums.add(ratios[rows], w[rows, None] * ratios[rows])
    found = sums.information(luminosity=100.0)
    assert found.value[0, 0] == pytest.approx(250.0)
    assert found.error[1, 1] == pytest.approx(250.0 * np.sqrt(3.0 / len(x)), rel=0.05)
    assert abs(found.value[1, 1] - 250.0) < 4 * found.error[1, 1]
    np.testing.assert_allclose(sums.information(100.0, truth=True).value, found.value, rtol=1e-12)


def test_noise_has_information_only_without_the_truth():
    rng = np.random.default_rng(2)
    truth, noise = rng.normal(size=(2, 20_000))
    sums = InformationSums()
    sums.add(np.column_stack([np.ones(20_000), noise]), np.column_stack([np.ones(20_000), truth]))
    assert sums.information().value[1, 1] > 19_000
    found = sums.information(truth=True)
    assert abs(found.value[1, 1]) < 4 * found.error[1, 1] < 700


def test_json():
    found = Information(np.eye(2), 0.1 * np.ones((2, 2)))
    again = Information.from_json(json.loads(json.dumps(found.to_json())))
    np.testing.assert_array_equal(again.value, found.value)
    np.testing.assert_array_equal(again.error, found.error)
