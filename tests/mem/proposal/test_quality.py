"""Coverage of the regions of highest density, on events whose partons are drawn from the proposal itself."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from mem.channel_toys import random_network, reco_of, write_channel_store
from partonic.features.decay_channel import DecayChannelName
from partonic.mem.proposal.quality import ProposalCoverage, proposal_coverage
from partonic.unfolding.decay_channel.network import DecayChannelConditions, DecayChannelNetwork


def drawn(
    model: DecayChannelNetwork, events: int, generator: torch.Generator
) -> tuple[torch.Tensor, DecayChannelConditions]:
    """Events with random conditions, and partons that their densities give."""
    conditions = DecayChannelConditions(
        torch.randn((events, model.targets.outputs), generator=generator),
        torch.randn((events, 4), generator=generator),
        torch.zeros((events, len(model.view.masses) + 1, 5)),
    )
    noise = torch.randn((events, 1, model.view.dimensions), generator=generator)
    numbers, log_slope = model.transport(conditions, noise)
    assert torch.isfinite(log_slope).double().mean() > 0.99
    return numbers[:, 0], conditions


@pytest.mark.parametrize("name", ["semileptonic", "all_hadronic"])
def test_coverage_is_that_of_the_regions_where_partons_follow_the_proposal(
    name: DecayChannelName, tmp_path: Path, torch_rng: torch.Generator
) -> None:
    reco = reco_of(write_channel_store(tmp_path / "events.parquet", name, 10))
    model = random_network(name, reco).network
    numbers, conditions = drawn(model, 1200, torch_rng)
    found = proposal_coverage(model, numbers, conditions)
    low, high = found.errors
    assert low < 0.015
    assert abs(found.low - 0.68) < 4.0 * low + 0.01
    assert abs(found.high - 0.95) < 4.0 * high + 0.01
    model.flow.flow.config = replace(model.flow.flow.config, base_scale=0.7)  # too sure of itself
    assert proposal_coverage(model, numbers, conditions).low < 0.5


def test_coverage_in_words() -> None:
    assert str(ProposalCoverage(0.671, 0.94, 2000)) == "coverage 67.1 ± 1.0% of 68%, 94.0 ± 0.5% of 95%"
