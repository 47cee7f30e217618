"""The flow of objects: normalised, the same by exact and estimated divergence, differentiable, and able to learn."""

import math
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from mem.transfer.heads.toys import CONTEXT, grid, lacking, numbers_at, random_flow
from partonic.config.generative import SolverConfig
from partonic.config.mem_training.transfer import FlowHeadConfig
from partonic.mem.transfer.heads.flow import ObjectFlow
from partonic.mem.transfer.heads.velocity import VelocityNetwork
from partonic.mem.transfer.heads.whitening import PARAMETERS, Whitening, base_log_prob
from partonic.nn.generative.continuous import transported_log_density
from partonic.nn.generative.divergence import rademacher

STEPS = SolverConfig(steps=6)


def some_objects(rows: int, seed: int = 2) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    line = torch.randn(rows, 2, generator=generator, dtype=torch.float64)
    return line, math.pi * (2.0 * torch.rand(rows, generator=generator, dtype=torch.float64) - 1.0)


@torch.no_grad()
def test_density_is_normalised() -> None:
    """∫ p da_pT da_η dφ by quadrature in standard numbers."""
    points, volume = grid(37, 16)
    flow = random_flow(len(points))
    line, phi, cell = numbers_at(flow, points)
    found = flow.log_prob(line, phi, STEPS)
    coarse = base_log_prob(points).sum(dim=1) - torch.log(cell)
    assert float((found - coarse).abs().mean()) > 0.1  # the flow does something
    assert float((found.exp() * cell).sum()) * volume == pytest.approx(1.0, abs=5e-3)


@pytest.mark.parametrize("number", [1, 2])
@torch.no_grad()
def test_numbers_that_an_object_lacks_are_no_part_of_the_density(number: int) -> None:
    points, volume = grid(37, 16)
    kept = points[:, number] == points[0, number]
    points = points[kept]
    flow = lacking(random_flow(len(points)), number)
    line, phi, _ = numbers_at(flow, points)
    _, log_slope = flow.whitening.forward(line, phi)
    cell = torch.exp(-(log_slope * flow.present).sum(dim=1))
    spacing = 2.0 * math.pi / 16 if number == 2 else 12.0 / 36
    found = flow.log_prob(line, phi, STEPS)
    assert float((found.exp() * cell).sum()) * volume / spacing == pytest.approx(1.0, abs=5e-3)
    other_line, other_phi = (line + 0.5 * (torch.arange(2) == number), phi + 0.5 * (number == 2))
    torch.testing.assert_close(flow.log_prob(other_line, other_phi, STEPS), found)


@torch.no_grad()
def test_exact_and_estimated_divergence_agree() -> None:
    """With autograd in the place of our own derivatives, exactly, and by Hutchinson's estimate within its error."""
    line, phi = some_objects(40)
    flow = random_flow(40, spread=0.35)
    found = flow.log_prob(line, phi, STEPS)
    y, log_slope = flow.whitening.forward(line, phi)
    start, exact, _ = transported_log_density(flow.velocity, y, STEPS, None)
    of_base = (base_log_prob(start) + log_slope).sum(dim=1)
    torch.testing.assert_close(of_base + exact[:, 0], found, atol=1e-9, rtol=1e-9)
    probes = rademacher(64, y, torch.Generator().manual_seed(4))
    _, estimates, _ = transported_log_density(flow.velocity, y, STEPS, probes)
    error = estimates.std(dim=1) / 8.0
    assert float(error.median()) < 0.1
    assert float(error.median()) > 1e-4
    pulls = (estimates.mean(dim=1) + of_base - found) / error
    assert float(pulls.abs().max()) < 4.5
    assert float(pulls.square().mean()) == pytest.approx(1.0, abs=0.7)


