"""Features of pairs against their definitions."""

import math

import pytest
import torch

from partonic.nn.packing import Packing
from partonic.physics.kinematics import from_pt_eta_phi_m
from partonic.sbi.backbones.pairs import PAIR_FEATURES, PairBias, packed_pair_features, pair_features


def momenta(*objects):
    return from_pt_eta_phi_m(torch.tensor(objects, dtype=torch.float64))


def test_values_of_a_pair():
    """Massless: y = η, and m² = 2 pT pT (cosh Δη − cos Δφ)."""
    features = pair_features(momenta((2.0, 0.5, 3.0, 0.0), (1.0, -0.3, -3.0, 0.0))[None])[0]
    delta_phi = 2 * math.pi - 6.0
    distance = math.hypot(0.8, delta_phi)
    mass = 4.0 * (math.cosh(0.8) - math.cos(delta_phi))
    expected = [math.log(distance), math.log(distance), math.log(1 / 3), math.log(mass), 0.8, math.cos(delta_phi), 1.0]
    assert features[0, 1].tolist() == pytest.approx(expected, rel=1e-9)
    torch.testing.assert_close(features[0, 1], features[1, 0])
    assert len(PAIR_FEATURES) + 1 == features.shape[-1]


def test_no_pair_of_one_and_none_with_a_vanishing_momentum():
    features = pair_features(torch.cat([momenta((2.0, 0.5, 3.0, 0.0)), torch.zeros(1, 4).double()])[None])
    assert not features.any()


def test_close_and_equal_momenta_stay_finite():
    same = momenta((2.0, 0.5, 3.0, 0.0), (2.0, 0.5, 3.0, 0.0), (900.0, 4.9, 1.0, 0.0))[None].float()
    assert torch.isfinite(pair_features(same)).all()


def test_bias_of_blocks_is_that_of_each_pair():
    torch.manual_seed(1)
    real = torch.tensor([[True, True, False], [True, True, True], [True, False, False]])
    table = momenta(*[(1.0 + i, 0.1 * i, 0.7 * i, 0.2) for i in range(9)]).float().view(3, 3, 4) * real[..., None]
    packing = Packing.of(real)
    bias = PairBias(5, 2)
    blocks = bias(packed_pair_features(packing.pack(table), packing))
    assert [tuple(block.shape) for block in blocks] == [(1, 2, 1, 1), (1, 2, 2, 2), (1, 2, 3, 3)]
    direct = bias.contract(torch.nn.functional.silu(bias.expand(pair_features(table))))
    torch.testing.assert_close(blocks[2][0], direct[1].permute(2, 0, 1))
    torch.testing.assert_close(blocks[1][0], direct[0, :2, :2].permute(2, 0, 1))
    assert not blocks[2][0].diagonal(dim1=1, dim2=2).any()
