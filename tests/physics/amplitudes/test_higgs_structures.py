"""Structures of H and two vector bosons: gauge invariance, the sign of ε, and the fields that they come from."""

import pytest
import torch

from partonic.physics.amplitudes.higgs_structures import lorentz_structures
from partonic.physics.amplitudes.wavefunctions import component_first, incoming_massless_current
from partonic.physics.phasespace.rambo import Rambo


def points(generator, count=200, energy=600.0):
    """q, q̄, H, ℓ, ℓ̄, components first."""
    numbers = torch.rand(count, 5, generator=generator, dtype=torch.float64)
    final, _ = Rambo((125.0, 0.0, 0.0)).forward(numbers, torch.full((count,), energy, dtype=torch.float64))
    beams = torch.tensor([[1.0, 0, 0, 1], [1, 0, 0, -1]], dtype=torch.float64) * energy / 2
    return component_first(torch.cat([beams.expand(count, 2, 4), final], dim=1))


@pytest.mark.parametrize("replaced", ["quark", "outgoing"])
def test_field_strengths_are_gauge_invariant(torch_rng, replaced):
    """T₂ and T₃ vanish where a current is replaced by its momentum, whatever the other one; currents are conserved."""
    momenta = points(torch_rng)
    total, k = momenta[0] + momenta[1], momenta[3] + momenta[4]
    quark = incoming_massless_current(momenta[0], momenta[1])[:, None]
    lepton = incoming_massless_current(momenta[4], momenta[3])[:, None]
    physical = lorentz_structures(total, k, quark, lepton)
    energies = {"quark": (total[:, None] + 0j, lepton), "outgoing": (quark, k[:, None])}
    longitudinal = lorentz_structures(total, k, *energies[replaced])
    assert (longitudinal[1:].abs() / physical[1:].abs().amax(dim=-1, keepdim=True)).max() < 1e-12
    for vector, current in ((total, quark), (k, lepton)):
        product = vector[0] * current[0, 0] - (vector[1:] * current[1:, 0]).sum(dim=0)
        assert product.abs().max() < 1e-9 * current.abs().max() * vector[0].max()


def test_sign_of_epsilon():
    """ε_{0123} = +1 on the four axes, in the order q, J, k, K."""
    axes = torch.eye(4, dtype=torch.float64)[:, :, None]
    structures = lorentz_structures(axes[0], axes[2], axes[1][:, None] + 0j, axes[3][:, None])
    assert structures[2].item() == 1.0


def test_field_strengths_of_plane_waves(torch_rng):
    """T₂ = ½ F_{μν} G^{μν} and T₃ = ½ F_{μν} G̃^{μν} of F = q∧J and G = k∧K."""
    q, k, j, other = (torch.randn(4, 1, generator=torch_rng, dtype=torch.float64) for _ in range(4))
    metric = torch.diag(torch.tensor([1.0, -1, -1, -1], dtype=torch.float64))
    field = [(torch.outer(a[:, 0], b[:, 0]) - torch.outer(b[:, 0], a[:, 0])) for a, b in ((q, j), (k, other))]
    lowered = metric @ field[1] @ metric
    structures = lorentz_structures(q, k, j[:, None] + 0j, other[:, None])
    assert structures[1].item().real == pytest.approx(0.5 * float((field[0] * lowered).sum()))
    epsilon = torch.zeros(4, 4, 4, 4, dtype=torch.float64)
    for permutation in torch.cartesian_prod(*[torch.arange(4)] * 4):
        if len(set(permutation.tolist())) == 4:
            epsilon[tuple(permutation)] = torch.linalg.det(torch.eye(4, dtype=torch.float64)[permutation])
    dual = 0.25 * torch.einsum("abcd,ab,cd->", epsilon, field[0], field[1])
    assert structures[2].item().real == pytest.approx(float(dual))
