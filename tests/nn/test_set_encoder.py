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


def test_tokens_are_embedded_standardised_features(sets) -> None:
    (many, _), (mask, _) = sets
    embedding = ObjectEmbedding(3, WIDTH).double()
    embedding.scales.fit(torch.where(mask[..., None], many, torch.nan), mask)
    real = many[mask]
    expected = embedding.embed((real - real.mean(dim=0)) / real.std(dim=0, correction=0))
    torch.testing.assert_close(embedding(many, mask)[mask], expected)
    assert embedding(torch.where(mask[..., None], many, torch.nan), mask).isfinite().all()


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
