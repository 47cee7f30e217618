"""Exact divergence against autograd, Hutchinson's estimate against the exact one, gradients of both."""

import math

import torch

from partonic.nn.generative.divergence import directional_divergences, exact_divergence, rademacher


def field(x, matrix):
    return torch.tanh(x @ matrix) * x.roll(1, dims=1)


def test_exact_divergence_is_the_trace_of_the_jacobian(torch_rng):
    matrix = torch.randn(5, 5, generator=torch_rng, dtype=torch.float64)
    x = torch.randn(6, 5, generator=torch_rng, dtype=torch.float64)
    value, divergence = exact_divergence(lambda y: field(y, matrix), x)
    torch.testing.assert_close(value, field(x, matrix))
    for row, found in zip(x, divergence, strict=True):
        jacobian = torch.autograd.functional.jacobian(lambda y: field(y[None], matrix)[0], row)
        torch.testing.assert_close(found, torch.trace(jacobian))


def test_estimate_agrees_in_units_of_its_error(torch_rng):
    matrix = torch.randn(7, 7, generator=torch_rng, dtype=torch.float64)
    x = torch.randn(300, 7, generator=torch_rng, dtype=torch.float64)
    exact = exact_divergence(lambda y: field(y, matrix), x)[1]
    probes = 64
    directions = rademacher(probes, x, torch_rng)
    assert set(directions.unique().tolist()) == {-1.0, 1.0}
    terms = directional_divergences(lambda y: field(y, matrix), x, directions)[1]
    pulls = (terms.mean(dim=1) - exact) / (terms.std(dim=1) / math.sqrt(probes))
    assert abs(float(pulls.mean())) < 4.0 / math.sqrt(len(x))
    assert 0.85 < float(pulls.std()) < 1.2


def test_both_have_gradients(torch_rng):
    x = torch.randn(3, 4, generator=torch_rng, dtype=torch.float64)
    directions = rademacher(2, x, torch_rng)

    def exact(matrix):
        return exact_divergence(lambda y: field(y, matrix), x)[1]

    def estimate(matrix):
        return directional_divergences(lambda y: field(y, matrix), x, directions)[1]

    matrix = torch.randn(4, 4, generator=torch_rng, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(exact, (matrix,))
    assert torch.autograd.gradcheck(estimate, (matrix,))
