"""The jet response: a normalised density, the chance to lose a quark, and a fit that recovers both."""

import math

import pytest
import torch

from mem.classical.toys import response
from partonic.errors import ModelError, TrainingError
from partonic.mem.classical.response import JetResponse
from partonic.mem.classical.response_fit import fit_response


def test_found_and_lost_add_up_to_one() -> None:
    """The density above the threshold and the probability to be lost, for central and forward quarks."""
    model = response()
    for eta in (0.3, 2.0):
        threshold = 30.0 * math.cosh(eta)
        jets = torch.linspace(threshold, 3000.0, 200_001, dtype=torch.float64)
        for energy in (20.0, 60.0, 400.0):
            one = torch.full_like(jets, energy)
            found = torch.trapezoid(model.log_density(jets, one, torch.full_like(jets, eta)).exp(), jets)
            lost = model.loss(one[:1], torch.full_like(one[:1], eta))[0]
            assert float(found + lost) == pytest.approx(1.0, abs=1e-6)


def test_quarks_beyond_the_acceptance_are_lost() -> None:
    energy = torch.tensor([500.0, 500.0], dtype=torch.float64)
    lost = response().loss(energy, torch.tensor([2.5, -4.0], dtype=torch.float64))
    assert lost.tolist() == [1.0, 1.0]


def test_soft_quarks_are_lost_more_often() -> None:
    energy = torch.tensor([10.0, 30.0, 60.0, 200.0], dtype=torch.float64)
    assert (response().loss(energy, torch.zeros_like(energy)).diff() < 0).all()


def test_json_gives_the_same_response() -> None:
    model = response()
    again = JetResponse.from_json(model.as_json())
    torch.testing.assert_close(again.parameters, model.parameters, rtol=0.0, atol=0.0)
    torch.testing.assert_close(again.eta_edges, model.eta_edges, rtol=0.0, atol=0.0)
    assert again.jet_pt_min == model.jet_pt_min


def test_response_must_make_sense() -> None:
    model = response()
    with pytest.raises(ModelError, match=r"ascending .* bands"):
        JetResponse(model.eta_edges.flip(0), model.parameters, 30.0)
    negative = model.parameters.clone()
    negative[0, 2] = -1.0
    with pytest.raises(ModelError, match="widths that are not negative"):
        JetResponse(model.eta_edges, negative, 30.0)


def test_fit_recovers_the_response(torch_rng: torch.Generator) -> None:
    """Energies and losses drawn from a known response; what is compared is the density, not its parameters."""
    n = 60_000
    model = response()
    energy = 15.0 + 250.0 * torch.rand(n, generator=torch_rng, dtype=torch.float64)
    eta = 4.8 * torch.rand(n, generator=torch_rng, dtype=torch.float64) - 2.4
    row = model.parameters[0]
    tail = torch.rand(n, generator=torch_rng, dtype=torch.float64) < row[10]
    core_width = (row[2] ** 2 + row[3] ** 2 * energy + (row[4] * energy).square()).sqrt()
    tail_width = (row[7] ** 2 + row[8] ** 2 * energy + (row[9] * energy).square()).sqrt()
    noise = torch.randn(n, generator=torch_rng, dtype=torch.float64)
    shift = torch.where(tail, row[5] + tail_width * noise, row[0] + row[1] * energy + core_width * noise)
    jets = energy + shift
    missed = torch.rand(n, generator=torch_rng, dtype=torch.float64) < row[11]
    found = (jets > 30.0 * torch.cosh(eta)) & ~missed
    fitted = fit_response(jets, energy, eta, found, (1.2, 2.4), 30.0)
    for place in (0.5, 1.8):
        for value in (60.0, 150.0):
            at, where = torch.full((400,), value).double(), torch.full((400,), place).double()
            grid = torch.linspace(0.5 * value, 1.5 * value, 400, dtype=torch.float64)
            true, ours = model.log_density(grid, at, where).exp(), fitted.log_density(grid, at, where).exp()
            # Half the integral of |difference| of the densities: a distance between 0 and 1.
            assert float(torch.trapezoid((ours - true).abs(), grid)) / 2.0 < 0.03
            assert float((fitted.loss(at, where) - model.loss(at, where)).abs().max()) < 0.02


def test_fit_needs_enough_jets() -> None:
    few = torch.full((100,), 50.0).double()
    with pytest.raises(TrainingError, match=r"jet response up to \|η\| = 2.4 needs 500 matched jets.*there are 100"):
        fit_response(few, few, torch.zeros(100).double(), torch.ones(100, dtype=torch.bool), (2.4,), 30.0)
