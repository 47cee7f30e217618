"""Toys of the tests: small settings of every kind, events of known densities, and a program to be killed."""

import os
import signal
import sys
from pathlib import Path

import torch

from partonic.config.generative import (
    AutoregressiveFlowConfig,
    AutoregressiveTransformerConfig,
    CouplingFlowConfig,
    DiffusionConfig,
    DivergenceConfig,
    FlowMatchingConfig,
    GanConfig,
    GenerativeTrainingConfig,
    SolverConfig,
    TimeNetworkConfig,
    VaeConfig,
)
from partonic.nn.generative import build_generative_model
from partonic.progress import SilentProgress
from partonic.rng import torch_generator

NETWORK = TimeNetworkConfig(width=32, blocks=2, frequencies=3)
FEW_STEPS = SolverConfig(method="rk4", steps=8)
SMALL = {"hidden": (24,), "transforms": 3, "bins": 8}

CONFIGS = {
    "flow_matching": FlowMatchingConfig(network=NETWORK, solver=FEW_STEPS),
    "flow_matching, estimated": FlowMatchingConfig(
        network=NETWORK, solver=FEW_STEPS, divergence=DivergenceConfig(exact_dimensions=0, probes=8)
    ),
    "diffusion": DiffusionConfig(network=NETWORK, sampler="ode", solver=SolverConfig(steps=20)),
    "coupling, affine": CouplingFlowConfig(transform="affine", **SMALL),
    "coupling, quadratic": CouplingFlowConfig(transform="quadratic", **SMALL),
    "coupling, rational_quadratic": CouplingFlowConfig(transform="rational_quadratic", **SMALL),
    "autoregressive": AutoregressiveFlowConfig(**SMALL),
    "gan": GanConfig(hidden=(24, 24)),
    "gan, wasserstein": GanConfig(hidden=(24, 24), loss="wasserstein"),
    "vae": VaeConfig(hidden=(24, 24), importance_samples=400),
    "autoregressive_transformer, spline": AutoregressiveTransformerConfig(
        width=16, heads=2, layers=1, feedforward=32, bins=8
    ),
    "autoregressive_transformer, mixture": AutoregressiveTransformerConfig(
        width=16, heads=2, layers=1, feedforward=32, components=6, density="mixture"
    ),
}

CPU = {"accelerator": "cpu", "devices": 1, "batch_size": 250}


def training(**settings):
    return GenerativeTrainingConfig(**{**CPU, "learning_rate": 5e-3, **settings})


def bent(events, generator):
    """Two numbers given one condition c: a parabola x₂ = x₁²/2 + c + noise, in units of 10 about 100; float64."""
    noise = torch.randn(events, 3, generator=generator, dtype=torch.float64)
    c, first = noise[:, :1], noise[:, 1:2]
    x = torch.cat([first, 0.5 * first**2 + c + 0.5 * noise[:, 2:]], dim=1)
    return 100.0 + 10.0 * x, c


def bent_log_prob(x, c):
    first, second = ((x - 100.0) / 10.0).unbind(dim=1)
    pull = (second - 0.5 * first**2 - c[:, 0]) / 0.5
    constant = torch.log(torch.tensor(2.0 * torch.pi * 0.5 * 100.0, dtype=torch.float64))
    return -0.5 * (first**2 + pull**2) - constant


def fresh(name, features=2, context=1):
    return build_generative_model(CONFIGS[name], features, context, torch_generator(5, "build", name))


class KillAt(SilentProgress):
    """Ends the process, or raises, at a step."""

    def __init__(self, step, kill):
        self.left, self.kill = step, kill

    def advance(self, amount=1, **figures):
        self.left -= amount
        if self.left == 0:
            if self.kill:
                os.kill(os.getpid(), signal.SIGKILL)
            msg = "stopped"
            raise RuntimeError(msg)


def fit_toy(name, folder, progress=None):
    """A short fit that a kill interrupts: 4 epochs of 7 steps."""
    model = fresh(name)
    data, conditions = bent(2000, torch_generator(6, "toy"))
    settings = training(epochs=4)
    arguments = (data, conditions, None, torch_generator(7, "fit"), progress or SilentProgress())
    return model, model.fit(*arguments, training=settings, folder=folder)


if __name__ == "__main__":
    torch.set_num_threads(1)
    fit_toy(sys.argv[1], Path(sys.argv[2]), KillAt(int(sys.argv[3]), kill=True))
