"""Packing: there and back, means over real objects, and sets of any size, none included."""

import pytest
import torch

from partonic.nn.packing import Packing

SIZES = (3, 0, 5, 1, 3)


@pytest.fixture
def padded(torch_rng: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    return torch.randn(5, 6, 2, generator=torch_rng), torch.arange(6) < torch.tensor(SIZES)[:, None]


def test_there_and_back(padded) -> None:
    objects, mask = padded
    packing = Packing.of(mask)
    rows = packing.pack(objects)
    assert len(rows) == sum(SIZES)
    assert torch.equal(packing.unpack(rows), torch.where(mask[..., None], objects, 0.0))


def test_blocks_hold_events_of_equal_size(padded) -> None:
    objects, mask = padded
    packing = Packing.of(mask)
    assert packing.blocks == ((1, 0), (1, 1), (2, 3), (1, 5))
    threes = packing.split(packing.pack(objects))[2]
    assert torch.equal(threes, objects[[0, 4], :3])


def test_first_object_and_zero_for_none(padded) -> None:
    objects, mask = padded
    packing = Packing.of(mask)
    expected = torch.where(mask[:, :1], objects[:, 0], 0.0)
    assert torch.equal(packing.first(packing.pack(objects)), expected)
    assert Packing.of(mask[:0]).first(torch.zeros(0, 2)).shape == (0, 2)


def test_mean_is_that_of_real_objects_and_zero_for_none(padded) -> None:
    objects, mask = padded
    packing = Packing.of(mask)
    means = packing.mean(packing.pack(objects))
    for event, size in enumerate(SIZES):
        expected = objects[event, :size].mean(dim=0) if size else torch.zeros(2)
        torch.testing.assert_close(means[event], expected)


def test_real_objects_may_stand_anywhere(padded, torch_rng: torch.Generator) -> None:
    objects, mask = padded
    order = torch.randperm(6, generator=torch_rng)
    packing, shuffled = Packing.of(mask), Packing.of(mask[:, order])
    torch.testing.assert_close(
        shuffled.mean(shuffled.pack(objects[:, order])), packing.mean(packing.pack(objects)), rtol=1e-6, atol=1e-6
    )


def test_gradients_reach_real_objects_only(padded) -> None:
    objects, mask = padded
    leaf = objects.clone().requires_grad_()
    packing = Packing.of(mask)
    packing.mean(packing.pack(leaf)).sum().backward()
    expected = mask / mask.sum(dim=1, keepdim=True).clamp(min=1)
    assert leaf.grad is not None
    torch.testing.assert_close(leaf.grad, expected[..., None].expand(-1, -1, 2).float())
