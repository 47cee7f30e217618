"""Variational training finds the posterior of a linear regression; an ensemble trains each network by itself."""

from pathlib import Path

import pytest
import torch
from torch import nn

from nn.bayesian.toy_line import NOISE, line_losses, line_settings, line_table
from partonic.nn.bayesian.gaussian_linear import bayesian, means_and_deviations
from partonic.nn.bayesian.phases import BOOTSTRAP, EnsemblePhase, VariationalPhase
from partonic.nn.training import TensorTable, run_phase


def linear_network(seed: int) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return nn.Sequential(nn.Linear(3, 1))


@pytest.mark.parametrize(("prior", "temperature"), [(1.0, 1.0), (0.02, 4.0)])
def test_variational_training_finds_the_posterior(tmp_path: Path, prior: float, temperature: float) -> None:
    """Independent Gaussians about the maximum have the variances T/(Σ x²/s² + T/p²) in each direction alone."""
    train, validation = line_table(500, 1), line_table(2_000, 2)
    gaussian = bayesian(linear_network(1), 0.05)
    phase = VariationalPhase(gaussian, line_losses, len(train), prior, temperature)
    run_phase(phase, train, validation, line_settings(60), tmp_path, 3)
    means, deviations = means_and_deviations(gaussian.state_dict())
    x = torch.nn.functional.pad(train.columns["x"].double(), (0, 1), value=1.0)
    precision = x.T @ x / NOISE**2 + temperature * torch.eye(4) / prior**2
    best = torch.linalg.solve(precision, x.T @ train.columns["y"].double() / NOISE**2)
    found = torch.cat([deviations["0.weight"][0], deviations["0.bias"]]).double()
    torch.testing.assert_close(found, (temperature / precision.diagonal()).sqrt(), rtol=0.25, atol=0.0)
    mean = torch.cat([means["0.weight"][0], means["0.bias"]]).double()
    assert float(((mean - best) / found).abs().max()) < 0.5


def gradients(phase: EnsemblePhase, batch: dict[str, torch.Tensor]) -> list[torch.Tensor]:
    phase.zero_grad()
    loss, _ = phase.training_losses(batch, torch.Generator().manual_seed(1))
    loss.backward()
    return [network[0].weight.grad.clone() for network in phase.networks]


def test_networks_of_an_ensemble_learn_alone_but_for_the_repulsion() -> None:
    networks = [linear_network(seed) for seed in (1, 2, 3)]
    batch = line_table(50, 4).columns
    alone = []
    for network in networks:
        (found,) = torch.autograd.grad(line_losses(network, batch, None).mean(), network[0].weight)
        alone.append(found / 3.0)
    for found, wanted in zip(gradients(EnsemblePhase(networks, line_losses, 50, 0.0), batch), alone, strict=True):
        torch.testing.assert_close(found, wanted)
    repelled = gradients(EnsemblePhase(networks, line_losses, 50, 10.0), batch)
    torch.testing.assert_close(repelled[0], alone[0])  # the network that is used feels none
    assert float((repelled[1] - alone[1]).abs().max()) > 1e-3


def test_members_have_events_as_often_as_their_bootstrap_sample() -> None:
    networks = [linear_network(seed) for seed in (1, 2)]
    batch = line_table(4, 5).columns
    counts = torch.tensor([[0.0], [2.0], [1.0], [1.0]])
    found = gradients(EnsemblePhase(networks, line_losses, 4, 0.0), {**batch, BOOTSTRAP: counts})
    chosen = TensorTable(batch).rows(torch.tensor([1, 1, 2, 3]))
    (wanted,) = torch.autograd.grad(line_losses(networks[1], chosen, None).mean(), networks[1][0].weight)
    torch.testing.assert_close(found[1], wanted / 2.0)
    (whole,) = torch.autograd.grad(line_losses(networks[0], batch, None).mean(), networks[0][0].weight)
    torch.testing.assert_close(found[0], whole / 2.0)
