"""Biased generation: the bias itself, and that weights make up for it."""

from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import torch
from tests.generation.toy_process import COEFFICIENTS, ToyProcess

from partonic.config.generation import BiasConfig, GenerationConfig, PowerBiasConfig, SamplerConfig
from partonic.errors import GenerationError
from partonic.generation.bias import EventBias, no_bias
from partonic.generation.chunks import Target, generate_chunk
from partonic.generation.generate import generate_events
from partonic.generation.lhe import read_lhe
from partonic.generation.vegas import VegasSampler
from partonic.physics.particles import BOTTOM, HIGGS
from partonic.physics.process import PartonEvents

POWER = PowerBiasConfig(scale=40.0, power=2.0, floor=0.1)
BOTTOMS = (HIGGS, replace(BOTTOM, mass=4.7), replace(BOTTOM, mass=4.7).antiparticle)


@dataclass(frozen=True)
class ToyBottoms(ToyProcess):
    """The toy process with b quarks in place of the tops."""

    final_state: tuple = BOTTOMS


def events_with(*transverse: float) -> PartonEvents:
    """Return one event whose particles have these transverse momenta, along x and y in turn."""
    momenta = torch.zeros(1, len(transverse), 4, dtype=torch.float64)
    for row, pt in enumerate(transverse):
        momenta[0, row, 1 + row % 2] = pt
    one = torch.ones(1, dtype=torch.float64)
    return PartonEvents(momenta, one, one)


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        (BiasConfig(softer_b_pt=POWER), 0.1 + 0.9 * 0.25),
        (BiasConfig(harder_b_pt=POWER), 1.0),
        (BiasConfig(softer_b_pt=POWER, harder_b_pt=PowerBiasConfig(scale=120.0, power=1.0, floor=0.2)),
         (0.1 + 0.9 * 0.25) * (0.2 + 0.8 * 0.5)),
    ],
)  # fmt: skip
def test_value(config, expected):
    bias = EventBias.of(config, ToyBottoms())
    assert float(bias(events_with(500.0, 20.0, 60.0))) == pytest.approx(expected)
    assert float(bias(events_with(500.0, 60.0, 20.0))) == pytest.approx(expected)


def test_none():
    assert EventBias.of(None, ToyProcess()) is no_bias
    assert no_bias(events_with(1.0, 2.0)).tolist() == [1.0]


def test_process_without_b_quarks():
    with pytest.raises(GenerationError, match=r"generation.bias: .*two of them, the final state of 'toy' has 0; leave"):
        EventBias.of(BiasConfig(softer_b_pt=POWER), ToyProcess())


def test_weights_of_a_chunk_make_up_for_the_bias():
    """The coefficients of the events sum to the cross section; there are more of the favoured events."""
    process = ToyBottoms()
    bias = EventBias.of(BiasConfig(softer_b_pt=POWER), process)
    theta, monomials = torch.zeros(1, dtype=torch.float64), torch.tensor([1.0, 0.0, 0.0], dtype=torch.float64)
    target = Target(process, monomials, theta, VegasSampler.uniform(7, 1), 25.0, "keep", bias)
    points = 60_000
    chunk = generate_chunk(target, points, torch.Generator().manual_seed(5))
    scaled = chunk.events.coefficients * target.maximum / points
    error = scaled.square().sum(dim=0).sqrt()
    assert bool(((scaled.sum(dim=0) - torch.tensor(COEFFICIENTS)).abs() < 5 * error).all())
    assert bool((error < 0.06).all())
    value = bias(PartonEvents(chunk.events.momenta, chunk.events.x1, chunk.events.x2))
    torch.testing.assert_close((chunk.events.coefficients[:, 0] * value).clamp(max=1.0), torch.ones_like(value))
    sums = chunk.sums.mean[: len(COEFFICIENTS)] - torch.tensor(COEFFICIENTS)
    assert bool((sums.abs() < 5 * chunk.sums.covariance.diagonal().sqrt()[:3]).all())


def test_cross_section_of_a_biased_file(tmp_path: Path):
    """The mean weight is the cross section of all points tried, and a region has the share that it has without bias."""
    sampler = SamplerConfig(
        vegas_iterations=4, vegas_points=5_000, vegas_bins=16, rounds=2, points_per_round=4_000, steps_per_round=20,
        bins=6, units=16,
    )  # fmt: skip
    config = GenerationConfig(events=4_000, sampler=sampler, pilot_points=5_000, chunk_points=5_000)
    shares, hard = [], []
    for name, bias in (("plain", None), ("biased", BiasConfig(softer_b_pt=POWER))):
        result = generate_events(ToyBottoms(), config.model_copy(update={"bias": bias}), 7, tmp_path / name)
        batches = list(read_lhe(result.events_file))
        weight = torch.cat([batch.coefficients[:, 0] for batch in batches])
        assert float(weight.mean()) == pytest.approx(result.cross_section.value, rel=1e-9)
        assert abs(result.cross_section.value - COEFFICIENTS[0]) < 5 * result.cross_section.error
        chosen = torch.cat(
            [batch.momenta[:, 1:, 1:3].square().sum(dim=-1).amin(dim=1).sqrt() > 40.0 for batch in batches]
        )
        share = float((weight * chosen).sum() / weight.sum())
        error = float((weight * (chosen.to(weight) - share)).square().sum().sqrt() / weight.sum())
        shares.append((share, error))
        hard.append(float(chosen.to(torch.float64).mean()))
    (plain, error_1), (biased, error_2) = shares
    assert abs(plain - biased) < 5 * (error_1**2 + error_2**2) ** 0.5
    assert max(error_1, error_2) < 0.03
    assert hard[1] > hard[0] + 0.05
