"""Linear regression with Gaussian noise, of which the posterior of the weights is known."""

import torch
from torch import Tensor, nn

from partonic.nn.training import PhaseSettings, TensorTable

SLOPES, OFFSET = (0.8, -0.5, 0.3), 0.2
NOISE = 0.7


def line_table(events: int, seed: int) -> TensorTable:
    """Events with three inputs of different sizes that do not depend on each other."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(events, 3, generator=generator) * torch.tensor([1.0, 0.5, 2.0])
    y = x @ torch.tensor(SLOPES) + OFFSET + NOISE * torch.randn(events, generator=generator)
    return TensorTable({"x": x, "y": y})


def line_losses(network: nn.Module, batch: dict[str, Tensor], generator: torch.Generator | None) -> Tensor:
    """Negative log-likelihood of each event but for a constant."""
    return 0.5 * ((network(batch["x"])[:, 0] - batch["y"]) / NOISE).square()


def exact_covariance(table: TensorTable, prior: float) -> Tensor:
    """Covariance of slopes and offset under a Gaussian prior."""
    x = torch.nn.functional.pad(table.columns["x"].double(), (0, 1), value=1.0)
    return torch.linalg.inv(x.T @ x / NOISE**2 + torch.eye(4, dtype=torch.float64) / prior**2)


def line_settings(epochs: int) -> PhaseSettings:
    """Settings of a short training."""
    return PhaseSettings("line", epochs, batch_size=100, learning_rate=0.05, accelerator="cpu", devices=1)
