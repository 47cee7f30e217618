"""The conditioner: symmetries, sizes, and partons that can be used whatever the network says."""

import math
from dataclasses import replace

import pytest
import torch

from partonic.config.unfolding import ConditionerConfig
from partonic.features.frame import EventFrame
from partonic.features.inputs import EventTokens
from partonic.processes.tth.settings import TthConfig
from partonic.unfolding.conditioner import Conditioner, Conditions
from partonic.unfolding.momentum_balance import regressed_partons
from partonic.unfolding.view import PartonView

VIEWS = {name: PartonView.of(name, TthConfig()) for name in ("hard", "with_isr")}
TINY = ConditionerConfig(
    width=8, encoder_layers=1, encoder_heads=2, decoder_layers=1, decoder_heads=2, latent_layers=1, latent=3,
    feedforward=16,
)  # fmt: skip
EVENTS = 130


@pytest.fixture
def events(torch_rng: torch.Generator) -> tuple[EventTokens, torch.Tensor]:
    """Tokens of events with 4 to 16 jets, and provenance probabilities."""
    sizes = 4 + torch.arange(EVENTS) % 13
    mask = torch.arange(16) < sizes[:, None]
    draws = torch.randn(EVENTS, 16, 3, generator=torch_rng)
    phi = math.pi * (2.0 * torch.rand(EVENTS, 17, generator=torch_rng) - 1.0)
    jets = torch.stack(
        [
            4.2 + 0.5 * draws[..., 0], draws[..., 1], phi[:, :16].cos(), phi[:, :16].sin(),
            2.3 + 0.3 * draws[..., 2], (draws[..., 0] > 0.0).float(),
        ],
        dim=-1,
    )  # fmt: skip
    rest = torch.randn(EVENTS, 7, generator=torch_rng)
    tokens = EventTokens(
        jets=torch.where(mask[..., None], jets, 0.0),
        jet_mask=mask,
        lepton=torch.stack([4.0 + 0.3 * rest[:, 0], rest[:, 1].abs(), (rest[:, 2] > 0.0).float()], dim=-1),
        met=torch.stack([4.0 + 0.5 * rest[:, 0], phi[:, 16].cos(), phi[:, 16].sin()], dim=-1),
        boost=rest[:, 3:],
        frame=EventFrame(torch.zeros(EVENTS), torch.zeros(EVENTS, dtype=torch.bool)),
    )
    weights = torch.rand(EVENTS, 16, 4, generator=torch_rng)
    return tokens, (weights / weights.sum(dim=-1, keepdim=True))[..., :3] * mask[..., None]


def built(config: ConditionerConfig, name: str, seed: int, events: tuple[EventTokens, torch.Tensor]) -> Conditioner:
    torch.manual_seed(seed)
    conditioner = Conditioner(config, VIEWS[name])
    generator = torch.Generator().manual_seed(seed)
    particles = torch.stack(
        [
            120.0 * torch.exp(0.5 * torch.randn(EVENTS, 3, generator=generator)),
            torch.randn(EVENTS, 3, generator=generator),
            torch.rand(EVENTS, 3, generator=generator),
        ],
        dim=-1,
    )
    p_z = 400.0 * torch.randn(EVENTS, generator=generator)
    conditioner.fit_scales(*events, particles, p_z, 50.0 * torch.randn(EVENTS, 3, generator=generator))
    return conditioner


@pytest.fixture(params=list(VIEWS))
def conditioner(request: pytest.FixtureRequest, seed: int, events) -> Conditioner:
    return built(TINY, request.param, seed, events)


def assert_same(first: Conditions, second: Conditions) -> None:
    for name, value in vars(first).items():
        torch.testing.assert_close(value, vars(second)[name], rtol=1e-4, atol=2e-4, msg=name)


@pytest.mark.parametrize("name", list(VIEWS))
def test_published_sizes_have_the_published_number_of_weights(name: str) -> None:
    conditioner = Conditioner(ConditionerConfig(), VIEWS[name])
    assert sum(weight.numel() for weight in conditioner.parameters()) == pytest.approx(1.8e6, rel=0.05)


def test_shapes(conditioner: Conditioner, events) -> None:
    conditions = conditioner(*events)
    view = conditioner.view
    assert conditions.particles.shape == (EVENTS, 3, 3)
    assert conditions.p_z.shape == (EVENTS,)
    assert conditions.latent.shape == (EVENTS, 3)
    assert conditions.numbers.shape == (EVENTS, view.dimensions)
    assert conditions.numbers.dtype == torch.float64
    assert conditions.standardised.shape == (EVENTS, 13 if view.name == "with_isr" else 10)


