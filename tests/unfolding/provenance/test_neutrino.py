import torch

from partonic.physics.fourvector import invariant_mass
from partonic.physics.kinematics import from_pt_eta_phi_m
from partonic.unfolding.provenance.neutrino import with_neutrino


def leptons(generator, count=200):
    pt, eta, phi = 100.0 * torch.rand(count, generator=generator), torch.randn(count, generator=generator), 0.0
    parts = [pt + 25.0, eta, torch.full((count,), phi), torch.zeros(count)]
    return from_pt_eta_phi_m(torch.stack(parts, dim=-1).double())


def test_w_mass_where_it_can_be(torch_rng):
    lepton = leptons(torch_rng)
    missing = 30.0 * torch.randn(200, 2, generator=torch_rng).double()
    total = with_neutrino(lepton, missing)
    torch.testing.assert_close(total[:, 1:3], lepton[:, 1:3] + missing)
    mass = invariant_mass(total[:, None])
    assert (mass > 80.4 - 1e-6).all()
    real = (mass - 80.4).abs() < 1e-6
    assert 0.3 < real.double().mean() < 1.0


def test_solution_closer_to_zero(torch_rng):
    """The other root of the same equation, found by scanning pz, is farther from zero."""
    lepton = leptons(torch_rng, 20)
    missing = 20.0 * torch.randn(20, 2, generator=torch_rng).double()
    pz = with_neutrino(lepton, missing)[:, 3] - lepton[:, 3]
    scan = torch.linspace(-1.0, 1.0, 20_001).double() * pz.abs()[:, None] * 0.999
    neutrino = torch.stack([*(missing[:, k, None].expand_as(scan) for k in (0, 1)), scan], dim=-1)
    energy = neutrino.norm(dim=-1, keepdim=True)
    mass = invariant_mass((lepton[:, None] + torch.cat([energy, neutrino], dim=-1))[:, :, None])
    crossed = ((mass[:, 1:] - 80.4) * (mass[:, :-1] - 80.4) < 0).any(dim=1)
    assert not crossed.any()
