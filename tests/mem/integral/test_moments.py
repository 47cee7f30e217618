"""Streamed sums against sums over all points at once."""

import math

import torch
from torch import Tensor

from partonic.mem.integral.moments import WeightMoments


def points(generator: torch.Generator, n: int = 600) -> tuple[Tensor, Tensor]:
    """Log-weights over many orders of magnitude, and signed coefficients, of three events."""
    log_weight = 3.0 * torch.randn((3, n), generator=generator, dtype=torch.float64) + torch.tensor(
        [[-900.0], [0.0], [700.0]], dtype=torch.float64
    )
    coefficients = torch.randn((3, n, 4), generator=generator, dtype=torch.float64)
    coefficients[..., 0] = coefficients[..., 0].abs()
    return log_weight, coefficients


def test_streamed_sums_are_those_of_all_points(torch_rng: torch.Generator) -> None:
    log_weight, coefficients = points(torch_rng)
    moments = WeightMoments(3, 4)
    for begin in range(0, 600, 100):
        part = slice(begin, begin + 100)
        moments.add(torch.tensor([0, 1, 2]), log_weight[:, part], coefficients[:, part])
    for event in range(3):
        largest = log_weight[event].max()
        weights = (log_weight[event] - largest).exp()[:, None] * coefficients[event]
        mean, covariance = weights.mean(dim=0), torch.cov(weights.T) / 600
        reference = weights[:, 0]
        ratios = mean / mean[0]
        residual = weights - reference[:, None] * ratios
        expected = torch.cov(residual.T) / 600 / mean[0] ** 2
        close = {"rtol": 1e-9, "atol": 1e-12}
        torch.testing.assert_close(moments.log_reference()[event], largest + mean[0].log(), **close)
        torch.testing.assert_close(moments.ratios()[event], ratios, **close)
        torch.testing.assert_close(moments.ratio_covariance()[event], expected, rtol=1e-7, atol=1e-12)
        torch.testing.assert_close(moments.relative_error()[event], covariance[0, 0].sqrt() / mean[0], **close)
        size = reference.sum() ** 2 / reference.square().sum()
        torch.testing.assert_close(moments.effective_sample_size()[event], size, **close)
        torch.testing.assert_close(moments.largest_share()[event], reference.max() / reference.sum(), **close)


def test_error_of_the_ratios_is_in_units_of_their_spread(torch_rng: torch.Generator) -> None:
    log_weight, coefficients = points(torch_rng)
    moments = WeightMoments(3, 4)
    moments.add(torch.arange(3), log_weight, coefficients)
    weights = (log_weight[1].exp() * coefficients[1, :, 0])[:, None]
    local = coefficients[1] / coefficients[1, :, :1]
    spread = ((weights * local.square()).sum(dim=0) / weights.sum()).sqrt()
    expected = (moments.ratio_covariance()[1].diagonal().sqrt() / spread).max()
    torch.testing.assert_close(moments.ratio_error()[1], expected)


def test_blocks_that_cancel_have_a_smaller_error() -> None:
    """Points 1 ± δ in pairs: their means have no scatter, though the points have."""
    weights = torch.tensor([1.5, 0.5], dtype=torch.float64).repeat(50)[None]
    single, paired = WeightMoments(1, 1), WeightMoments(1, 1)
    single.add(torch.tensor([0]), torch.zeros_like(weights), weights[..., None])
    paired.add(torch.tensor([0]), torch.zeros_like(weights), weights[..., None], block=2)
    assert abs(float(single.relative_error()) - 0.5 / math.sqrt(99)) < 1e-12
    assert float(paired.relative_error()) < 1e-12
    torch.testing.assert_close(paired.log_reference(), single.log_reference(), rtol=0, atol=1e-14)


def test_events_without_weight() -> None:
    """No point, only zeros, and zeros before there is a weight."""
    moments = WeightMoments(3, 2)
    nothing = torch.full((2, 5), -torch.inf, dtype=torch.float64)
    moments.add(torch.tensor([1, 2]), nothing, torch.ones((2, 5, 2), dtype=torch.float64))
    moments.add(torch.tensor([2]), torch.full((1, 5), -800.0).double(), torch.ones((1, 5, 2), dtype=torch.float64))
    assert moments.positive().tolist() == [False, False, True]
    assert moments.ratios()[:2].isnan().all()
    assert moments.log_reference()[:2].isnan().all()
    assert moments.relative_error()[:2].isnan().all()
    assert abs(float(moments.log_reference()[2]) - (-800.0 - math.log(2.0))) < 1e-12
    assert moments.effective_sample_size().tolist() == [0.0, 0.0, 5.0]


def test_coefficients_that_all_vanish_at_a_point_of_huge_weight() -> None:
    moments = WeightMoments(1, 2)
    moments.add(
        torch.tensor([0]), torch.tensor([[900.0, 0.0]]).double(), torch.tensor([[[0.0, 0.0], [1.0, 2.0]]]).double()
    )
    torch.testing.assert_close(moments.ratios(), torch.tensor([[1.0, 2.0]]).double())
