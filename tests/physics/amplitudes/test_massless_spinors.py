"""Left-handed massless spinors: Dirac equation, spin sums, currents."""

import numpy as np
import pytest
import torch

from partonic.physics.amplitudes.currents import light_cone, minkowski_product, slash_column, slash_row
from partonic.physics.amplitudes.massless_spinors import left_column, left_current, left_row

ALONG = torch.tensor([[5.0, 0, 0, 5.0], [7.0, 0, 0, -7.0], [3.0, 0, 3.0, 0]], dtype=torch.float64)


@pytest.fixture
def momenta(torch_rng):
    """Momenta in all directions and along the axes, `(2, 4, N)`."""
    three = torch.randn(2, 200, 3, generator=torch_rng, dtype=torch.float64) * 50.0
    free = torch.cat([three.norm(dim=-1, keepdim=True), three], dim=-1)
    return torch.cat([free, torch.stack([ALONG, ALONG[[1, 2, 0]]])], dim=1).movedim(-1, 1)


def test_dirac_equation(momenta):
    p = momenta[0]
    assert slash_column(light_cone(p), left_column(p)).abs().max() < 1e-10
    assert slash_row(light_cone(p), left_row(p)).abs().max() < 1e-10


def test_spin_sum(momenta):
    """χχ† = p·σ."""
    p = momenta[0]
    chi = left_column(p)[:2]
    outer = chi[:, None] * chi.conj()[None]
    energy, x, y, z = p.to(torch.complex128)
    expected = torch.stack([torch.stack([energy - z, -x + 1j * y]), torch.stack([-x - 1j * y, energy + z])])
    torch.testing.assert_close(outer, expected, rtol=1e-12, atol=1e-11)


def test_current_is_conserved_and_real_trace(momenta):
    """q·J = 0 and J·J'* = 2 tr-like: J^μ J_μ* = −4 p·q for a left-handed current."""
    p, q = momenta
    current = left_current(p, q)
    assert minkowski_product(current, (p - q).to(current.dtype)).abs().max() < 1e-9
    assert minkowski_product(current, current).abs().max() < 1e-8
    expected = (-4.0 * minkowski_product(p, q)).to(current.dtype)
    torch.testing.assert_close(minkowski_product(current, current.conj()), expected, rtol=1e-10, atol=1e-8)


def test_current_is_what_the_matrices_give(momenta):
    """ψ̄ a̸ ψ of the spinors is J·a."""
    p, q = momenta
    vector = torch.tensor(np.array([0.3, -1.0, 2.0, 0.7]))[:, None].expand(4, p.shape[-1])
    direct = (left_row(p) * slash_column(light_cone(vector), left_column(q))).sum(dim=0)
    torch.testing.assert_close(direct, minkowski_product(left_current(p, q), vector))
