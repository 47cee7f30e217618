"""Components near candidates: normalised within the cuts, and drawn as they are."""

import math

import pytest
import torch

from partonic.mem.transfer.candidates import CANDIDATE_FEATURES, CandidateMomenta
from partonic.mem.transfer.mixture import CandidateDensity, CandidateKeys, ObjectPlace, Observed

JET_BEFORE = 90.0
PLACES = {
    "lepton": ObjectPlace(math.log(29.0), None, 2.4),
    "missing momentum": ObjectPlace(None, None, None),
    "jet": ObjectPlace(math.log(30.0), torch.tensor([math.log(JET_BEFORE)]), 2.4),
}
by_place = pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)


def candidates() -> CandidateMomenta:
    """One in reach, one below the cut, one above the jet before, one too far forward."""
    log_pt = torch.log(torch.tensor([60.0, 12.0, 400.0, 50.0])).view(1, 1, 4)
    eta, phi = torch.tensor([0.5, -1.0, 2.2, 3.6]).view(1, 1, 4), torch.tensor([0.3, 3.0, -2.0, 1.0]).view(1, 1, 4)
    return CandidateMomenta(log_pt, eta, torch.cos(phi), torch.sin(phi), torch.zeros(1, 1, 4, CANDIDATE_FEATURES))


def density_of_candidates() -> tuple[CandidateDensity, torch.Tensor, torch.Tensor, torch.Tensor]:
    torch.manual_seed(4)
    density, keys = CandidateDensity(3, 4), CandidateKeys(2, 4, 8)
    with torch.no_grad():
        density.query.bias[4] = -60.0  # candidates only
        density.query.bias[-4:] = torch.tensor([-0.1, -0.7, -0.7, -0.7])
        found = keys(candidates(), torch.tensor([0, 1, 0, 1]))
    return density, torch.randn(1, 1, 4), *found


@by_place
@torch.no_grad()
def test_components_are_normalised(place: ObjectPlace) -> None:
    """Sum of exp(log p) over a grid in ln pT, η and φ."""
    density, given, keys, shapes = density_of_candidates()
    found = candidates()
    parameters = density.parameters_of(given, keys, shapes, found.log_pt, place)
    low = -8.0 if place.low is None else place.low
    high = 16.0 if place.high is None else float(place.high)
    axes = [low + (high - low) * (torch.arange(300) + 0.5) / 300]
    widths = [(high - low) / 300]
    axes.append(
        torch.zeros(1) if place.eta_max is None else place.eta_max * (2.0 * (torch.arange(60) + 0.5) / 60 - 1.0)
    )
    widths.append(1.0 if place.eta_max is None else 2.0 * place.eta_max / 60)
    axes.append(math.pi * (2.0 * (torch.arange(90) + 0.5) / 90 - 1.0))
    widths.append(2.0 * math.pi / 90)
    log_pt, eta, phi = (values.flatten() for values in torch.meshgrid(*axes, indexing="ij"))
    observed = Observed(log_pt, eta, torch.cos(phi), torch.sin(phi), torch.zeros_like(phi))
    splines = torch.zeros(len(phi), 1)
    values = density.log_prob(splines, observed, parameters, found, place, has_phi=True)
    assert float(values.double().exp().sum()) * math.prod(widths) == pytest.approx(1.0, abs=4e-3)


@by_place
@torch.no_grad()
def test_draws_have_the_density(place: ObjectPlace) -> None:
    """Means of functions over draws against means over the grid that the density is summed on."""
    density, given, keys, shapes = density_of_candidates()
    found, number = candidates(), 40_000
    many = CandidateMomenta(**{name: values.expand(number, *values.shape[1:]) for name, values in vars(found).items()})
    parameters = density.parameters_of(given, keys, shapes, found.log_pt, place)
    repeated = tuple(values.expand(number, *values.shape[1:]) for values in parameters)
    generator = torch.Generator().manual_seed(6)
    near, log_pt, eta, phi = density.sample(repeated, many, place, generator)
    assert bool(near.all())
    assert place.low is None or bool((log_pt >= place.low - 1e-6).all())
    assert place.high is None or bool((log_pt <= place.high + 1e-6).all())
    assert place.eta_max is None or bool((eta.abs() <= place.eta_max + 1e-6).all())
    low = -8.0 if place.low is None else place.low
    high = 16.0 if place.high is None else float(place.high)
    axis = low + (high - low) * (torch.arange(300) + 0.5) / 300
    etas = torch.zeros(1) if place.eta_max is None else place.eta_max * (2.0 * (torch.arange(60) + 0.5) / 60 - 1.0)
    angles = math.pi * (2.0 * (torch.arange(90) + 0.5) / 90 - 1.0)
    grid = [values.flatten() for values in torch.meshgrid(axis, etas, angles, indexing="ij")]
    observed = Observed(grid[0], grid[1], torch.cos(grid[2]), torch.sin(grid[2]), torch.zeros_like(grid[2]))
    weights = density.log_prob(torch.zeros(len(grid[0]), 1), observed, parameters, found, place, has_phi=True)
    weights = weights[:, 0].double().exp()
    drawn = (log_pt, eta, phi)
    functions = [
        lambda p, _e, _f: torch.tanh(p - 4.0),
        lambda _p, e, _f: e,
        lambda _p, _e, f: torch.cos(f - 0.3),
        lambda p, e, f: torch.tanh(p - 4.0) * torch.cos(f) + 0.2 * e * torch.sin(f),
    ]
    for function in functions:
        values = function(*drawn).double()
        expected = float((weights * function(*grid)).sum() / weights.sum())
        error = float(values.std()) / math.sqrt(number)
        assert abs(float(values.mean()) - expected) < 4.0 * error + 1e-3


@torch.no_grad()
def test_weights_choose_between_splines_and_candidates() -> None:
    density, given, keys, shapes = density_of_candidates()
    found, place = candidates(), PLACES["lepton"]
    observed = Observed(*(torch.tensor([value]) for value in (4.0, 0.5, 1.0, 0.0, 0.7)))
    splines = torch.tensor([[-5.0]])
    alone = density.log_prob(
        splines, observed, density.parameters_of(given, keys, shapes, found.log_pt, place), found, place, has_phi=True
    )
    with torch.no_grad():
        density.query.weight[4] = 0.0
        density.query.bias[4] = 80.0
    base, logits, shape = density.parameters_of(given, keys, shapes, found.log_pt, place)
    only_splines = density.log_prob(splines, observed, (base, logits, shape), found, place, has_phi=True)
    assert float(only_splines) == pytest.approx(-5.0)
    half = torch.logsumexp(logits, dim=-1)
    mixed = density.log_prob(splines, observed, (half, logits, shape), found, place, has_phi=True)
    assert float(mixed) == pytest.approx(math.log(0.5 * math.exp(-5.0) + 0.5 * math.exp(float(alone))), abs=1e-5)
