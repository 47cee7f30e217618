"""Attention layers: symmetric in the objects, blind to padding, finite everywhere, equal to torch's own layer."""

import pytest
import torch
from torch import nn

from partonic.errors import ConfigError
from partonic.nn.attention import AttentionBlock, AttentionStack
from partonic.nn.packing import Packing

WIDTH, HEADS, HIDDEN = 16, 4, 32


@pytest.fixture
def stack(seed: int) -> AttentionStack:
    torch.manual_seed(seed)
    return AttentionStack(2, WIDTH, HEADS, HIDDEN).double()


@pytest.fixture
def events(torch_rng: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    objects = torch.randn(6, 7, WIDTH, generator=torch_rng, dtype=torch.float64)
    return objects, torch.arange(7) < torch.tensor([7, 1, 3, 4, 6, 2])[:, None]


def test_exchanging_objects_exchanges_their_outputs(stack: AttentionStack, events, torch_rng: torch.Generator) -> None:
    objects, mask = events
    order = torch.randperm(7, generator=torch_rng)
    torch.testing.assert_close(stack(objects[:, order], mask[:, order]), stack(objects, mask)[:, order])


def test_exchanging_events_exchanges_their_outputs(stack: AttentionStack, events, torch_rng: torch.Generator) -> None:
    objects, mask = events
    order = torch.randperm(6, generator=torch_rng)
    torch.testing.assert_close(stack(objects[order], mask[order]), stack(objects, mask)[order])


def test_padding_is_never_looked_at(stack: AttentionStack, events) -> None:
    objects, mask = events
    other = torch.where(mask[..., None], objects, torch.nan)
    assert torch.equal(stack(objects, mask), stack(other, mask))
    assert not stack(objects, mask)[~mask].any()


def test_removing_padding_changes_nothing(stack: AttentionStack, events) -> None:
    objects, mask = events
    whole = stack(objects, mask)
    for event, count in enumerate(mask.sum(dim=1).tolist()):
        alone = stack(objects[event : event + 1, :count], mask[event : event + 1, :count])
        torch.testing.assert_close(alone[0], whole[event, :count])


def test_events_without_objects_are_finite(stack: AttentionStack, events) -> None:
    objects, mask = events
    leaf = objects.clone().requires_grad_()
    mask = mask.clone()
    mask[2] = False
    outputs = stack(leaf, mask)
    outputs.square().sum().backward()
    assert outputs.isfinite().all()
    assert leaf.grad is not None
    assert leaf.grad.isfinite().all()
    assert all(weight.grad is not None and weight.grad.isfinite().all() for weight in stack.parameters())


def test_agrees_with_the_layer_of_torch(events, seed: int) -> None:
    torch.manual_seed(seed)
    block = AttentionBlock(WIDTH, HEADS, HIDDEN).double()
    reference = nn.TransformerEncoderLayer(WIDTH, HEADS, HIDDEN, 0.0, batch_first=True, norm_first=True).double()
    names = {
        "attention_norm": "norm1",
        "queries_keys_values": "self_attn.in_proj_",
        "join_heads": "self_attn.out_proj",
        "network_norm": "norm2",
        "expand": "linear1",
        "contract": "linear2",
    }
    state = {}
    for name, value in block.state_dict().items():
        module, _, kind = name.rpartition(".")
        target = names[module]
        state[f"{target}{kind}" if target.endswith("_") else f"{target}.{kind}"] = value
    reference.load_state_dict(state)
    objects, mask = events
    expected = reference(objects, src_key_padding_mask=~mask)
    torch.testing.assert_close(block(objects, mask)[mask], expected[mask])


def test_heads_must_divide_the_width() -> None:
    with pytest.raises(ConfigError, match="multiple of the heads, got 10 and 4"):
        AttentionBlock(10, 4, 8)


def test_an_object_with_a_bias_of_minus_infinity_is_not_looked_at_by_the_others(stack: AttentionStack, events) -> None:
    objects, mask = events
    packing, last = Packing.of(mask), mask.sum(dim=1) - 1
    blocks = packing.split(packing.pack(objects))
    bias = [torch.zeros(len(block), HEADS, block.shape[1], block.shape[1], dtype=torch.float64) for block in blocks]
    for block in bias:
        if block.shape[-1] > 1:
            block[:, :, -1, :-1] = -torch.inf
    found = packing.unpack(stack.on_rows(packing.pack(objects), packing, bias))
    short = mask & (torch.arange(7) != last[:, None])
    torch.testing.assert_close(found[short], stack(objects, short)[short])
    none = [torch.zeros_like(block) for block in bias]
    assert torch.equal(
        stack.on_rows(packing.pack(objects), packing, none), stack.on_rows(packing.pack(objects), packing)
    )
