"""Masked networks: what sees what, the blocks against full matrices, and the weights that are kept in evaluation."""

import pytest
import torch
from torch.nn import functional
from zuko.flows.autoregressive import MaskedAutoregressiveTransform

from partonic.nn.flows.masked import MaskedNetwork
from partonic.nn.flows.triangular import SMALLEST_BLOCK

ORDERS = pytest.mark.parametrize("order", [(0, 1, 2, 3, 4), (4, 3, 2, 1, 0), (2, 0, 4, 1, 3)], ids=str)


def build(order, generator, context=3, hidden=(200, 150), outputs=47):
    return MaskedNetwork(order, context, hidden, outputs, generator).double()


def dense(network, x, context):
    """The same network from its stored, unsorted weights: x and context as rows, outputs by feature."""
    values = torch.cat((x, context), dim=-1)
    for layer in network.layers:
        values = functional.linear(values, layer.weight * layer.mask, layer.bias)
        if layer is not network.layers[-1]:
            values = values.relu()
    return values.unflatten(-1, (len(network.order), network.outputs))


def inputs_of(network, generator, n=7):
    x = torch.randn(n, len(network.order), generator=generator, dtype=torch.float64)
    return x, torch.randn(n, network.context, generator=generator, dtype=torch.float64)


def evaluate(network, x, context):
    """Outputs by feature, with events as rows."""
    return network(x.T[network.drawn], context.T)[network.place].permute(2, 0, 1)


@ORDERS
@pytest.mark.parametrize("context", [0, 3])
@pytest.mark.parametrize("hidden", [(200, 150), (3, 2), (64,), (70, 300, 65)], ids=str)
def test_blocks_equal_full_matrices(order, context, hidden, torch_rng):
    network = build(order, torch_rng, context, hidden)
    x, condition = inputs_of(network, torch_rng)
    x.requires_grad_()
    found, expected = evaluate(network, x, condition), dense(network, x, condition)
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-12)
    weights = torch.randn(found.shape, generator=torch_rng, dtype=torch.float64)
    wanted = (x, *network.parameters())
    gradients = [torch.autograd.grad((weights * values).sum(), wanted) for values in (found, expected)]
    torch.testing.assert_close(gradients[0], gradients[1], rtol=1e-11, atol=1e-11)


@ORDERS
def test_numbers_see_only_numbers_before_them(order, torch_rng):
    network = build(order, torch_rng)
    x, context = inputs_of(network, torch_rng, n=1)
    jacobian = torch.autograd.functional.jacobian(lambda x: evaluate(network, x, context), x)[0, :, :, 0]
    degrees = torch.tensor(order)
    allowed = degrees[:, None] > degrees
    assert torch.equal((jacobian != 0.0).any(dim=1), allowed)


@pytest.mark.parametrize("order", [(0, 1, 2, 3, 4), (4, 3, 2, 1, 0)], ids=str)
@pytest.mark.parametrize(("context", "hidden"), [(3, (16, 9)), (0, (16, 9)), (2, (3, 7, 4))])
def test_masks_are_those_of_zuko(order, context, hidden, torch_rng):
    ours = MaskedNetwork(order, context, hidden, 2, torch_rng)
    theirs = MaskedAutoregressiveTransform(5, context, order=torch.tensor(order), hidden_features=hidden)
    masks = [layer.mask for layer in theirs.hyper if hasattr(layer, "mask")]
    assert [torch.equal(layer.mask, mask) for layer, mask in zip(ours.layers, masks, strict=True)] == [True] * len(
        masks
    )


def test_blocks_are_few_and_thick(torch_rng):
    network = build((0, 1, 2, 3, 4), torch_rng, hidden=(512, 512), outputs=119)
    for layer in network.layers:
        assert all(block.stop - block.start >= SMALLEST_BLOCK for block in layer.blocks[:-1])
        used = sum((block.stop - block.start) * block.columns for block in layer.blocks)
        assert used <= 0.65 * layer.mask.numel() or layer is network.layers[0]


def test_only_weights_biases_and_masks_are_saved(torch_rng):
    names = {name.rpartition(".")[2] for name in build((0, 1, 2), torch_rng).state_dict()}
    assert names == {"weight", "bias", "mask"}


@pytest.mark.parametrize(
    "change",
    [
        lambda network, other: network.load_state_dict(other.state_dict()),
        lambda network, other: network.load_state_dict(other.state_dict(), assign=True),
        lambda network, other: torch.optim.SGD(network.parameters(), lr=0.1).step(),
        lambda network, other: network.half().double(),
    ],
    ids=["load", "assign", "step", "convert"],
)
def test_weights_kept_in_evaluation_follow_changes(change, torch_rng):
    network, other = build((0, 1, 2), torch_rng).eval(), build((0, 1, 2), torch_rng)
    x, context = inputs_of(network, torch_rng)
    evaluate(network, x, context).square().sum().backward()
    with torch.inference_mode():
        before = evaluate(network, x, context)
        assert torch.equal(evaluate(network, x, context), before)
    change(network, other)
    with torch.no_grad():
        after = evaluate(network, x, context)
        assert not torch.equal(after, before)
        torch.testing.assert_close(after, dense(network, x, context), rtol=1e-12, atol=1e-12)


def test_frozen_network_hands_on_gradients(torch_rng):
    network = build((0, 1, 2), torch_rng).eval().requires_grad_(requires_grad=False)
    x, context = inputs_of(network, torch_rng)
    with torch.inference_mode():
        evaluate(network, x, context)
    context.requires_grad_()
    gradients = [torch.autograd.grad(run(network, x, context).sum(), context)[0] for run in (evaluate, dense)]
    torch.testing.assert_close(gradients[0], gradients[1], rtol=1e-12, atol=1e-12)