def test_order_of_jets_and_padding_change_nothing(conditioner: Conditioner, events, torch_rng) -> None:
    tokens, provenance = events
    keys = torch.where(tokens.jet_mask, torch.rand(EVENTS, 16, generator=torch_rng), 2.0)
    order = keys.argsort(dim=1)[..., None]
    padded = torch.where(tokens.jet_mask[..., None], tokens.jets, 1e4)
    shuffled = replace(tokens, jets=padded.gather(1, order.expand(-1, -1, 6)))
    changed = torch.where(tokens.jet_mask[..., None], provenance, 0.7).gather(1, order.expand(-1, -1, 3))
    assert_same(conditioner(shuffled, changed), conditioner(tokens, provenance))


def test_events_do_not_see_each_other(conditioner: Conditioner, events) -> None:
    tokens, provenance = events
    whole = conditioner(tokens, provenance)
    rows = torch.tensor([0, 13, 26])
    few = replace(
        tokens, **{key: getattr(tokens, key)[rows] for key in ("jets", "jet_mask", "lepton", "met", "boost")},
        frame=EventFrame(torch.zeros(3), torch.zeros(3, dtype=torch.bool)),
    )  # fmt: skip
    alone = conditioner(few, provenance[rows])
    assert_same(alone, Conditions(**{name: value[rows] for name, value in vars(whole).items()}))


def test_radiation_balances_and_numbers_are_the_partons(conditioner: Conditioner, events) -> None:
    conditions = conditioner(*events)
    pt, _, phi = conditions.particles.unbind(dim=-1)
    across = torch.stack([pt * phi.cos(), pt * phi.sin()], dim=-1).sum(dim=1) + conditions.radiation[:, :2]
    if conditioner.view.name == "with_isr":
        torch.testing.assert_close(across, torch.zeros(EVENTS, 2), rtol=0.0, atol=1e-2)
    else:
        assert not conditions.radiation.any()
    partons, _ = conditioner.view.partons(conditions.numbers)
    expected = regressed_partons(conditioner.view, conditions.particles, conditions.p_z)
    torch.testing.assert_close(partons.momenta, expected.momenta, rtol=1e-4, atol=1e-2)


def test_gradients_are_finite_and_reach_every_weight(conditioner: Conditioner, events) -> None:
    conditions = conditioner(*events)
    sum(value.double().square().mean() for value in vars(conditions).values()).backward()
    for name, weight in conditioner.named_parameters():
        assert weight.grad is not None, name
        assert weight.grad.isfinite().all(), name
        assert weight.grad.any(), name


def test_absurd_inputs_stay_inside_the_cube(conditioner: Conditioner, events) -> None:
    tokens, provenance = events
    absurd = replace(tokens, boost=tokens.boost * 1e6, met=tokens.met * torch.tensor([-1e3, 1.0, 1.0]))
    empty = replace(absurd, jet_mask=torch.zeros_like(tokens.jet_mask))
    for case in (absurd, empty):
        numbers = conditioner(case, provenance).numbers
        assert ((numbers > 0.0) & (numbers < 1.0)).all()


def test_reduced_precision_keeps_the_phase_space_in_double(conditioner: Conditioner, events) -> None:
    exact = conditioner(*events)
    with torch.autocast("cpu", torch.bfloat16):
        reduced = conditioner(*events)
    assert reduced.numbers.dtype == torch.float64
    assert reduced.standardised.dtype == reduced.latent.dtype == torch.float32
    change = (reduced.particles - exact.particles)[..., :2] / exact.particles[..., :2].std(dim=0)
    assert 0.0 < float(change.detach().abs().median()) < 0.1


def test_no_latent_vector_if_none_is_asked_for(seed: int, events) -> None:
    conditioner = built(TINY.model_copy(update={"latent": 0}), "hard", seed, events)
    assert conditioner(*events).latent.shape == (EVENTS, 0)


def test_regression_learns_from_the_jets(seed: int, events) -> None:
    """Targets that the jets determine (the sum of their pT): the loss falls well below that of the mean."""
    tokens, provenance = events
    conditioner = built(TINY, "with_isr", seed, events)
    scalar = torch.where(tokens.jet_mask, torch.expm1(tokens.jets[..., 0]), 0.0).sum(dim=1)
    particles = torch.stack([scalar, 0.003 * scalar, torch.zeros(EVENTS)], dim=-1)[:, None].expand(-1, 3, -1)
    radiation = torch.zeros(EVENTS, 3)
    conditioner.targets.fit(particles, scalar, radiation)
    target = conditioner.targets.standardise(particles, scalar, radiation)
    optimiser = torch.optim.Adam(conditioner.parameters(), lr=1e-2)
    for _ in range(40):
        loss = (conditioner(tokens, provenance).standardised - target)[:, [0, 1, 3, 4, 9]].square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert loss.item() < 0.2  # 1 for the mean of the targets
