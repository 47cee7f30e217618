"""Parton views: the unit cube and back, its Jacobian, and rotations of events acting on the cube."""

import math

import pytest
import torch

from partonic.features.frame import EventFrame
from partonic.physics.kinematics import azimuth, pseudorapidity
from partonic.physics.process import PartonEvents
from partonic.processes.definition import build_process
from partonic.processes.tth.settings import TthConfig
from partonic.unfolding.view import HIGGS, PartonView

VIEWS = ("hard", "with_isr")


@pytest.fixture(params=VIEWS)
def view(request: pytest.FixtureRequest) -> PartonView:
    return PartonView.of(request.param, TthConfig())


def random_numbers(view: PartonView, events: int, generator: torch.Generator) -> torch.Tensor:
    return torch.rand((events, view.dimensions), generator=generator, dtype=torch.float64) * 0.98 + 0.01


def test_dimensions_and_periodic_numbers() -> None:
    hard, with_isr = (PartonView.of(name, TthConfig()) for name in VIEWS)
    assert (hard.dimensions, with_isr.dimensions) == (7, 10)
    assert hard.polar_numbers == (3, 5)
    assert hard.azimuth_numbers == (4, 6)
    assert with_isr.azimuth_numbers == (5, 7, 9)
    assert with_isr.particles == ("H", "t_had", "t_lep", "radiation")


def test_numbers_and_partons_undo_each_other(view: PartonView, torch_rng: torch.Generator) -> None:
    numbers = random_numbers(view, 500, torch_rng)
    events, log_volume = view.partons(numbers)
    again, log_inverse = view.numbers(events)
    torch.testing.assert_close(again, numbers, rtol=0.0, atol=1e-9)
    torch.testing.assert_close(log_inverse, -log_volume, rtol=0.0, atol=1e-8)


def test_partons_are_on_shell_and_balanced(view: PartonView, torch_rng: torch.Generator) -> None:
    events, _ = view.partons(random_numbers(view, 500, torch_rng))
    total = events.momenta.sum(dim=1)
    assert total[:, 1:3].abs().max() < 1e-8
    half = 0.5 * view.collider_energy
    torch.testing.assert_close(total[:, 0], (events.x1 + events.x2) * half, rtol=1e-10, atol=0.0)
    torch.testing.assert_close(total[:, 3], (events.x1 - events.x2) * half, rtol=1e-9, atol=1e-7)


def test_log_jacobian_agrees_with_autograd(torch_rng: torch.Generator) -> None:
    """The map from our cube to that of the process has the ratio of the two Jacobians."""
    view, process = PartonView.of("hard", TthConfig()), build_process(TthConfig())
    numbers = random_numbers(view, 20, torch_rng)
    _, log_volume = view.partons(numbers)

    def to_process_cube(values: torch.Tensor) -> torch.Tensor:
        return process.to_unit_cube(view.partons(values[None])[0])[0][0]

    for one, log_one in zip(numbers, log_volume, strict=True):
        jacobian = torch.autograd.functional.jacobian(to_process_cube, one)
        _, log_process = process.to_unit_cube(view.partons(one[None])[0])
        log_det = torch.linalg.slogdet(jacobian).logabsdet
        assert float(log_det) == pytest.approx(float(log_one + log_process[0]), abs=1e-6)


def test_volume_is_that_of_the_process(torch_rng: torch.Generator) -> None:
    """∫ dΦ_3 dx1 dx2 over both cubes: equal within the Monte-Carlo error."""
    view, process = PartonView.of("hard", TthConfig()), build_process(TthConfig())
    points = torch.rand((80_000, 7), generator=torch_rng, dtype=torch.float64)
    ours, theirs = view.partons(points)[1].exp(), process.from_unit_cube(points)[1].exp()
    error = math.hypot(float(ours.std()), float(theirs.std())) / math.sqrt(len(points))
    assert error < 0.03 * float(theirs.mean())
    assert abs(float(ours.mean() - theirs.mean())) < 4.0 * error


def test_turning_events_turns_their_numbers(view: PartonView, torch_rng: torch.Generator) -> None:
    numbers = random_numbers(view, 500, torch_rng)
    events, log_volume = view.partons(numbers)
    direction = events.momenta[:, HIGGS]
    frame = EventFrame.of_direction(pseudorapidity(direction), azimuth(direction))
    turned = view.numbers_in(numbers, frame)
    partons, log_turned = view.partons(turned)
    torch.testing.assert_close(partons.momenta, frame.momenta_in(events.momenta), rtol=1e-8, atol=1e-6)
    torch.testing.assert_close(log_turned, log_volume, rtol=0.0, atol=1e-9)
    swapped = torch.where(frame.mirrored, events.x2, events.x1)
    torch.testing.assert_close(partons.x1, swapped, rtol=1e-10, atol=0.0)
    torch.testing.assert_close(view.numbers_out(turned, frame), numbers, rtol=0.0, atol=1e-12)


def test_samples_of_an_event_turn_with_it(view: PartonView, torch_rng: torch.Generator) -> None:
    numbers = random_numbers(view, 12, torch_rng).reshape(3, 4, view.dimensions)
    frame = EventFrame(torch.tensor([0.3, -2.0, 1.0]), torch.tensor([True, False, True]))
    together = view.numbers_in(numbers, frame)
    for event in range(3):
        one = EventFrame(frame.azimuth[event].repeat(4), frame.mirrored[event].repeat(4))
        torch.testing.assert_close(together[event], view.numbers_in(numbers[event], one))


def test_maps_are_differentiable(view: PartonView, torch_rng: torch.Generator) -> None:
    numbers = random_numbers(view, 5, torch_rng).requires_grad_()
    events, log_volume = view.partons(numbers)
    (events.momenta.square().sum() + log_volume.sum()).backward()
    assert numbers.grad is not None
    assert bool(numbers.grad.isfinite().all())


def test_faces_of_the_cube_are_finite(view: PartonView) -> None:
    corners = torch.stack([torch.zeros(view.dimensions), torch.ones(view.dimensions)]).double()
    events, log_volume = view.partons(corners)
    assert bool(events.momenta.isfinite().all())
    assert bool(log_volume.isfinite().all())


def test_process_order_of_events_is_kept() -> None:
    """The partons of `PartonEvents` come back as they went in."""
    view = PartonView.of("hard", TthConfig())
    events, _ = view.partons(torch.full((1, 7), 0.4, dtype=torch.float64))
    assert isinstance(events, PartonEvents)
    masses = (events.momenta[0, :, 0].square() - events.momenta[0, :, 1:].square().sum(-1)).sqrt()
    torch.testing.assert_close(masses, torch.tensor([125.0, 172.5, 172.5], dtype=torch.float64), rtol=1e-9, atol=0.0)
