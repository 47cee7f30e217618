"""Fixtures of the generation: a process in closed form, a small sampler, and one finished generation."""

from pathlib import Path

import pytest
from tests.generation.toy_process import ToyProcess

from partonic.config.generation import GenerationConfig, SamplerConfig
from partonic.generation.generate import generate_events
from partonic.generation.result import GenerationResult

SMALL_SAMPLER = SamplerConfig(
    vegas_iterations=4,
    vegas_points=3_000,
    vegas_bins=20,
    units=16,
    bins=6,
    harmonics=2,
    rounds=4,
    points_per_round=4_000,
    steps_per_round=40,
    batch_size=512,
    tail_power=2.0,
    learning_rate=5e-3,
)


@pytest.fixture(scope="session")
def process() -> ToyProcess:
    return ToyProcess()


@pytest.fixture(scope="session")
def small_config() -> GenerationConfig:
    return GenerationConfig(
        events=20_000, theta={"k": 0.5}, sampler=SMALL_SAMPLER, pilot_points=20_000, chunk_points=10_000
    )


@pytest.fixture(scope="session")
def generated(
    process: ToyProcess, small_config: GenerationConfig, tmp_path_factory: pytest.TempPathFactory
) -> GenerationResult:
    """One generation of 20,000 toy events at k = 0.5."""
    output: Path = tmp_path_factory.mktemp("generated")
    return generate_events(process, small_config, 5, output)
