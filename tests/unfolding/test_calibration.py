"""The response calibration on a toy whose response is known."""

import math
from itertools import pairwise

import pytest
import torch

from partonic.errors import NonFiniteError, ParameterError
from partonic.unfolding.calibration import ResponseCalibration

SLOPES = (0.9, 0.7, 0.5)
EDGES = (50.0, 75.0, 100.0, 150.0, 200.0, 250.0, 300.0, 400.0)


def toy(events: int, generator: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    """pT that are regressed with median 100 (t/100)^slope and a relative resolution of 30% to 12%."""
    draws = torch.randn(2, events, 3, generator=generator, dtype=torch.float64)
    true = 110.0 * torch.exp(0.65 * draws[0])
    resolution = 0.3 / (1.0 + true / 200.0)
    median = 100.0 * (true / 100.0) ** torch.tensor(SLOPES)
    return median * torch.exp(resolution * draws[1]), true


@pytest.fixture
def calibrated(torch_rng: torch.Generator) -> ResponseCalibration:
    calibration = ResponseCalibration(3)
    calibration.fit(*toy(400_000, torch_rng))
    return calibration


def test_median_is_the_truth_in_every_bin(calibrated: ResponseCalibration, torch_rng: torch.Generator) -> None:
    """Expected error, of fit and test together: at most 1.25 × 0.24 √(2/15,000) = 0.35% (300 to 400 GeV)."""
    regressed, true = toy(400_000, torch_rng)
    before, after = regressed / true, calibrated(regressed) / true
    for low, high in pairwise(EDGES):
        for particle in range(3):
            inside = (true[:, particle] > low) & (true[:, particle] < high)
            assert abs(float(after[inside, particle].median()) - 1.0) < 0.01
    assert abs(float(before[(true[:, 2] > 300.0), 2].median()) - 1.0) > 0.3


def test_map_is_the_inverse_of_the_response(calibrated: ResponseCalibration) -> None:
    true = torch.linspace(30.0, 500.0, 50, dtype=torch.float64)[:, None].expand(-1, 3)
    regressed = 100.0 * (true / 100.0) ** torch.tensor(SLOPES)
    torch.testing.assert_close(calibrated(regressed), true, rtol=0.015, atol=0.0)


def test_map_rises_everywhere_and_keeps_the_ratio_beyond_the_ends(calibrated: ResponseCalibration) -> None:
    pt = torch.logspace(-3.0, 4.0, 5000, dtype=torch.float64)[:, None].expand(-1, 3)
    mapped = calibrated(pt)
    assert (mapped.diff(dim=0) > 0.0).all()
    ratio = mapped / pt
    torch.testing.assert_close(ratio[0], ratio[1])
    torch.testing.assert_close(ratio[-1], ratio[-2])
    assert (ratio > 0.05).all()
    assert (ratio < 20.0).all()


def test_nothing_changes_before_it_is_fitted() -> None:
    pt = torch.tensor([[0.0, 1.0, 5e4], [80.0, 200.0, 7000.0]], dtype=torch.float64)
    torch.testing.assert_close(ResponseCalibration(3)(pt), pt)


def test_response_that_does_not_rise_stays_bounded(torch_rng: torch.Generator) -> None:
    true = torch.exp(4.0 + torch.randn(5000, 1, generator=torch_rng, dtype=torch.float64))
    regressed = 80.0 * torch.exp(0.1 * torch.randn(5000, 1, generator=torch_rng, dtype=torch.float64))
    calibration = ResponseCalibration(1)
    calibration.fit(regressed, true)
    pt = torch.logspace(0.0, 3.5, 1000, dtype=torch.float64)[:, None]
    slopes = calibration(pt).log().diff(dim=0) / pt.log().diff(dim=0)
    assert float(slopes.min()) > 0.0
    assert float(slopes.max()) < 10.0 + 1e-6


def test_few_events_give_one_factor(torch_rng: torch.Generator) -> None:
    true = 50.0 + 100.0 * torch.rand(30, 1, generator=torch_rng, dtype=torch.float64)
    calibration = ResponseCalibration(1)
    calibration.fit(true / 1.25, true)
    pt = torch.tensor([[3.0], [70.0], [900.0]], dtype=torch.float64)
    torch.testing.assert_close(calibration(pt), 1.25 * pt)


def test_it_is_kept_with_the_weights(calibrated: ResponseCalibration) -> None:
    other = ResponseCalibration(3)
    other.load_state_dict(calibrated.state_dict())
    pt = torch.tensor([[20.0, 100.0, 700.0]], dtype=torch.float64)
    assert torch.equal(other(pt), calibrated(pt))


def test_gradient_is_finite(calibrated: ResponseCalibration) -> None:
    pt = torch.tensor([[0.0, 1e-3, 100.0], [300.0, 1e4, 1e6]], dtype=torch.float64, requires_grad=True)
    calibrated(pt).sum().backward()
    assert pt.grad is not None
    assert pt.grad.isfinite().all()


@pytest.mark.parametrize("bad", [math.nan, math.inf, 0.0, -3.0])
def test_momenta_that_make_no_sense_are_refused(bad: float) -> None:
    pt = torch.full((10, 1), 50.0, dtype=torch.float64)
    wrong = pt.clone()
    wrong[3] = bad
    with pytest.raises(NonFiniteError, match="positive finite"):
        ResponseCalibration(1).fit(wrong, pt)


def test_too_few_events_are_refused() -> None:
    with pytest.raises(ParameterError, match="at least two events, got 1"):
        ResponseCalibration(1).fit(torch.ones(1, 1), torch.ones(1, 1))
