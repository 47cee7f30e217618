"""The velocity of an object: its derivatives against those of autograd, and its period."""

import math

import torch

from mem.transfer.heads.toys import random_flow
from partonic.nn.generative.divergence import exact_divergence

ROWS = 50


def numbers() -> torch.Tensor:
    return torch.randn(ROWS, 3, generator=torch.Generator().manual_seed(3), dtype=torch.float64)


def test_divergence_is_that_of_autograd() -> None:
    flow, y, time = random_flow(ROWS, spread=0.5), numbers(), torch.tensor(0.3, dtype=torch.float64)
    state = torch.cat([y, torch.zeros(ROWS, 1, dtype=torch.float64)], dim=1)
    found = flow.velocity_and_divergence(time, state)
    velocity, divergence = exact_divergence(lambda point: flow.velocity(time, point), y)
    torch.testing.assert_close(found[:, :3], velocity, atol=1e-12, rtol=1e-10)
    torch.testing.assert_close(found[:, 3], divergence, atol=1e-12, rtol=1e-10)
    assert float(divergence.detach().abs().min()) > 0.0


def test_velocity_has_the_period_of_the_circle() -> None:
    flow, y, time = random_flow(ROWS, spread=0.5), numbers(), torch.tensor(0.7, dtype=torch.float64)
    turned = y + torch.tensor([0.0, 0.0, 2.0 * math.pi], dtype=torch.float64)
    torch.testing.assert_close(flow.velocity(time, turned), flow.velocity(time, y), atol=1e-12, rtol=1e-10)


def test_times_of_rows_are_those_of_all() -> None:
    flow, y = random_flow(ROWS, spread=0.5), numbers()
    together = flow.velocity(torch.tensor(0.4, dtype=torch.float64), y)
    each = flow.velocity(torch.full((ROWS,), 0.4, dtype=torch.float64), y)
    torch.testing.assert_close(each, together)
    assert float((flow.velocity(torch.tensor(0.5, dtype=torch.float64), y) - together).detach().abs().max()) > 1e-3


def test_a_new_network_does_not_move_anything() -> None:
    """Its last layer is zero: the density is the coarse one at first."""
    flow = random_flow(ROWS, spread=0.0)
    assert float(flow.velocity(torch.tensor(0.5, dtype=torch.float64), numbers()).detach().abs().max()) == 0.0
