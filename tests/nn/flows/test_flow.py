"""The contract of every flow: inverse, log-determinant, normalisation, gradients, samples, copies."""

import copy
import math
from itertools import product

import pytest
import torch

from partonic.errors import ConfigError
from partonic.nn.flows import ConditionalFlow, FlowShape
from partonic.rng import torch_generator

CONTEXT = 3
FLOWS = {
    "autoregressive": FlowShape("autoregressive", 3, 6, (24, 20), bound=2.0, base_scale=1.0),
    "autoregressive, narrow": FlowShape("autoregressive", 2, 4, (3,), bound=1.1, base_scale=0.35),
    "coupling": FlowShape("coupling", 4, 6, (24, 20), bound=2.0, base_scale=1.0),
    "coupling, narrow": FlowShape("coupling", 2, 4, (3,), bound=1.1, base_scale=0.35),
    "coupling, affine": FlowShape("coupling", 4, 6, (24, 20), base_scale=1.0, transform="affine"),
    "coupling, quadratic": FlowShape("coupling", 4, 6, (24, 20), bound=2.0, base_scale=1.0, transform="quadratic"),
}
every_flow = pytest.mark.parametrize("shape", FLOWS.values(), ids=FLOWS)


def build(shape, seed, features=4, context=CONTEXT, strength=2.0):
    """A flow in double precision; the stronger, the further from the identity."""
    flow = ConditionalFlow(features, context, shape, torch_generator(seed, "flow")).double()
    with torch.no_grad():
        for parameter in flow.parameters():
            parameter.mul_(strength)
    return flow


def draw(flow, generator, n=50):
    x = 2.0 * flow.config.base_scale * torch.randn(n, flow.features, generator=generator, dtype=torch.float64)
    return x, torch.randn(n, flow.context, generator=generator, dtype=torch.float64)


@every_flow
@pytest.mark.parametrize(("features", "context"), [(2, 3), (4, 3), (5, 0), (7, 1)])
def test_inverse_and_log_determinant(shape, features, context, seed, torch_rng):
    flow = build(shape, seed, features, context)
    x, condition = draw(flow, torch_rng)
    z, log_det = flow(x, condition)
    back, log_det_back = flow.inverse(z, condition)
    torch.testing.assert_close(back, x, rtol=0.0, atol=1e-9)
    torch.testing.assert_close(log_det_back, -log_det, rtol=0.0, atol=1e-7)
    assert (z - x).abs().max() > 0.1
    for event in range(3):
        row = condition[event, None]
        jacobian = torch.autograd.functional.jacobian(lambda x, row=row: flow(x[None], row)[0][0], x[event])
        torch.testing.assert_close(torch.linalg.slogdet(jacobian).logabsdet, log_det[event], rtol=0.0, atol=1e-9)
        inverse = torch.autograd.functional.jacobian(lambda z, row=row: flow.inverse(z[None], row)[0][0], z[event])
        torch.testing.assert_close(inverse @ jacobian, torch.eye(features).double(), rtol=0.0, atol=1e-7)


@pytest.mark.parametrize("kind", ["autoregressive", "coupling"])
@pytest.mark.parametrize("features", range(2, 8))
def test_density_integrates_to_one(kind, features, seed, torch_rng):
    """Mean of q/p over points drawn from a wider Gaussian p, many of them beyond the bound, in units of its error."""
    flow = build(FlowShape(kind, 2, 6, (16, 16), bound=1.5, base_scale=1.0), seed, features, strength=1.3)
    points, width = 40_000, 1.3
    noise = torch.randn(points, features, generator=torch_rng, dtype=torch.float64)
    log_p = -0.5 * noise.square().sum(dim=-1) - features * (math.log(width) + 0.5 * math.log(2.0 * math.pi))
    condition = torch.tensor([[0.3, -1.0, 0.7]], dtype=torch.float64).expand(points, -1)
    with torch.no_grad():
        weights = (flow.log_prob(width * noise, condition) - log_p).exp()
    error = weights.std() / math.sqrt(points)
    assert error < 0.03
    assert abs(weights.mean() - 1.0) < 4.0 * error


@every_flow
def test_every_weight_has_a_gradient(shape, seed, torch_rng):
    flow = build(shape, seed)
    x, context = draw(flow, torch_rng)
    flow.log_prob(x, context).mean().backward()
    for name, parameter in flow.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
        if not name.endswith("0.weight"):
            assert parameter.grad.abs().max() > 0.0, name


@every_flow
def test_inverse_is_differentiable(shape, seed, torch_rng):
    flow = build(shape, seed, features=3, context=1)
    z, context = (values[:3].requires_grad_() for values in draw(flow, torch_rng))
    assert torch.autograd.gradcheck(flow.inverse, (z, context), atol=1e-5, rtol=1e-4)


@every_flow
def test_gradient_of_samples_with_respect_to_weights(shape, seed):
    """Derivative along one direction in the space of weights, against a central difference."""
    flow = build(shape, seed)
    context = torch.randn(20, CONTEXT, generator=torch_generator(seed, "context"), dtype=torch.float64)
    directions = [
        torch.randn(weights.shape, generator=torch_generator(seed, "direction", place), dtype=torch.float64)
        for place, weights in enumerate(flow.parameters())
    ]

    def objective():
        x, log_prob = flow.rsample(context, torch_generator(seed, "noise"))
        return x.square().sum() + log_prob.sum()

    def moved(step):
        with torch.no_grad():
            for weights, direction in zip(flow.parameters(), directions, strict=True):
                weights.add_(direction, alpha=step)
            value = objective()
            for weights, direction in zip(flow.parameters(), directions, strict=True):
                weights.sub_(direction, alpha=step)
        return value

    gradients = torch.autograd.grad(objective(), tuple(flow.parameters()))
    slope = sum((gradient * direction).sum() for gradient, direction in zip(gradients, directions, strict=True))
    step = 1e-6
    torch.testing.assert_close(slope, (moved(step) - moved(-step)) / (2.0 * step), rtol=1e-4, atol=1e-4)


