"""A tiny phase for the tests: fit y = sin x with dropout, noise and constraints; also a program to be killed."""

import os
import signal
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor, nn

from partonic.nn.training import PhaseModule, PhaseResult, PhaseSettings, TensorTable, run_phase
from partonic.rng import torch_generator


class ToyPhase(PhaseModule):
    """A small network; `batches` counts training steps, `hurt` says what to do to the loss of a step."""

    def __init__(self, hurt: Mapping[int, float] | None = None, kill_at: int = -1, noise: float = 0.05) -> None:
        super().__init__({"size": 0.02, "loose": 100.0}, damping=1.0)
        self.net = nn.Sequential(nn.Linear(1, 16), nn.Tanh(), nn.Dropout(2.0 * noise), nn.Linear(16, 1))
        with torch.no_grad():
            for parameter in self.net.parameters():
                parameter.normal_(0.0, 0.5, generator=torch_generator(1, *parameter.shape))
        self.hurt, self.kill_at, self.batches = dict(hurt or {}), kill_at, 0
        self.noise = noise

    def training_losses(
        self, batch: Mapping[str, Tensor], generator: torch.Generator
    ) -> tuple[Tensor, dict[str, Tensor]]:
        if self.batches == self.kill_at:
            os.kill(os.getpid(), signal.SIGKILL)
        noise = self.noise * torch.randn(batch["y"].shape, generator=generator)
        loss = ((self.net(batch["x"]) - batch["y"] - noise) ** 2).mean() * self.hurt.get(self.batches, 1.0)
        self.batches += 1
        size = torch.stack([(parameter**2).mean() for parameter in self.net.parameters()]).mean()
        return loss, {"size": size, "loose": size}

    def validation_loss(self, batch: Mapping[str, Tensor]) -> Tensor:
        return ((self.net(batch["x"]) - batch["y"]) ** 2).mean()


def toy_table(events: int, seed: int) -> TensorTable:
    x = 6.0 * torch.rand(events, 1, generator=torch_generator(seed, "toy")) - 3.0
    return TensorTable({"x": x, "y": torch.sin(x)})


SETTINGS = PhaseSettings("toy", epochs=4, batch_size=32, learning_rate=0.02, accelerator="cpu", devices=1)


def train_toy(folder: Path, module: ToyPhase | None = None, settings: PhaseSettings = SETTINGS) -> PhaseResult:
    return run_phase(module or ToyPhase(), toy_table(330, 1), toy_table(100, 2), settings, folder, 7)


def train_on_two(folder: Path) -> None:
    """Two processes with half a batch each, without random draws."""
    train_toy(folder, ToyPhase(noise=0.0), replace(SETTINGS, devices=2, batch_size=SETTINGS.batch_size // 2))


if __name__ == "__main__":
    torch.set_num_threads(1)
    if sys.argv[2] == "two":
        train_on_two(Path(sys.argv[1]))
    else:
        train_toy(Path(sys.argv[1]), ToyPhase(kill_at=int(sys.argv[2])))
