"""Solvers against closed solutions, each other, and finite differences of their results."""

import math

import pytest
import torch

from partonic.config.generative import SolverConfig
from partonic.errors import NonFiniteError, ParameterError
from partonic.nn.generative.solvers import solve, solve_adaptive, solve_fixed


def turn(time, state):
    """A rotation by one radian per unit of time, with a pull that depends on time: y = R(t) y₀ e^{sin t}."""
    return torch.stack([-state[:, 1], state[:, 0]], dim=1) + torch.cos(time) * state


def turned(start, time):
    c, s = math.cos(time), math.sin(time)
    return torch.stack([c * start[:, 0] - s * start[:, 1], s * start[:, 0] + c * start[:, 1]], 1) * math.exp(s)


@pytest.fixture
def start(torch_rng):
    return torch.randn(20, 2, generator=torch_rng, dtype=torch.float64)


def test_runge_kutta_is_of_order_four(start):
    errors = [(solve_fixed(turn, start, 0.0, 2.0, steps).state - turned(start, 2.0)).abs().max() for steps in (20, 40)]
    assert 14.0 < errors[0] / errors[1] < 18.0
    assert errors[1] < 1e-6


@pytest.mark.parametrize("tolerance", [1e-4, 1e-7, 1e-10])
def test_adaptive_solver_keeps_its_tolerance_and_says_its_error(start, tolerance):
    found = solve_adaptive(turn, start, 0.0, 2.0, tolerance)
    error = (found.state - turned(start, 2.0)).square().mean(dim=1).sqrt()
    largest = 1.0 + start.abs().max() * math.e
    assert error.max() < found.steps * tolerance * largest
    assert (error < 5.0 * found.error).all()
    assert found.evaluations == 1 + 6 * (found.steps + found.rejected)
    exact = solve_fixed(turn, start, 0.0, 2.0, 400).state
    torch.testing.assert_close(found.state, exact, rtol=0.0, atol=float(found.steps * tolerance * largest))


def test_tighter_tolerance_takes_more_evaluations(start):
    counts = [solve_adaptive(turn, start, 0.0, 2.0, tolerance).evaluations for tolerance in (1e-3, 1e-6, 1e-9)]
    assert counts == sorted(counts)
    assert counts[2] > 2 * counts[0]


@pytest.mark.parametrize("method", ["rk4", "dopri5"])
def test_back_in_time_is_the_inverse(start, method):
    config = SolverConfig(method=method, steps=50, tolerance=1e-8)
    there = solve(turn, start, 0.0, 1.0, config).state
    torch.testing.assert_close(solve(turn, there, 1.0, 0.0, config).state, start, rtol=0.0, atol=1e-6)


@pytest.mark.parametrize("method", ["rk4", "dopri5"])
def test_gradient_through_the_solver_against_finite_differences(method, torch_rng):
    matrix = torch.randn(3, 3, generator=torch_rng, dtype=torch.float64, requires_grad=True)
    start = torch.randn(4, 3, generator=torch_rng, dtype=torch.float64, requires_grad=True)
    config = SolverConfig(method=method, steps=8, tolerance=1e-9)

    def end(matrix, start):
        return solve(lambda time, y: torch.tanh(y @ matrix) + time, start, 0.0, 1.0, config).state.sin().sum()

    slopes = torch.autograd.grad(end(matrix, start), (matrix, start))
    step = 1e-4
    for place, (values, slope) in enumerate(zip((matrix, start), slopes, strict=True)):
        for index in [(0, 0), (2, 1), (1, 2)]:
            results = []
            for sign in (1.0, -1.0):
                moved = [matrix.detach().clone(), start.detach().clone()]
                moved[place][index] += sign * step
                results.append(end(*moved))
            difference = float(results[0] - results[1]) / (2.0 * step)
            assert float(slope[index]) == pytest.approx(difference, rel=1e-6, abs=1e-7), (values.shape, index)


def test_explosion_is_refused():
    start = torch.ones(3, 1, dtype=torch.float64)
    with pytest.raises(NonFiniteError, match="3 of 3 events are not finite at t = 20"):
        solve_fixed(lambda _, y: y**3, start, 0.0, 20.0, 40)
    with pytest.raises(ParameterError, match=r"came to t = 0\.\d+.* raise its tolerance"):
        solve_adaptive(lambda _, y: y**3, start, 0.0, 20.0, 1e-6)  # the solution ends at t = 1/2


def test_no_events_are_no_work(start):
    assert solve_adaptive(turn, start[:0], 0.0, 1.0, 1e-6).state.shape == (0, 2)
    assert solve_fixed(turn, start[:0], 0.0, 1.0, 3).state.shape == (0, 2)
