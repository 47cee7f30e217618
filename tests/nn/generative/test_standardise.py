"""Weighted shift and scale, and their Jacobian."""

import pytest
import torch

from partonic.errors import TrainingError
from partonic.nn.generative.standardise import AffineScale


def test_weighted_mean_and_deviation_by_hand():
    scale = AffineScale(1)
    scale.fit(torch.tensor([[0.0], [4.0]]), torch.tensor([3.0, 1.0]), constant_allowed=False)
    assert float(scale.mean) == 1.0
    assert float(scale.deviation) == pytest.approx(3.0**0.5)
    values = torch.tensor([[0.0], [4.0], [7.0]])
    torch.testing.assert_close(scale.inverse(scale(values)), values.double())
    assert float(scale.log_jacobian()) == pytest.approx(-0.5 * torch.tensor(3.0).log().item())


def test_constant_numbers_are_shifted_or_refused():
    scale, values = AffineScale(2), torch.tensor([[1.0, 5.0], [2.0, 5.0]])
    scale.fit(values, torch.ones(2), constant_allowed=True)
    assert scale(values)[:, 1].tolist() == [0.0, 0.0]
    with pytest.raises(TrainingError, match=r"numbers \[1\] of the data"):
        scale.fit(values, torch.ones(2), constant_allowed=False)


def test_negative_variance_is_refused():
    values = torch.tensor([[-3.0], [3.0], [0.0], [0.0]])
    with pytest.raises(TrainingError, match="no positive variance"):
        AffineScale(1).fit(values, torch.tensor([-1.0, -1.0, 2.0, 2.0]), constant_allowed=True)