@every_flow
def test_samples_carry_their_density(shape, seed):
    flow = build(shape, seed)
    context = torch.randn(5, CONTEXT, generator=torch_generator(seed, "context"), dtype=torch.float64)
    x, log_prob = flow.sample_and_log_prob(context, 30, torch_generator(seed, "noise"))
    assert x.shape == (5, 30, 4)
    assert not x.requires_grad
    expected = flow.log_prob(x.flatten(0, 1), context.repeat_interleave(30, dim=0)).unflatten(0, (5, 30))
    torch.testing.assert_close(log_prob, expected.detach(), rtol=0.0, atol=1e-8)
    again = flow.sample_and_log_prob(context, 30, torch_generator(seed, "noise"))
    assert torch.equal(again[0], x)
    one, log_one = flow.rsample(context, torch_generator(seed, "noise"))
    torch.testing.assert_close(log_one, flow.log_prob(one, context), rtol=0.0, atol=1e-8)


@every_flow
def test_samples_follow_the_density(shape, seed):
    """Weighted by r/q, samples of q follow the Gaussian r: its norm, means and variances in units of the error."""
    flow = build(shape, seed, strength=0.8)
    context = torch.zeros(1, CONTEXT, dtype=torch.float64)
    points, width = 40_000, 0.7 * flow.config.base_scale
    x, log_q = (values[0] for values in flow.sample_and_log_prob(context, points, torch_generator(seed, "noise")))
    scaled = x / width
    log_r = -0.5 * scaled.square().sum(dim=-1) - 4.0 * (math.log(width) + 0.5 * math.log(2.0 * math.pi))
    weights = (log_r - log_q).exp()[:, None]
    for terms, expected in ((weights, 1.0), (weights * scaled, 0.0), (weights * scaled.square(), 1.0)):
        error = terms.std(dim=0) / math.sqrt(points)
        assert (error < 0.04).all()
        assert ((terms.mean(dim=0) - expected).abs() < 4.0 * error).all()


@pytest.mark.parametrize("kind", ["autoregressive", "coupling"])
def test_reduced_precision_is_close(kind, seed):
    flow = ConditionalFlow(4, CONTEXT, FlowShape(kind, 2, 8, (32, 32)), torch_generator(seed, "flow"))
    context = torch.randn(3, CONTEXT, generator=torch_generator(seed, "context"))
    full, half = (
        flow.sample_and_log_prob(context, 200, torch_generator(seed, "noise"), precision)
        for precision in ("float32", "bfloat16")
    )
    assert half[0].dtype == torch.float32
    assert 0.0 < (half[0] - full[0]).abs().max() < 0.05
    assert 0.0 < (half[1] - full[1]).abs().max() < 0.2


@every_flow
def test_copies_and_changed_weights(shape, seed):
    """After sampling, a flow can be copied, and new weights take effect."""
    flow, other = build(shape, seed), build(shape, seed + 1)
    context = torch.zeros(2, CONTEXT, dtype=torch.float64)

    def samples(flow):
        return flow.sample_and_log_prob(context, 3, torch_generator(seed, "noise"))[0]

    before = samples(flow)
    assert torch.equal(samples(copy.deepcopy(flow)), before)
    flow.load_state_dict(other.state_dict())
    assert torch.equal(samples(flow), samples(other))
    assert not torch.equal(samples(flow), before)


@every_flow
def test_first_weights_come_from_the_generator(shape, seed):
    first, second = (ConditionalFlow(4, CONTEXT, shape, torch_generator(seed, "flow")) for _ in range(2))
    for left, right in zip(first.parameters(), second.parameters(), strict=True):
        assert torch.equal(left, right)
        assert 0.0 < left.abs().max() <= 1.0


def test_one_number_and_no_context(seed, torch_rng):
    for features, context in product((1, 3), (0, 2)):
        flow = build(FLOWS["autoregressive"], seed, features, context)
        x, condition = draw(flow, torch_rng)
        z, log_det = flow(x, condition)
        back, log_det_back = flow.inverse(z, condition)
        torch.testing.assert_close(back, x, rtol=0.0, atol=1e-9)
        torch.testing.assert_close(log_det_back, -log_det, rtol=0.0, atol=1e-8)


def test_no_events(seed):
    flow = build(FLOWS["autoregressive"], seed)
    x, context = torch.zeros(0, 4, dtype=torch.float64), torch.zeros(0, CONTEXT, dtype=torch.float64)
    assert flow.log_prob(x, context).shape == (0,)
    assert flow.inverse(x, context)[0].shape == (0, 4)


@pytest.mark.parametrize(
    "wrong", [{"transforms": 0}, {"bins": 1}, {"hidden": ()}, {"hidden": (8, 0)}, {"bound": 0.0}, {"base_scale": -1.0}]
)
def test_impossible_sizes(wrong):
    with pytest.raises(ConfigError, match="a flow"):
        FlowShape(**wrong)


@pytest.mark.parametrize(
    ("kind", "features", "context"), [("coupling", 1, 2), ("autoregressive", 0, 2), ("coupling", 3, -1)]
)
def test_impossible_dimensions(kind, features, context):
    with pytest.raises(ConfigError, match=f"features={features}, context={context}"):
        ConditionalFlow(features, context, FlowShape(kind))
