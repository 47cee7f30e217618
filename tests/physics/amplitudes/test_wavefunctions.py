"""External wave functions: Dirac equation, completeness, polarisations and the light-quark current."""

import pytest
import torch

from partonic.physics.amplitudes.currents import contract, light_cone, minkowski_product, slash_column, slash_row
from partonic.physics.amplitudes.wavefunctions import (
    component_first,
    incoming_massless_current,
    linear_polarizations,
    massive_polarizations,
    outgoing_antifermion,
    outgoing_fermion,
)

MASS = 172.5
POINTS = 50


@pytest.fixture
def massive(torch_rng):
    three = 300.0 * torch.randn(3, POINTS, generator=torch_rng, dtype=torch.float64)
    energy = (three.square().sum(dim=0) + MASS**2).sqrt()
    return torch.cat([energy[None], three])


@pytest.fixture
def massless(torch_rng):
    three = 300.0 * torch.randn(2, 3, POINTS, generator=torch_rng, dtype=torch.float64)
    three[0, :2, :5] = 0.0  # some along the beam, forward and backward
    three[1, :2, :5] = 0.0
    return torch.cat([three.square().sum(dim=1, keepdim=True).sqrt(), three], dim=1)


@pytest.fixture
def any_spinor(torch_rng):
    return torch.randn(4, 1, POINTS, generator=torch_rng, dtype=torch.complex128)


def bar(spinor):
    """ψ̄ = ψ† γ⁰ as a row whose first half multiplies left-handed components."""
    return torch.cat([spinor[2:], spinor[:2]]).conj()


def test_component_first_is_the_transpose(torch_rng):
    momenta = torch.randn(7, 3, 4, generator=torch_rng, dtype=torch.float64)
    assert component_first(momenta)[2, 1, 5] == momenta[5, 2, 1]


def test_fermions_obey_the_dirac_equation(massive):
    p = light_cone(massive[:, None])
    row, column = outgoing_fermion(massive, MASS), outgoing_antifermion(massive, MASS)
    torch.testing.assert_close(slash_row(p, row), MASS * row, rtol=1e-11, atol=1e-9)
    torch.testing.assert_close(slash_column(p, column), -MASS * column, rtol=1e-11, atol=1e-9)


def test_spin_sums_are_complete(massive, any_spinor):
    p = light_cone(massive[:, None])
    slashed = slash_column(p, any_spinor)
    spinor_norm = contract(bar(any_spinor), any_spinor).real.sum(dim=0)
    slashed_norm = contract(bar(any_spinor), slashed).real.sum(dim=0)
    fermion = contract(outgoing_fermion(massive, MASS), any_spinor).abs().square().sum(dim=0)
    antifermion = contract(bar(any_spinor), outgoing_antifermion(massive, MASS)).abs().square().sum(dim=0)
    torch.testing.assert_close(fermion, slashed_norm + MASS * spinor_norm, rtol=1e-11, atol=1e-9)
    torch.testing.assert_close(antifermion, slashed_norm - MASS * spinor_norm, rtol=1e-11, atol=1e-9)


def test_polarizations_are_orthonormal_and_transverse(massless):
    for k in massless:
        vectors = linear_polarizations(k)
        products = minkowski_product(vectors[:, :, None], vectors[:, None])
        expected = -torch.eye(2, dtype=torch.float64)[:, :, None].expand_as(products)
        torch.testing.assert_close(products, expected, rtol=0, atol=1e-14)
        assert minkowski_product(k[:, None], vectors).abs().max() < 1e-10
        assert (vectors[0] == 0).all()


def test_quark_current_is_conserved_and_has_the_norm_of_the_trace(massless):
    p1, p2 = massless
    current = incoming_massless_current(p1, p2)
    s = 2.0 * minkowski_product(p1, p2)
    assert (minkowski_product((p1 + p2).to(current.dtype), current).abs() <= 1e-12 * (p1 + p2)[0] ** 2).all()
    # Tr[P_R p̸1 γ^μ p̸2 γ_μ] = −4 p1·p2; parallel beams have s = 0
    torch.testing.assert_close(minkowski_product(current, current.conj()).real, -2.0 * s, rtol=1e-11, atol=1e-7)


def test_quark_current_of_helicity_sum_is_the_lepton_tensor(massless):
    p1, p2 = massless
    current = incoming_massless_current(p1, p2)
    tensor = 2.0 * (current[:, None] * current[None].conj()).real
    metric = torch.diag(torch.tensor([1.0, -1.0, -1.0, -1.0], dtype=torch.float64))[:, :, None]
    product = minkowski_product(p1, p2)
    expected = 4.0 * (p1[:, None] * p2[None] + p2[:, None] * p1[None] - metric * product)
    torch.testing.assert_close(tensor, expected, rtol=1e-10, atol=1e-6)


def test_massive_polarizations_are_complete(massive):
    """Σ ε^μ ε^ν = −g^{μν} + k^μ k^ν/M², and none has a component along k."""
    vectors = massive_polarizations(massive, MASS)
    metric = torch.diag(torch.tensor([1.0, -1.0, -1.0, -1.0], dtype=torch.float64))
    total = torch.einsum("isn,jsn->ijn", vectors, vectors)
    expected = -metric[..., None] + torch.einsum("in,jn->ijn", massive, massive) / MASS**2
    torch.testing.assert_close(total, expected, rtol=1e-12, atol=1e-11)
    assert minkowski_product(vectors, massive[:, None]).abs().max() < 1e-10
