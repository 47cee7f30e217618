"""Vertices and propagators against the algebra that defines them."""

import pytest
import torch

from partonic.physics.amplitudes.currents import (
    commutator,
    contract,
    fuse_gluons,
    light_cone,
    minkowski_product,
    propagate_column,
    propagate_row,
    slash_column,
    slash_row,
)
from partonic.physics.amplitudes.wavefunctions import linear_polarizations

POINTS = 20


@pytest.fixture
def draw(torch_rng):
    return lambda *shape, dtype=torch.float64: torch.randn(*shape, POINTS, generator=torch_rng, dtype=dtype)


@pytest.mark.parametrize("dtype", [torch.float64, torch.complex128])
def test_slashing_twice_gives_the_square(draw, dtype):
    vector, spinor = draw(4, dtype=dtype), draw(4, dtype=torch.complex128)
    cone = light_cone(vector)
    square = minkowski_product(vector, vector)
    torch.testing.assert_close(slash_column(cone, slash_column(cone, spinor)), square * spinor)
    torch.testing.assert_close(slash_row(cone, slash_row(cone, spinor)), square * spinor)


@pytest.mark.parametrize("dtype", [torch.float64, torch.complex128])
def test_rows_and_columns_use_the_same_matrices(draw, dtype):
    row, column = draw(4, dtype=torch.complex128), draw(4, dtype=torch.complex128)
    a, b = light_cone(draw(4, dtype=dtype)), light_cone(draw(4, dtype=dtype))
    torch.testing.assert_close(contract(slash_row(a, row), column), contract(row, slash_column(a, column)))
    sigma = commutator(a, b)
    torch.testing.assert_close(contract(sigma.on_row(row), column), contract(row, sigma.on_column(column)))


def test_commutator_is_the_difference_of_products(draw):
    spinor, a, b = draw(4, dtype=torch.complex128), light_cone(draw(4)), light_cone(draw(4))
    expected = slash_column(a, slash_column(b, spinor)) - slash_column(b, slash_column(a, spinor))
    torch.testing.assert_close(commutator(a, b).on_column(spinor), expected)
    total = commutator(a, b) + commutator(a, b) - commutator(a, b)
    torch.testing.assert_close(total.on_column(spinor), expected)


def test_propagator_inverts_the_dirac_operator(draw):
    q, spinor, mass = 100.0 * draw(4), draw(4, dtype=torch.complex128), 30.0
    column, row = propagate_column(q, mass, spinor), propagate_row(q, mass, spinor)
    torch.testing.assert_close(slash_column(light_cone(q), column) - mass * column, spinor)
    torch.testing.assert_close(slash_row(light_cone(q), row) - mass * row, spinor)


def test_fused_gluons_are_a_conserved_antisymmetric_current(draw):
    three = 100.0 * draw(2, 3)
    k1, k2 = torch.cat([three.square().sum(dim=1, keepdim=True).sqrt(), three], dim=1)
    for first in range(2):
        for second in range(2):
            e1, e2 = linear_polarizations(k1)[:, first], linear_polarizations(k2)[:, second]
            current = fuse_gluons(k1, e1, k2, e2)
            assert minkowski_product(k1 + k2, current).abs().max() < 1e-10
            torch.testing.assert_close(fuse_gluons(k2, e2, k1, e1), -current)
    # a longitudinal gluon decouples up to a term along the total momentum
    longitudinal = fuse_gluons(k1, k1, k2, linear_polarizations(k2)[:, 0])
    transverse = linear_polarizations(k2)[:, 0]
    expected = transverse - (minkowski_product(k1, transverse) / minkowski_product(k1, k2)) * (k1 + k2) / 2.0
    torch.testing.assert_close(longitudinal, expected, rtol=1e-9, atol=1e-9)
