"""One chunk of events: cross sections, channels, colour flows and coefficients against the closed form."""

import logging
import math
from pathlib import Path

import pytest
import torch
from tests.generation.toy_process import CHANNELS_AT_0, COEFFICIENTS, ToyProcess

from partonic.config.generation import OverweightPolicy
from partonic.errors import GenerationError, NonFiniteError
from partonic.generation.chunks import ChunkFolder, EventChunk, Target, generate_chunk
from partonic.generation.vegas import VegasSampler
from partonic.physics.process import PartonEvents

POINTS = 200_000


def target(process: ToyProcess, k: float, maximum: float, policy: OverweightPolicy = "keep") -> Target:
    """Return a target for uniform points, whose weights are up to 80 pb."""
    theta = torch.tensor([k], dtype=torch.float64)
    monomials = torch.from_numpy(process.monomials.evaluate([k]))
    return Target(process, monomials, theta, VegasSampler.uniform(7, 1), maximum, policy)


@pytest.fixture(scope="module")
def chunk(process: ToyProcess) -> EventChunk:
    """200,000 uniform points at k = 0.5, with 10% of the cross section above the maximum weight."""
    return generate_chunk(target(process, 0.5, 25.0), POINTS, torch.Generator().manual_seed(11))


def test_cross_section_coefficients_are_the_closed_form(chunk: EventChunk) -> None:
    errors = chunk.sums.covariance.diagonal().sqrt()
    at_half = [2.0 - 0.6 + 0.4, 0.5 * 1.2, 0.25 * 1.2]
    exact = torch.tensor([*COEFFICIENTS, *at_half, sum(at_half)], dtype=torch.float64)
    assert bool(((chunk.sums.mean - exact).abs() < 5 * errors).all())
    assert bool((errors < 0.01 * exact.abs()).all())


def test_events_carry_the_same_coefficients(chunk: EventChunk) -> None:
    """The coefficients of the events, normalised by the points tried, sum to the cross section as well."""
    scaled = chunk.events.coefficients * chunk.tally.maximum / POINTS
    error = scaled.square().sum(dim=0).sqrt()
    assert bool(((scaled.sum(dim=0) - torch.tensor(COEFFICIENTS)).abs() < 5 * error).all())
    assert bool((error < 0.03).all())


def test_overweights_are_there_and_kept(chunk: EventChunk) -> None:
    assert 0.01 < chunk.tally.overweight_fraction < 0.5
    weights = chunk.events.coefficients @ torch.tensor([1.0, 0.5, 0.25], dtype=torch.float64)
    assert int((weights > 1.0 + 1e-9).sum()) == chunk.tally.overweight_points
    assert float(weights.min()) == pytest.approx(1.0, abs=1e-12)


def test_channels_are_drawn_by_their_share(process: ToyProcess) -> None:
    chunk = generate_chunk(target(process, 0.0, 60.0), POINTS, torch.Generator().manual_seed(12))
    counts = torch.bincount(chunk.events.channel, minlength=3).to(torch.float64)
    expected = torch.tensor(CHANNELS_AT_0) / sum(CHANNELS_AT_0) * len(chunk.events)
    assert float(((counts - expected).square() / expected).sum()) < 13.8  # χ² with 2 degrees of freedom, p = 0.001
    assert len(chunk.events) > 5_000


def test_coefficients_are_those_of_the_channel(chunk: EventChunk) -> None:
    ratio = chunk.events.coefficients[:, 1:] / chunk.events.coefficients[:, :1]
    quarks = ratio[chunk.events.channel > 0]
    torch.testing.assert_close(quarks, torch.tensor([0.3, 0.2], dtype=torch.float64).expand_as(quarks))
    gluons = ratio[chunk.events.channel == 0]
    torch.testing.assert_close(gluons[:, 1], torch.full_like(gluons[:, 1], 0.8))
    assert bool((gluons[:, 0] < 0).all())


def test_colour_flows_follow_their_weights(process: ToyProcess, chunk: EventChunk) -> None:
    events = chunk.events
    numbers, _ = process.to_unit_cube(_partons(chunk))
    gluons = events.channel == 0
    share, drawn = numbers[gluons, 5], (events.colour_flow[gluons] == 0).to(torch.float64)
    pull = float((drawn - share).sum() / (share * (1.0 - share)).sum().sqrt())
    assert abs(pull) < 4
    covariance = float(((drawn - drawn.mean()) * (share - share.mean())).mean())
    assert covariance == pytest.approx(float(share.var()), abs=5 * 0.25 / math.sqrt(int(gluons.sum())))
    assert bool((events.colour_flow[~gluons] == 0).all())


def test_kinematics_follow_the_integrand(process: ToyProcess) -> None:
    """The distribution of u0 is 3 u0² in every channel (Kolmogorov–Smirnov)."""
    chunk = generate_chunk(target(process, 0.0, 60.0), POINTS, torch.Generator().manual_seed(13))
    numbers, _ = process.to_unit_cube(_partons(chunk))
    ordered = numbers[:, 0].pow(3).sort().values
    uniform = torch.arange(1, len(ordered) + 1, dtype=torch.float64) / len(ordered)
    assert float((ordered - uniform).abs().max()) * math.sqrt(len(ordered)) < 1.95


def test_negative_cross_sections_keep_their_sign(process: ToyProcess) -> None:
    """With only the interference as target, every gluon event weighs −1 and the sum is right."""
    negative = target(process, 0.0, 60.0)
    negative = Target(
        process, torch.tensor([0.0, 1.0, 0.0], dtype=torch.float64), negative.theta, negative.sampler, 200.0, "keep"
    )
    chunk = generate_chunk(negative, POINTS, torch.Generator().manual_seed(14))
    weights = chunk.events.coefficients[:, 1]
    torch.testing.assert_close(weights.abs(), torch.ones_like(weights))
    assert bool(((weights < 0) == (chunk.events.channel == 0)).all())
    total, error = float(weights.sum()) * 200.0 / POINTS, math.sqrt(len(weights)) * 200.0 / POINTS
    assert abs(total - COEFFICIENTS[1]) < 5 * error
    assert error < 0.05


def test_nan_names_the_point() -> None:
    with pytest.raises(NonFiniteError, match=r"of the unit cube: x1 = "):
        generate_chunk(target(ToyProcess(broken=0.5), 0.0, 60.0), 1_000, torch.Generator().manual_seed(1))


def test_file_gives_back_the_chunk(chunk: EventChunk, tmp_path: Path) -> None:
    folder = ChunkFolder(tmp_path, "mine")
    folder.save(3, chunk)
    loaded = folder.load(3)
    assert torch.equal(loaded.events.momenta, chunk.events.momenta)
    assert torch.equal(loaded.events.channel, chunk.events.channel)
    assert torch.equal(loaded.sums.second, chunk.sums.second)
    assert loaded.tally == chunk.tally


def test_foreign_and_damaged_chunks_are_ignored_with_a_warning(
    chunk: EventChunk, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    ChunkFolder(tmp_path, "other").save(0, chunk)
    mine = ChunkFolder(tmp_path, "mine")
    with caplog.at_level(logging.WARNING):
        assert mine.existing(0) is None
        mine.path(0).write_bytes(b"torn")
        assert mine.existing(0) is None
    assert "another configuration" in caplog.text
    assert "cannot read" in caplog.text
    assert mine.existing(1) is None
    with pytest.raises(GenerationError, match="cannot read"):
        mine.load(0)


def _partons(chunk: EventChunk) -> PartonEvents:
    return PartonEvents(chunk.events.momenta, chunk.events.x1, chunk.events.x2)
