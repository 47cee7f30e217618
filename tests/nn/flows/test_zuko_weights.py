"""The same weights give the same density, samples and gradients as zuko's neural spline flow."""

import pytest
import torch
import zuko

from partonic.errors import ConfigError
from partonic.nn.flows import ConditionalFlow, FlowShape, load_zuko_weights

SHAPES = {
    "small": (3, 2, 2, 4, (8, 8)),
    "without context": (4, 0, 3, 8, (16, 16)),
    "fewer units than numbers": (6, 2, 2, 5, (4, 7, 5)),
    "seven numbers": (7, 22, 4, 16, (128, 128)),
    "published": (10, 16, 6, 40, (512, 512)),
}
every_shape = pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)


def pair(shape, seed, dtype=torch.float64):
    features, context, transforms, bins, hidden = shape
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        theirs = zuko.flows.NSF(features, context, transforms=transforms, bins=bins, hidden_features=hidden)
    ours = ConditionalFlow(features, context, FlowShape("autoregressive", transforms, bins, hidden))
    load_zuko_weights(ours, theirs.state_dict())
    return ours.to(dtype), theirs.to(dtype)


def draw(shape, generator, dtype=torch.float64):
    x = 2.5 * torch.randn(64, shape[0], generator=generator, dtype=dtype)
    return x, torch.randn(64, shape[1], generator=generator, dtype=dtype)


def given(flow, context):
    return flow(context if context.shape[1] else None)


@every_shape
def test_density_samples_and_gradients(shape, seed, torch_rng):
    ours, theirs = pair(shape, seed)
    x, context = draw(shape, torch_rng)
    x.requires_grad_()
    found, expected = ours.log_prob(x, context), given(theirs, context).log_prob(x)
    torch.testing.assert_close(found, expected, rtol=1e-10, atol=1e-10)
    gradients = (
        torch.autograd.grad(found.mean(), (x, *ours.parameters())),
        torch.autograd.grad(expected.mean(), (x, *theirs.parameters())),
    )
    torch.testing.assert_close(gradients[0], gradients[1], rtol=1e-8, atol=1e-10)
    with torch.no_grad():
        sampled = ours.inverse(x, context)[0]
        torch.testing.assert_close(sampled, given(theirs, context).transform.inv(x), rtol=0.0, atol=1e-9)


@every_shape
def test_single_precision(shape, seed, torch_rng):
    """Closer to the density in double precision than a few roundings, and about as close as zuko."""
    ours, theirs = pair(shape, seed, torch.float32)
    x, context = draw(shape, torch_rng, torch.float32)
    with torch.no_grad():
        found, single = ours.log_prob(x, context).double(), given(theirs, context).log_prob(x).double()
        exact = given(theirs.double(), context.double()).log_prob(x.double())
        torch.testing.assert_close(found, exact, rtol=0.0, atol=1e-4)
        assert (found - exact).square().mean().sqrt() < 2.0 * (single - exact).square().mean().sqrt() + 1e-6


def test_published_size():
    """5.3 million parameters (CMS-DP-2023-85)."""
    features, context, transforms, bins, hidden = SHAPES["published"]
    flow = ConditionalFlow(features, context, FlowShape("autoregressive", transforms, bins, hidden))
    assert sum(parameter.numel() for parameter in flow.parameters()) == 5_321_700


def remove(state):
    del state["transform.transforms.1.hyper.2.weight"]


def add(state):
    state["transform.transforms.2.hyper.0.weight"] = torch.zeros(8, 5)


def widen(state):
    state["transform.transforms.0.hyper.0.weight"] = torch.zeros(9, 5)


def permute(state):
    state["transform.transforms.0.order"] = torch.tensor([1, 0, 2])


def unmask(state):
    state["transform.transforms.0.hyper.0.mask"] = torch.ones(8, 5, dtype=torch.bool)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (remove, "lack the tensor 'transform.transforms.1.hyper.2.weight'"),
        (add, "tensors that the flow lacks, e.g. 'transform.transforms.2.hyper.0.weight'"),
        (widen, r"shape \(9, 5\), the flow expects \(8, 5\)"),
        (permute, "'transform.transforms.0.order' differs"),
        (unmask, "'transform.transforms.0.hyper.0.mask' differs"),
    ],
)
def test_weights_that_do_not_fit(spoil, message, seed):
    ours, theirs = pair(SHAPES["small"], seed)
    state = theirs.state_dict()
    spoil(state)
    with pytest.raises(ConfigError, match=message):
        load_zuko_weights(ours, state)


def test_coupling_flow_takes_no_zuko_weights(seed):
    _, theirs = pair(SHAPES["small"], seed)
    with pytest.raises(ConfigError, match="autoregressive flow only"):
        load_zuko_weights(ConditionalFlow(3, 2, FlowShape("coupling", 2, 4, (8, 8))), theirs.state_dict())
