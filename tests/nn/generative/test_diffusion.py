"""Samplers of diffusion on a network that knows the answer: Gaussian data, whose noise is linear in the point."""

import math

import pytest
import torch
from torch import nn

from partonic.config.generative import DiffusionConfig, SolverConfig
from partonic.nn.generative.diffusion import Diffusion
from partonic.rng import torch_generator

MEAN, DEVIATION = 0.5, 0.4


class GaussianNoise(nn.Module):
    """The network whose noise is E[ε | x_φ] for data N(0.5, 0.4): with x_φ = cos φ x + sin φ ε, by regression."""

    def __init__(self, model):
        super().__init__()
        self.angle = model._angle
        self.unused = nn.Parameter(torch.zeros(1))

    def forward(self, x, time, condition):
        angle = self.angle(time)[..., None]
        sine, cosine = torch.sin(angle), torch.cos(angle)
        variance = (cosine * DEVIATION) ** 2 + sine**2
        return (sine / variance * (x - cosine * MEAN) - sine * x) / cosine


def model_with(**settings):
    model = Diffusion(DiffusionConfig(**settings), 1, 0)
    model.network = GaussianNoise(model)
    return model.double()


@pytest.mark.parametrize(("sampler", "steps"), [("ddim", 200), ("ddpm", 400), ("ode", 1)])
def test_samplers_draw_the_data(sampler, steps):
    model, count = model_with(sampler=sampler, steps=steps, solver=SolverConfig(steps=40)), 40_000
    drawn = model.sample(torch.empty(count, 0), torch_generator(1, "draw", sampler))
    assert float(drawn.mean()) == pytest.approx(MEAN, abs=4.0 * DEVIATION / math.sqrt(count) + 0.005)
    assert float(drawn.std()) == pytest.approx(DEVIATION, abs=4.0 * DEVIATION / math.sqrt(2.0 * count) + 0.01)


def test_density_is_that_of_the_data_smeared_by_the_smallest_noise():
    model = model_with(solver=SolverConfig(method="dopri5", tolerance=1e-7))
    x = torch.linspace(-1.0, 2.0, 31, dtype=torch.float64)[:, None]
    found = model.log_prob(x, torch.empty(31, 0))
    sine, cosine = 0.01, math.sqrt(1.0 - 0.01**2)
    deviation = math.hypot(cosine * DEVIATION, sine)
    expected = -0.5 * ((x[:, 0] - cosine * MEAN) / deviation) ** 2 - math.log(deviation * math.sqrt(2.0 * math.pi))
    # Noise of signal 0.01 is taken for a standard Gaussian: mean 0.005 and deviation 0.99996 in truth.
    torch.testing.assert_close(found, expected, rtol=0.0, atol=0.03)
