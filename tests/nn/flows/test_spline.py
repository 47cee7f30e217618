"""Splines at every knot, beside it, at and beyond the bound; against zuko, autograd and finite differences."""

import math

import pytest
import torch
from zuko.transforms import MonotonicRQSTransform

from partonic.nn.flows.chosen_bin import SMALLEST_SLOPE
from partonic.nn.flows.spline import spline_forward, spline_inverse, spline_parameters

SPLINES = 64
BOUNDS = pytest.mark.parametrize("bound", [5.0, 1.1])
BINS = pytest.mark.parametrize("bins", [2, 3, 16, 40])
DIRECTIONS = pytest.mark.parametrize("direction", [spline_forward, spline_inverse])


def draw_raw(bins, generator, scale=3.0, dtype=torch.float64):
    return scale * torch.randn(spline_parameters(bins), SPLINES, generator=generator, dtype=dtype)


def reference(raw, bound):
    bins = (raw.shape[0] + 1) // 3
    parts = [part.movedim(0, -1) for part in raw.split((bins, bins, bins - 1))]
    return MonotonicRQSTransform(*parts, bound=bound, slope=SMALLEST_SLOPE)


def knots_of(raw, bound):
    """Knots in x and y of each spline, (K + 1, splines), from the definition."""
    bins = (raw.shape[0] + 1) // 3
    ends = []
    for part in raw[: 2 * bins].split(bins):
        sizes = torch.softmax(part / (1.0 + (2.0 * part / math.log(SMALLEST_SLOPE)).abs()), dim=0)
        inner = bound * (2.0 * sizes.cumsum(dim=0)[:-1] - 1.0)
        ends.append(torch.cat((torch.full_like(part[:1], -bound), inner, torch.full_like(part[:1], bound))))
    return ends


def log_slope_by_autograd(direction, values, raw, bound):
    values = values.clone().requires_grad_()
    mapped, _ = direction(values, raw, bound)
    return torch.autograd.grad(mapped.sum(), values)[0].log()


@BINS
@BOUNDS
@pytest.mark.parametrize("shift", [0.0, 1e-12, -1e-12])
def test_at_every_knot_and_just_beside(bins, bound, shift, torch_rng):
    raw = draw_raw(bins, torch_rng, scale=1.5)
    x_knots, y_knots = knots_of(raw, bound)
    log_slopes = torch.zeros_like(x_knots)
    log_slopes[1:-1] = raw[2 * bins :] / (1.0 + (raw[2 * bins :] / math.log(SMALLEST_SLOPE)).abs())
    raw = raw.expand(bins + 1, -1, -1)
    x, y = x_knots * (1.0 + shift), y_knots * (1.0 + shift)
    mapped, log_derivative = spline_forward(x, raw, bound)
    back, log_derivative_back = spline_inverse(y, raw, bound)
    torch.testing.assert_close(mapped, y_knots, rtol=0.0, atol=1e-9)
    torch.testing.assert_close(back, x_knots, rtol=0.0, atol=1e-9)
    torch.testing.assert_close(log_derivative, log_slopes, rtol=0.0, atol=1e-6)
    torch.testing.assert_close(log_derivative_back, log_slopes, rtol=0.0, atol=1e-6)
    found = log_slope_by_autograd(spline_forward, x, raw, bound)
    torch.testing.assert_close(found, log_derivative, rtol=0.0, atol=1e-10)
    found = log_slope_by_autograd(spline_inverse, y, raw, bound)
    torch.testing.assert_close(found, -log_derivative_back, rtol=0.0, atol=1e-10)


