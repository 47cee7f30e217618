"""Shares of points: stratified without a bias, never below the least one, and none for what was dropped."""

import pytest
import torch

from partonic.generation.channels.densities import ChannelNetworks, stratified_channels
from partonic.generation.channels.flow import ChannelFlowShape

SHAPE = ChannelFlowShape(dimensions=2, channels=3, layers=2, units=4, bins=4, harmonics=1)


def test_points_are_stratified() -> None:
    shares = torch.tensor([0.05, 0.0, 0.95], dtype=torch.float64)
    counts = torch.stack(
        [
            stratified_channels(shares, 50, torch.Generator().manual_seed(seed)).bincount(minlength=3)
            for seed in range(400)
        ]
    ).double()
    assert bool(((counts - 50 * shares).abs() < 1.0).all())
    assert float(counts[:, 0].mean()) == pytest.approx(2.5, abs=0.1)  # ½/√400 = 0.025
    assert float(counts[:, 1].max()) == 0.0


def test_shares_have_a_least_one_and_sum_to_one() -> None:
    networks = ChannelNetworks(SHAPE, ((0, 1), (2,)), 0.1, torch.float64)
    networks.share_logits.data.copy_(torch.tensor([-200.0, 0.0, 1.0]))
    shares = networks.log_shares().exp().detach()
    assert float(shares.sum()) == pytest.approx(1.0)
    assert float(shares[0]) == pytest.approx(0.1 / 3)
    networks.active[1] = False
    shares = networks.log_shares().exp().detach()
    assert shares.tolist() == pytest.approx([0.05, 0.0, 0.95])


def test_copy_has_the_same_parameters() -> None:
    networks = ChannelNetworks(SHAPE, ((0, 1), (2,)), 0.1, torch.float32)
    networks.share_logits.data.copy_(torch.tensor([0.1, 0.2, 0.3]))
    copy = networks.copy(torch.float64)
    assert copy.flow.dtype == torch.float64
    torch.testing.assert_close(copy.log_shares(), networks.log_shares())
