"""Each network of a GAN learns from its own loss, the critic alone in some steps."""

import pytest
import torch
from toys import bent

from partonic.config.generative import GanConfig
from partonic.nn.generative import build_generative_model
from partonic.rng import torch_generator


def gradients(model, generator):
    data, conditions = (values.float() for values in bent(64, torch_generator(1, "data")))
    loss, watched = model.training_loss((data - 100.0) / 10.0, conditions, torch.ones(64), generator)
    model.zero_grad(set_to_none=True)
    loss.backward()
    return watched, {name: parameter.grad for name, parameter in model.named_parameters()}


@pytest.mark.parametrize("loss", ["non_saturating", "wasserstein"])
def test_critic_learns_nothing_from_the_loss_of_the_generator(loss):
    """Its gradient is that of its own loss and penalty; the generator's is that of its own loss."""
    config = GanConfig(hidden=(8, 8), loss=loss, critic_steps=1)
    model = build_generative_model(config, 2, 1, torch_generator(2, "build"))
    watched, found = gradients(model, torch_generator(3, "step"))
    data, conditions = (values.float() for values in bent(64, torch_generator(1, "data")))
    arguments = ((data - 100.0) / 10.0, conditions, torch.ones(64), torch_generator(3, "step"))
    again = model.training_loss(*arguments)[1]
    assert all(torch.equal(value, watched[name]) for name, value in again.items())
    for prefix, own in (
        ("critic", again["critic"] + model.penalty * again["penalty"]),
        ("generator", again["generator"]),
    ):
        named = [(name, weight) for name, weight in model.named_parameters() if name.startswith(prefix)]
        expected = torch.autograd.grad(own, [weight for _, weight in named], retain_graph=True, allow_unused=True)
        for (name, weight), slope in zip(named, expected, strict=True):
            wanted = torch.zeros_like(weight) if slope is None else slope
            torch.testing.assert_close(found[name], wanted, msg=name)


def test_generator_waits_for_the_critic():
    """With three steps of the critic for one, its weights have no gradient in about two thirds of the steps."""
    model = build_generative_model(GanConfig(hidden=(8,), critic_steps=3), 2, 1, torch_generator(2, "build"))
    generator, moved = torch_generator(4, "steps"), 0
    for _ in range(150):
        _, found = gradients(model, generator)
        assert all(slope is not None for name, slope in found.items() if name.startswith("critic"))
        moved += found["generator_network.0.weight"] is not None
    assert 50 - 4 * 5.8 < moved < 50 + 4 * 5.8
