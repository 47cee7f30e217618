"""Features: standardised, missing ones flagged, useless ones told."""

import logging

import numpy as np
import pytest
import torch

from partonic.errors import NonFiniteError, TrainingError
from partonic.sbi.standardise import FeatureScaler


def fitted(values, names=("a", "b")):
    scaler = FeatureScaler(names[: values.shape[1]])
    scaler.fit(values)
    return scaler


def test_missing_features_become_zero_with_a_flag():
    values = np.array([[1.0, 10.0], [3.0, np.nan], [5.0, 30.0]])
    scaler = fitted(values)
    assert scaler.width == 3
    found = scaler(torch.from_numpy(values))
    assert found.dtype == torch.float32
    expected = [[-np.sqrt(1.5), -1.0, 0.0], [0.0, 0.0, 1.0], [np.sqrt(1.5), 1.0, 0.0]]
    np.testing.assert_allclose(found.numpy(), expected, atol=1e-6)


def test_a_feature_that_lacks_only_later_is_at_its_mean():
    scaler = fitted(np.array([[1.0, 10.0], [3.0, 20.0]]))
    assert scaler.width == 2
    np.testing.assert_array_equal(scaler(torch.tensor([[np.nan, 20.0]], dtype=torch.float64)), [[0.0, 1.0]])


def test_distance_from_the_training_is_in_deviations():
    scaler = fitted(np.array([[1.0, 10.0], [3.0, 20.0]]))
    outside = scaler.outside(torch.tensor([[2.0, 15.0], [6.0, 15.0], [2.0, np.nan]], dtype=torch.float64))
    np.testing.assert_allclose(outside, [0.0, 3.0, 2.0], err_msg="no event of the training lacked the second feature")
    flagged = fitted(np.array([[1.0, 10.0], [3.0, 20.0], [2.0, np.nan]]))
    lacking = torch.tensor([[2.0, np.nan]], dtype=torch.float64)
    assert flagged.outside(lacking).tolist() == [0.0], "the networks know what it means to lack it"


def test_constant_features_are_told_and_harmless(caplog):
    with caplog.at_level(logging.WARNING):
        scaler = fitted(np.array([[1.0, 7.0], [3.0, 7.0]]))
    assert "features b are constant" in caplog.text
    assert scaler(torch.tensor([[1.0, 9.0]], dtype=torch.float64)).tolist() == [[-1.0, 0.0]]


def test_a_feature_that_no_event_of_the_training_has_is_told_and_harmless(caplog):
    with caplog.at_level(logging.WARNING):
        scaler = fitted(np.array([[1.0, np.nan], [3.0, np.nan]]))
    assert "no event of the training has the features b" in caplog.text
    assert scaler.width == 2
    assert scaler(torch.tensor([[1.0, 9.0], [1.0, np.nan]], dtype=torch.float64)).tolist() == [[-1.0, 0.0]] * 2


@pytest.mark.parametrize(
    ("values", "error", "message"),
    [
        ([[1.0, np.inf], [2.0, 1.0]], NonFiniteError, "features b are infinite"),
        ([[np.nan, np.nan], [np.nan, np.nan]], TrainingError, "features a, b are constant, or no event has them"),
        ([[1.0, 2.0], [1.0, 2.0]], TrainingError, "features a, b are constant, or no event has them"),
    ],
)
def test_useless_features_are_refused(values, error, message):
    with pytest.raises(error, match=message):
        fitted(np.array(values))


def test_coefficients_have_their_tails_bounded():
    generator = np.random.default_rng(1)
    values = np.stack([generator.standard_cauchy(2_000), generator.normal(size=2_000)], axis=1)
    scaler = fitted(values, ("mem:R[a]", "b"))
    found = scaler(torch.from_numpy(values)).numpy()
    middle = values[:, 0] - np.median(values[:, 0])
    width = np.subtract(*np.quantile(values[:, 0], [0.75, 0.25])) / 1.349
    np.testing.assert_allclose(found[:, 0], np.arcsinh(middle / width), rtol=1e-5, atol=1e-5)
    assert np.abs(values[:, 0]).max() > 500
    assert np.abs(found).max() < 10
    np.testing.assert_allclose(
        found[:, 1], (values[:, 1] - values[:, 1].mean()) / values[:, 1].std(), rtol=1e-5, atol=1e-5
    )
    assert scaler.outside(torch.from_numpy(values)).max() < 1e-12
