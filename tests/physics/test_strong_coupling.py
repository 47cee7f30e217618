import math

import pytest
import torch

from partonic.errors import PdfError
from partonic.physics.strong_coupling import RunningCoupling, StrongCoupling, TabulatedCoupling

SCALES = torch.cat(
    [torch.logspace(-1, 4, 500, dtype=torch.float64), torch.tensor([1.5, 4.8, 91.188, 171.0], dtype=torch.float64)]
)


@pytest.mark.parametrize("flavours", [5, 6])
@pytest.mark.parametrize("value", [0.118, 0.130])
@pytest.mark.parametrize("order", [0, 1, 2])
def test_same_as_pythia(order, value, flavours):
    import pythia8mc

    reference = pythia8mc.AlphaStrong()
    reference.init(value, order, flavours, False)
    expected = torch.tensor([reference.alphaS(float(scale) ** 2) for scale in SCALES], dtype=torch.float64)
    coupling = RunningCoupling(value=value, order=order, flavours=flavours)
    torch.testing.assert_close(coupling(SCALES), expected, rtol=1e-12, atol=0)


@pytest.mark.parametrize("order", [1, 2])
def test_continuous_at_thresholds_and_falling(order):
    coupling = RunningCoupling(value=0.118, order=order, flavours=6)
    for mass in coupling.masses:
        around = coupling(torch.tensor([mass * (1 - 1e-12), mass * (1 + 1e-12)], dtype=torch.float64))
        assert float(around[1] / around[0]) == pytest.approx(1.0, abs=1e-8)
    values = coupling(torch.logspace(math.log10(coupling.smallest_scale), 5, 1000, dtype=torch.float64))
    assert (values.diff() < 0).all()


@pytest.mark.parametrize("order", [1, 2])
def test_slope_is_the_beta_function(order):
    # dα/d ln μ² = −β₀ α²/(4π) (1 + β₁ α/(2π β₀) + …); the expansion in 1/L differs from it in higher orders only.
    coupling = RunningCoupling(value=0.118, order=order)
    scale = torch.tensor([100.0, 1e3, 1e4], dtype=torch.float64, requires_grad=True)
    values = coupling(scale)
    (slope,) = torch.autograd.grad(values.sum(), scale)
    alpha, slope = values.detach(), 0.5 * scale.detach() * slope
    beta_0, beta_1 = 23.0 / 3.0, 58.0 / 3.0
    expected = -beta_0 * alpha**2 / (4 * math.pi)
    if order == 2:
        expected = expected * (1 + beta_1 * alpha / (2 * math.pi * beta_0))
    torch.testing.assert_close(slope, expected, rtol=1e-12 if order == 1 else 2e-2, atol=0)


def test_frozen_below_the_smallest_scale():
    coupling = RunningCoupling(value=0.118, order=1)
    low = coupling(torch.tensor([1e-6, 1e-2, coupling.smallest_scale], dtype=torch.float64))
    assert low.tolist() == [float(low[0])] * 3


@pytest.mark.parametrize(
    "arguments",
    [
        {"value": 0.118, "order": 3},
        {"value": -0.1, "order": 1},
        {"value": math.nan, "order": 1},
        {"value": 0.118, "order": 1, "flavours": 4},
        {"value": 0.118, "order": 1, "masses": (4.8, 1.5, 171.0)},
        {"value": 0.118, "order": 1, "reference_scale": 200.0},
    ],
)
def test_values_that_make_no_sense(arguments):
    with pytest.raises(PdfError, match="got"):
        RunningCoupling(**arguments)


def table(count=80, threshold=4.92):
    running = RunningCoupling(value=0.118, order=1, masses=(1.5, threshold, 171.0))
    low = torch.logspace(math.log10(1.65), math.log10(threshold), count // 2, dtype=torch.float64)
    high = torch.logspace(math.log10(threshold), 5, count // 2, dtype=torch.float64)
    scales = torch.cat([low, high])
    return running, scales


def test_table_is_exact_at_its_knots_and_close_between():
    running, scales = table()
    coupling = TabulatedCoupling(scales.tolist(), running(scales).tolist())
    torch.testing.assert_close(coupling(scales), running(scales), rtol=1e-13, atol=0)
    between = torch.logspace(0.25, 4.9, 1000, dtype=torch.float64)
    torch.testing.assert_close(coupling(between), running(between), rtol=1e-3, atol=0)


def test_table_agrees_with_an_independent_interpolation(tmp_path):
    import madspace
    from madspace.torch import FunctionModule

    running, scales = table()
    values = running(scales)
    info = tmp_path / "toy.info"
    info.write_text(
        f"SetDesc: toy\nAlphaS_Qs: [{', '.join(map(repr, scales.tolist()))}]\n"
        f"AlphaS_Vals: [{', '.join(map(repr, values.tolist()))}]\n"
    )
    grid, context = madspace.AlphaSGrid(str(info)), madspace.Context(1)
    grid.initialize_globals(context)
    kernel = FunctionModule(madspace.RunningCoupling(grid).function(), context)
    between = torch.logspace(0.25, 4.9, 1000, dtype=torch.float64)
    with torch.no_grad():
        expected = kernel(between)
    coupling = TabulatedCoupling(scales.tolist(), values.tolist())
    torch.testing.assert_close(coupling(between), expected.reshape(-1), rtol=1e-12, atol=0)


def test_table_does_not_reach_across_a_threshold():
    coupling = TabulatedCoupling([1.0, 2.0, 2.0, 4.0], [0.4, 0.3, 0.1, 0.1])
    values = coupling(torch.tensor([0.5, 1.0, math.sqrt(2.0), 2.0, 3.0, 4.0, 50.0], dtype=torch.float64))
    torch.testing.assert_close(values, torch.tensor([0.4, 0.4, 0.35, 0.1, 0.1, 0.1, 0.1], dtype=torch.float64))


def test_table_can_be_differentiated():
    running, scales = table()
    coupling = TabulatedCoupling(scales.tolist(), running(scales).tolist())
    between = torch.tensor([2.0, 50.0, 235.0], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(coupling, (between,))


@pytest.mark.parametrize(
    ("scales", "values"), [([1.0], [0.3]), ([1.0, 2.0], [0.3]), ([2.0, 1.0], [0.3, 0.2]), ([0.0, 1.0], [0.3, 0.2])]
)
def test_malformed_table(scales, values):
    with pytest.raises(PdfError, match="table of alpha_s"):
        TabulatedCoupling(scales, values)


def test_both_are_couplings():
    assert isinstance(RunningCoupling(value=0.118, order=1), StrongCoupling)
    assert isinstance(TabulatedCoupling([1.0, 2.0], [0.3, 0.2]), StrongCoupling)