@torch.no_grad()
def test_solvers_agree_within_the_error_that_is_stated() -> None:
    line, phi = some_objects(60)
    flow = random_flow(60, spread=0.3)
    converged = flow.log_prob(line, phi, SolverConfig(steps=60))
    adaptive, solution = flow.log_prob_and_solution(line, phi, SolverConfig(method="dopri5", tolerance=1e-4))
    assert solution.error is not None
    difference = (adaptive - converged).abs()
    assert float(difference.median()) < 3e-4
    assert float(difference.max()) < 0.02
    pulls = difference / (
        2.0 * solution.error
    )  # local errors, the mean over four numbers; some of them grow on the way
    assert float(pulls.median()) < 1.0
    assert float(pulls.quantile(0.9)) < 6.0
    by_steps = [float((flow.log_prob(line, phi, SolverConfig(steps=n)) - converged).abs().median()) for n in (3, 6, 12)]
    assert by_steps[0] > 4.0 * by_steps[1] > 16.0 * by_steps[2]


def test_gradient_through_the_solver_is_that_of_finite_differences() -> None:
    """By the object, the condition, the map and the weights."""
    line, phi = some_objects(5)
    flow, solver, step = random_flow(5, spread=0.3), SolverConfig(steps=3), 1e-6
    network = flow.network

    def total(line: Tensor, phi: Tensor, given: Tensor, centre: Tensor) -> Tensor:
        changed = replace(flow, given=given, whitening=replace(flow.whitening, centre=centre))
        return changed.log_prob(line, phi, solver).sum()

    arguments = [value.clone().requires_grad_() for value in (line, phi, flow.given, flow.whitening.centre)]
    weights = [network.first.weight, network.last.bias, network.times.weight]
    gradients = torch.autograd.grad(total(*arguments), [*arguments, *weights])
    generator = torch.Generator().manual_seed(5)
    for value, gradient in zip([*arguments, *weights], gradients, strict=True):
        direction = torch.randn(value.shape, generator=generator, dtype=torch.float64)
        kept, ends = value.detach().clone(), []
        for sign in (1.0, -1.0):
            with torch.no_grad():
                value.copy_(kept + sign * step * direction)
                ends.append(float(total(*arguments)))
                value.copy_(kept)
        numeric = (ends[0] - ends[1]) / (2.0 * step)
        assert float((gradient * direction).sum()) == pytest.approx(numeric, rel=1e-5, abs=1e-6)


@torch.no_grad()
def test_draws_come_back_to_their_noise() -> None:
    """Solving backward from where noise was carried; the angle comes back on its circle."""
    flow, solver = random_flow(200, spread=0.3), SolverConfig(steps=20)
    noise = torch.randn(200, 3, generator=torch.Generator().manual_seed(6), dtype=torch.float64)
    carried = flow.carried(noise, solver).state
    line, phi, _ = numbers_at(flow, carried)
    _, solution = flow.log_prob_and_solution(line, phi, solver)
    torch.testing.assert_close(solution.state[:, :2], noise[:, :2], atol=1e-4, rtol=0)
    turn = solution.state[:, 2] - noise[:, 2]
    torch.testing.assert_close(torch.cos(turn), torch.ones_like(turn), atol=1e-8, rtol=0)


class Known:
    """Two kinds of objects, narrow, near φ = π on both sides of the seam, whose pT, η and φ depend on each other."""

    share, widths, concentration = 0.6, (0.4, 0.6), 8.0

    def draw(self, count: int, seed: int) -> tuple[Tensor, Tensor]:
        generator = torch.Generator().manual_seed(seed)
        side = torch.where(torch.rand(count, generator=generator) < self.share, 1.0, -1.0)
        noise = torch.randn(count, 2, generator=generator)
        first = side + self.widths[0] * noise[:, 0]
        second = 0.5 * first + self.widths[1] * noise[:, 1]
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            turn = torch.distributions.VonMises(torch.tensor(0.0), torch.tensor(self.concentration)).sample((count,))
        phi = math.pi + side + turn
        return torch.stack([first, second], dim=1), torch.atan2(torch.sin(phi), torch.cos(phi))

    def log_prob(self, line: Tensor, phi: Tensor) -> Tensor:
        terms = []
        for side, share in ((1.0, self.share), (-1.0, 1.0 - self.share)):
            circle = torch.distributions.VonMises(torch.tensor(math.pi + side), torch.tensor(self.concentration))
            normal = torch.distributions.Normal(side, self.widths[0])
            terms.append(math.log(share) + normal.log_prob(line[:, 0]) + circle.log_prob(phi))
        rest = torch.distributions.Normal(0.5 * line[:, 0], self.widths[1]).log_prob(line[:, 1])
        return torch.logsumexp(torch.stack(terms), dim=0) + rest