@BINS
@BOUNDS
def test_equals_zuko_inside_and_outside(bins, bound, torch_rng):
    raw = draw_raw(bins, torch_rng)
    x = 1.2 * bound * (2.0 * torch.rand(20, SPLINES, generator=torch_rng, dtype=torch.float64) - 1.0)
    y, log_derivative = reference(raw, bound).call_and_ladj(x)
    raw = raw.expand(20, -1, -1)
    torch.testing.assert_close(spline_forward(x, raw, bound), (y, log_derivative), rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(spline_inverse(y, raw, bound), (x, log_derivative), rtol=1e-7, atol=1e-7)


@DIRECTIONS
@BOUNDS
def test_identity_at_and_beyond_the_bound(direction, bound, torch_rng):
    raw = draw_raw(8, torch_rng, dtype=torch.float32)
    for value in (bound, 1.0001 * bound, 3.0 * bound, 1e30, math.inf):
        for signed in (value, -value):
            x = torch.full((SPLINES,), signed)
            y, log_derivative = direction(x, raw, bound)
            torch.testing.assert_close(y, x, rtol=1e-6, atol=0.0)
            torch.testing.assert_close(log_derivative, torch.zeros(SPLINES), rtol=0.0, atol=1e-4)


@DIRECTIONS
@pytest.mark.parametrize("by", [1.0, 4.0])
def test_gradients_agree_with_finite_differences(direction, by, torch_rng):
    raw = draw_raw(4, torch_rng, scale=1.0)[:, :4].requires_grad_()
    x = (torch.rand(4, generator=torch_rng, dtype=torch.float64) - 0.5).mul(by).requires_grad_()
    assert torch.autograd.gradcheck(lambda x, raw: direction(x, raw, 1.1), (x, raw), atol=1e-6)


@BINS
def test_gradients_equal_those_of_zuko(bins, torch_rng):
    raw = draw_raw(bins, torch_rng).requires_grad_()
    x = torch.randn(SPLINES, generator=torch_rng, dtype=torch.float64).requires_grad_()
    weights = torch.randn(2, SPLINES, generator=torch_rng, dtype=torch.float64)
    ours = spline_forward(x, raw, 1.5)
    theirs = reference(raw, 1.5).call_and_ladj(x)
    for place in (0, 1):
        found = torch.autograd.grad((weights[place] * ours[place]).sum(), (x, raw), retain_graph=True)
        expected = torch.autograd.grad((weights[place] * theirs[place]).sum(), (x, raw), retain_graph=True)
        torch.testing.assert_close(found, expected, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("scale", [3.0, 1e2, 1e6, 1e30])
def test_steepest_splines_in_single_precision(scale, torch_rng):
    """Slopes at the limits: nothing overflows or turns negative, and the two directions agree on the log-slope."""
    raw = draw_raw(16, torch_rng, scale=scale, dtype=torch.float32).requires_grad_()
    x = (2.2 * torch.rand(SPLINES, generator=torch_rng) - 1.1).requires_grad_()
    y, log_derivative = spline_forward(x, raw, 1.1)
    exact = spline_forward(x.double(), raw.double(), 1.1)
    torch.testing.assert_close(y.double(), exact[0], rtol=0.0, atol=2e-4)
    back, log_derivative_back = spline_inverse(exact[0], raw.double(), 1.1)
    torch.testing.assert_close(back, x.double(), rtol=0.0, atol=1e-6)
    torch.testing.assert_close(log_derivative_back, exact[1], rtol=0.0, atol=1e-4)
    single, log_single = spline_inverse(y, raw, 1.1)
    for gradient in torch.autograd.grad((y + log_derivative + single + log_single).sum(), (x, raw)):
        assert gradient.isfinite().all()


@pytest.mark.parametrize("towards", [None, math.inf, -math.inf])
def test_single_precision_at_every_knot(towards, torch_rng):
    """At knots, and at the next numbers that single precision has."""
    raw = draw_raw(40, torch_rng, scale=1.0, dtype=torch.float32)
    x_knots, y_knots = knots_of(raw, 1.1)
    x = x_knots if towards is None else torch.nextafter(x_knots, torch.tensor(towards))
    raw = raw.expand(41, -1, -1)
    y, log_derivative = spline_forward(x, raw, 1.1)
    torch.testing.assert_close(y, y_knots, rtol=0.0, atol=1e-5)
    found = log_slope_by_autograd(spline_forward, x, raw, 1.1)
    torch.testing.assert_close(found, log_derivative, rtol=0.0, atol=1e-4)
    torch.testing.assert_close(spline_inverse(y, raw, 1.1)[0], x, rtol=0.0, atol=1e-5)


@DIRECTIONS
def test_nan_stays_nan(direction, torch_rng):
    raw = draw_raw(4, torch_rng)
    x = torch.zeros(SPLINES, dtype=torch.float64)
    x[3] = math.nan
    assert torch.equal(direction(x, raw, 1.0)[0].isnan(), x.isnan())


def test_many_bins(torch_rng):
    raw = draw_raw(300, torch_rng)
    x = 2.0 * torch.rand(SPLINES, generator=torch_rng, dtype=torch.float64) - 1.0
    torch.testing.assert_close(spline_forward(x, raw, 1.0), reference(raw, 1.0).call_and_ladj(x), rtol=1e-8, atol=1e-8)
