"""The vertex of three gauge bosons against its definition by field strengths, and its symmetries."""

import torch

from partonic.physics.amplitudes.currents import minkowski_product
from partonic.physics.amplitudes.triple_gauge import triple_gauge_structures

METRIC = torch.diag(torch.tensor([1.0, -1.0, -1.0, -1.0], dtype=torch.float64))


def fields(generator: torch.Generator, points: int = 20) -> list[torch.Tensor]:
    """a, p_a, b, p_b, c, p_c with momenta that add up to zero."""
    a, b, c, p_a, p_b = torch.randn(5, 4, points, generator=generator, dtype=torch.float64)
    return [a, p_a, b, p_b, c, -p_a - p_b]


def field_strength(p: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
    """F^μ_ν of a plane wave without its factor i."""
    upper = torch.einsum("in,jn->ijn", p, v) - torch.einsum("in,jn->ijn", v, p)
    return torch.einsum("ijn,jk->ikn", upper, METRIC)


def test_trace_of_three_field_strengths(torch_rng: torch.Generator) -> None:
    a, p_a, b, p_b, c, p_c = fields(torch_rng)
    trace = torch.einsum("ijn,jkn,kin->n", field_strength(p_a, a), field_strength(p_b, b), field_strength(p_c, c))
    torch.testing.assert_close(triple_gauge_structures(a, p_a, b, p_b, c, p_c).field_strengths, trace)


def test_field_strengths_do_not_see_gauge_transformations(torch_rng: torch.Generator) -> None:
    a, p_a, b, p_b, c, p_c = fields(torch_rng)
    here = triple_gauge_structures(a, p_a, b, p_b, c, p_c).field_strengths
    moved = triple_gauge_structures(a + 2 * p_a, p_a, b - p_b, p_b, c + 3 * p_c, p_c).field_strengths
    torch.testing.assert_close(moved, here)


def test_standard_vertex_is_that_of_yang_and_mills(torch_rng: torch.Generator) -> None:
    """S₁ + S_κ = (a·b)(p_a − p_b)·c + (b·c)(p_b − p_c)·a + (c·a)(p_c − p_a)·b for fields of any kind."""
    a, p_a, b, p_b, c, p_c = fields(torch_rng)
    # The file's S₁ and S_κ drop p_a·a and p_b·b, which vanish for conserved currents.
    a = a - p_a * minkowski_product(p_a, a) / minkowski_product(p_a, p_a)
    b = b - p_b * minkowski_product(p_b, b) / minkowski_product(p_b, p_b)
    c = c - p_c * minkowski_product(p_c, c) / minkowski_product(p_c, p_c)
    structures = triple_gauge_structures(a, p_a, b, p_b, c, p_c)
    dot = minkowski_product
    expected = dot(a, b) * dot(p_a - p_b, c) + dot(b, c) * dot(p_b - p_c, a) + dot(c, a) * dot(p_c - p_a, b)
    torch.testing.assert_close(-(structures.gauge + structures.magnetic), expected)


def test_all_structures_are_odd_in_the_exchange_of_the_two_w(torch_rng: torch.Generator) -> None:
    a, p_a, b, p_b, c, p_c = fields(torch_rng)
    here, there = triple_gauge_structures(a, p_a, b, p_b, c, p_c), triple_gauge_structures(b, p_b, a, p_a, c, p_c)
    for name in ("gauge", "magnetic", "field_strengths"):
        torch.testing.assert_close(getattr(there, name), -getattr(here, name))
