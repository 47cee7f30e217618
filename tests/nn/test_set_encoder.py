"""Encoder and decoder of sets: scales from real objects only, no order, no influence of padding."""

import pytest
import torch

from partonic.nn.attention import AttentionStack
from partonic.nn.packing import Packing
from partonic.nn.set_encoder import ObjectEmbedding, SetDecoder, SetEncoder

WIDTH = 8


def stack() -> AttentionStack:
    return AttentionStack(1, WIDTH, 2, 16)


@pytest.fixture
def network(seed: int) -> tuple[SetEncoder, SetDecoder]:
    torch.manual_seed(seed)
    return SetEncoder((3, 2), stack(), WIDTH).double(), SetDecoder(stack(), WIDTH).double()


@pytest.fixture
def sets(torch_rng: torch.Generator) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
    many = 2.0 + 3.0 * torch.randn(50, 6, 3, generator=torch_rng, dtype=torch.float64)
    one = torch.randn(50, 1, 2, generator=torch_rng, dtype=torch.float64)
    sizes = torch.randint(0, 7, (50, 1), generator=torch_rng)
    return [many, one], [torch.arange(6) < sizes, torch.ones(50, 1, dtype=torch.bool)]


def test_scales_are_those_of_real_objects(sets) -> None:
    (many, _), (mask, _) = sets
    embedding = ObjectEmbedding(3, WIDTH).double()
    embedding.fit_scales(torch.where(mask[..., None], many, 1e9), mask)
    scaled = embedding.standardise(many, mask)
    torch.testing.assert_close(scaled[mask].mean(dim=0), torch.zeros(3).double(), atol=1e-6, rtol=0.0)
    torch.testing.assert_close(scaled[mask].std(dim=0, correction=0), torch.ones(3).double(), atol=1e-6, rtol=0.0)
    assert not scaled[~mask].any()


def test_constant_features_are_only_shifted() -> None:
    embedding = ObjectEmbedding(1, WIDTH)
    embedding.fit_scales(torch.full((4, 2, 1), 7.0), torch.ones(4, 2, dtype=torch.bool))
    assert torch.equal(embedding.scale, torch.ones(1))
    assert not embedding.standardise(torch.full((4, 2, 1), 7.0), torch.ones(4, 2, dtype=torch.bool)).any()


def test_order_and_padding_change_nothing(network, sets, torch_rng: torch.Generator) -> None:
    encoder, decoder = network
    (many, one), (mask, always) = sets
    encoder.fit_scales([many, one], [mask, always])
    order = torch.randperm(6, generator=torch_rng)
    shuffled = torch.where(mask[..., None], many, torch.nan)[:, order]
    expected = decoder(*encoder([many, one], [mask, always]))
    torch.testing.assert_close(decoder(*encoder([shuffled, one], [mask[:, order], always])), expected)


def test_decoder_averages_over_real_objects(network, sets) -> None:
    encoder, decoder = network
    rows, packing = encoder(*sets)
    assert isinstance(packing, Packing)
    whole = packing.unpack(decoder.norm(decoder.stack.on_rows(rows, packing)))
    expected = whole.sum(dim=1) / torch.cat(sets[1], dim=1).sum(dim=1, keepdim=True)
    torch.testing.assert_close(decoder(rows, packing), expected)
