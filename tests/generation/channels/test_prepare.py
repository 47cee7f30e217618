"""A generation with several channels from end to end: cross sections, the record of the channels, and interruptions."""

import json
from pathlib import Path

import pytest
from tests.generation.channels.toy_channels import DividedToy
from tests.generation.toy_process import COEFFICIENTS

from partonic.config.generation import VEGAS_SAMPLER, ChannelSamplerConfig, GenerationConfig, SamplerConfig
from partonic.generation.generate import generate_events
from partonic.generation.result import GenerationResult

SAMPLER = SamplerConfig(
    vegas_iterations=3, vegas_bins=16, units=16, bins=6, harmonics=2, rounds=3, steps_per_round=30, batch_size=512,
    tail_power=2.0, channels=ChannelSamplerConfig(vegas_points=5_000, points_per_round=6_000),
)  # fmt: skip
CONFIG = GenerationConfig(events=4_000, theta={"k": 0.5}, sampler=SAMPLER, pilot_points=8_000, chunk_points=4_000)


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> GenerationResult:
    return generate_events(DividedToy(), CONFIG, 5, tmp_path_factory.mktemp("generated"))


def test_coefficients_are_those_of_the_closed_form(generated: GenerationResult) -> None:
    for found, expected in zip(generated.coefficients.values(), COEFFICIENTS, strict=True):
        assert abs(found.value - expected) < 4.0 * found.error
        assert found.error < 0.05 * abs(expected)


def test_partonic_channels_are_told_apart(generated: GenerationResult) -> None:
    """At k = 0.5: gg 2 (1 − 0.3 + 0.2), and the quarks times 1 + 0.15 + 0.05."""
    channels = generated.summary["channels"]
    for name, expected in (("21 21", 1.8), ("2 -2", 0.6), ("-2 2", 0.3)):
        assert abs(channels[name]["value"] - expected) < 4.0 * channels[name]["error"]


def test_record_tells_of_every_channel(generated: GenerationResult) -> None:
    sampling = json.loads(generated.summary_file.read_text())["sampling"]
    assert set(sampling["channels"]) == {"gg, flat", "gg, peak", "quarks"}
    assert sampling["dropped"] == []
    assert sum(one["integral_pb"] for one in sampling["channels"].values()) == pytest.approx(2.7, rel=0.05)
    assert all(one["not_finite"] == 0 for one in sampling["channels"].values())
    assert all(0.0 < one["unweighting_efficiency"] < 1.0 for one in sampling["channels"].values())


def test_killed_generation_ends_with_the_same_bytes(generated: GenerationResult, tmp_path: Path) -> None:
    """All that a run leaves but the events and their record; then with the training alone."""
    again = generate_events(DividedToy(), CONFIG, 5, tmp_path)
    assert again.events_file.read_bytes() == generated.events_file.read_bytes()
    for path in (again.events_file, again.summary_file, tmp_path / "work" / "pilot.json"):
        path.unlink()
    third = generate_events(DividedToy(), CONFIG, 5, tmp_path)
    assert third.events_file.read_bytes() == generated.events_file.read_bytes()


def test_grids_alone_make_events(tmp_path: Path) -> None:
    sampler = VEGAS_SAMPLER.model_copy(
        update={"vegas_iterations": 3, "channels": ChannelSamplerConfig(vegas_points=4_000)}
    )
    config = CONFIG.model_copy(update={"sampler": sampler, "events": 500})
    found = generate_events(DividedToy(), config, 5, tmp_path)
    pilot = found.summary["unweighting"]["pilot"]["unweighting_efficiency"]
    assert pilot == found.vegas_unweighting_efficiency
    assert abs(found.cross_section.value - 2.7) < 4.0 * found.cross_section.error
