"""The width of a posterior: a quadratic loss, of which the factor is known, and the exact one of a regression."""

import math
from functools import partial

import pytest
import torch
from torch import nn

from nn.bayesian.toy_line import exact_covariance, line_losses, line_table
from partonic.nn.bayesian.calibration import calibrated_width
from partonic.nn.bayesian.posterior import GaussianPosterior


def test_factor_of_a_quadratic_loss() -> None:
    """½ h s² Σσ² = ½ gap, with 3000 weights, so that four draws know it to a percent."""
    network = nn.Linear(3000, 1, bias=False)
    before = network.weight.detach().clone()
    posterior = GaussianPosterior(1, {"weight": torch.full((1, 3000), 0.1)})

    def training_loss() -> float:
        return 1.0 + 0.5 * 0.4 * float((network.weight.detach() - before).square().sum())

    found = calibrated_width(network, posterior, training_loss, lambda: 1.5)
    assert found == pytest.approx(math.sqrt(0.5 / (0.4 * 3000 * 0.1**2)), rel=0.04)
    assert torch.equal(network.weight, before)
    assert calibrated_width(network, posterior, training_loss, lambda: 0.9) == 0.0


def test_factor_of_a_regression() -> None:
    """A posterior that is ten times too wide is set right: of 40 samples the mean factor is 0.1 within its error."""
    factors = []
    for seed in range(40):
        train, other = line_table(60, seed), line_table(4_000, 1_000 + seed)
        network = nn.Linear(3, 1)
        x = torch.nn.functional.pad(train.columns["x"], (0, 1), value=1.0)
        best = torch.linalg.lstsq(x, train.columns["y"][:, None]).solution[:, 0]
        network.load_state_dict({"weight": best[None, :3], "bias": best[3:]})
        deviation = 10.0 * exact_covariance(train, 1e3).diagonal().sqrt().float()
        posterior = GaussianPosterior(seed, {"weight": deviation[None, :3], "bias": deviation[3:]})

        def loss(table: dict[str, torch.Tensor], network: nn.Linear = network) -> float:
            with torch.no_grad():
                return float(line_losses(network, table, None).mean())

        of_training, of_others = partial(loss, train.columns), partial(loss, other.columns)
        factors.append(calibrated_width(network, posterior, of_training, of_others, 16))
    squares = torch.tensor(factors).square()
    error = squares.std() / len(squares) ** 0.5
    assert float((squares.mean() - 0.01) / error) == pytest.approx(0.0, abs=4.0)
    assert float(error) < 0.003