@pytest.fixture(scope="module")
def learned() -> tuple[VelocityNetwork, Tensor]:
    """Network and numbers of the map, trained on draws of a known density."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(7)
        network = VelocityNetwork(FlowHeadConfig(width=32), CONTEXT, 0)
        raw = torch.zeros(1, PARAMETERS, requires_grad=True)
    line, phi = Known().draw(20_000, 8)
    optimizer = torch.optim.Adam([*network.parameters(), raw], lr=5e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 500)
    generator = torch.Generator().manual_seed(9)
    for _ in range(500):
        chosen = torch.randint(len(phi), (512,), generator=generator)
        optimizer.zero_grad()
        of_rows(network, raw, 512).loss(line[chosen], phi[chosen], 2, generator).mean().backward()
        optimizer.step()
        schedule.step()
    return network, raw.detach()


def of_rows(network: VelocityNetwork, raw: Tensor, rows: int) -> ObjectFlow:
    """The flow for so many rows."""
    nothing = torch.zeros(rows, 2)
    whitening = Whitening.of(raw.expand(rows, -1), nothing, nothing)
    given = network.given(torch.zeros(rows, CONTEXT))
    return ObjectFlow(network, whitening, given, torch.zeros(rows, 0, 4), torch.ones(rows, 3), (0, 1, 2))


@torch.no_grad()
def test_a_known_density_is_learned(learned: tuple[VelocityNetwork, Tensor]) -> None:
    """Kullback–Leibler divergence, that of the coarse density alone, and the integral over all objects to 1%."""
    line, phi = Known().draw(4_000, 10)
    truth, found = Known().log_prob(line, phi), of_rows(*learned, 4_000).log_prob(line, phi, SolverConfig(steps=8))
    difference = truth - found
    error = float(difference.std()) / math.sqrt(len(phi))
    assert error < 0.01
    assert -4.0 * error < float(difference.mean()) < 0.15
    y, log_slope = of_rows(*learned, 4_000).whitening.forward(line, phi)
    assert float((truth - (base_log_prob(y) + log_slope).sum(dim=1)).mean()) > 0.6  # without the flow
    points, volume = grid(31, 24, torch.float32)
    flow = of_rows(*learned, len(points))
    line, phi, cell = numbers_at(flow, points)
    whole = float((flow.log_prob(line, phi, SolverConfig(steps=8)).double().exp() * cell).sum()) * volume
    assert whole == pytest.approx(1.0, abs=0.01)


@torch.no_grad()
def test_draws_have_the_learned_density(learned: tuple[VelocityNetwork, Tensor]) -> None:
    """Means over draws against those of the truth: two sides, a correlation, and the angle."""
    line, phi = of_rows(*learned, 8_000).sample(SolverConfig(steps=8), torch.Generator().manual_seed(11))
    truth = Known().draw(8_000, 12)
    for function in (
        lambda line, _: (line[:, 0] > 0).float(),
        lambda line, _: torch.tanh(line[:, 0]) * torch.tanh(line[:, 1]),
        lambda line, phi: torch.tanh(line[:, 0]) * torch.sin(phi),
        lambda _, phi: torch.cos(phi),
    ):
        one, other = function(line, phi), function(*truth)
        error = math.sqrt(float(one.var() + other.var()) / len(phi))
        assert error < 0.02
        assert abs(float(one.mean() - other.mean())) < 4.0 * error + 0.02
