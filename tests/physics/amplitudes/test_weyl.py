"""Massless two-component lines against spin sums and Dirac algebra."""

import pytest
import torch

from partonic.physics.amplitudes.currents import light_cone, minkowski_product, slash_column
from partonic.physics.amplitudes.weyl import chiral_current, chiral_line, chiral_spinor, left_column

PAULI = torch.tensor(
    [[[1, 0], [0, 1]], [[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]]], dtype=torch.complex128
)
CHIRALITIES = ("left", "right")


@pytest.fixture
def momenta(torch_rng: torch.Generator) -> list[torch.Tensor]:
    three = 100.0 * torch.randn(3, 3, 60, generator=torch_rng, dtype=torch.float64)
    three[:, :2, :10] = 0.0  # along ±z
    three[:, :2, 10:20] *= 1e-9  # nearly so
    return list(torch.cat([three.square().sum(dim=1, keepdim=True).sqrt(), three], dim=1))


def slash(p: torch.Tensor, chirality: str) -> torch.Tensor:
    """p·σ = E − p⃗·σ⃗ for left, p·σ̄ = E + p⃗·σ⃗ for right, `(2, 2, N)`."""
    sign = -1.0 if chirality == "left" else 1.0
    signs = torch.tensor([1.0, sign, sign, sign], dtype=torch.complex128)
    return torch.einsum("m,mij,mn->ijn", signs, PAULI, p.to(torch.complex128))


@pytest.mark.parametrize("chirality", CHIRALITIES)
def test_spin_sum(momenta: list[torch.Tensor], chirality: str) -> None:
    spinor = chiral_spinor(momenta[0], chirality)
    torch.testing.assert_close(
        torch.einsum("in,jn->ijn", spinor, spinor.conj()), slash(momenta[0], chirality), rtol=1e-12, atol=1e-12
    )


@pytest.mark.parametrize("chirality", CHIRALITIES)
def test_current_is_conserved_and_has_the_size_of_its_trace(momenta: list[torch.Tensor], chirality: str) -> None:
    """J·(p + q) = 0 and J·J* = −4 p·q for an outgoing pair."""
    p, q, _ = momenta
    current = chiral_current(chiral_spinor(p, chirality), chiral_spinor(q, chirality), chirality)
    size = minkowski_product(p, q)
    assert (minkowski_product(current, p).abs() < 1e-9 * (p[0] * q[0]) ** 0.5 * p[0]).all()
    torch.testing.assert_close(minkowski_product(current, current.conj()).real, -4.0 * size, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("chirality", CHIRALITIES)
def test_line_with_two_fields(momenta: list[torch.Tensor], torch_rng: torch.Generator, chirality: str) -> None:
    p, q, inner = momenta
    inner = inner * 1.3 + 5.0  # off the light cone
    first, second = torch.randn(2, 4, 60, generator=torch_rng, dtype=torch.complex128)
    out, into = chiral_spinor(p, chirality), chiral_spinor(q, chirality)
    # σ̄·V for a left-handed line is E + V⃗·σ⃗, the p·σ̄ of `slash`; the propagator has the other one.
    other = "right" if chirality == "left" else "left"
    matrix = torch.einsum("ijn,jkn,kln->iln", slash(first, other), slash(inner, chirality), slash(second, other))
    expected = torch.einsum("in,ijn,jn->n", out.conj(), matrix, into) / minkowski_product(inner, inner)
    torch.testing.assert_close(chiral_line(out, first, inner, second, into, chirality), expected)


def test_dirac_spinor_solves_its_equation_and_gives_the_current(momenta: list[torch.Tensor]) -> None:
    """p̸ u_L = 0, and ψ̄ a̸ ψ of the spinors is J·a of `chiral_current`."""
    p, q, _ = momenta
    column = left_column(q)
    assert slash_column(light_cone(q), column).abs().max() < 1e-10
    vector = torch.tensor([0.3, -1.0, 2.0, 0.7], dtype=torch.float64)[:, None].expand(4, p.shape[-1])
    row = left_column(p).conj().roll(2, dims=0)  # ψ† γ⁰ exchanges the halves
    direct = (row * slash_column(light_cone(vector), column)).sum(dim=0)
    current = chiral_current(chiral_spinor(p, "left"), chiral_spinor(q, "left"), "left")
    torch.testing.assert_close(direct, minkowski_product(current, vector))
