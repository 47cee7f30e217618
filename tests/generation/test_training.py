"""Training: it learns, it does not depend on interruptions, and damaged states are noticed."""

import logging
from pathlib import Path

import pytest
import torch

from partonic.config.generation import SamplerConfig
from partonic.errors import GenerationError, OutputError
from partonic.generation.training import SamplerTraining, train_samplers

CONFIG = SamplerConfig(
    vegas_iterations=3, vegas_points=2_000, vegas_bins=16, units=16, bins=6, harmonics=2, rounds=4,
    points_per_round=3_000, steps_per_round=30, batch_size=512, tail_power=2.0, learning_rate=0.01, buffer_rounds=2,
)  # fmt: skip


def ridge(points: torch.Tensor) -> torch.Tensor:
    """Return 1 + 0.9 cos 2π(x − y), which no product of one-dimensional densities describes. Its integral is 1."""
    return 1.0 + 0.9 * torch.cos(2.0 * torch.pi * (points[:, 0] - points[:, 1]))


def train(folder: Path, config: SamplerConfig = CONFIG) -> tuple[torch.Tensor, torch.Tensor]:
    samplers = train_samplers(ridge, 2, config, seed=7, checkpoint=folder / "training.safetensors", identity="this one")
    points, log_density = samplers.flow.sample(20_000, torch.Generator().manual_seed(1))
    return points, ridge(points) * (-log_density).exp()


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[torch.Tensor, torch.Tensor]:
    return train(tmp_path_factory.mktemp("trained"))


def test_flow_learns_a_correlation(trained: tuple[torch.Tensor, torch.Tensor]) -> None:
    _, weights = trained
    error = float(weights.std()) / 20_000**0.5
    assert abs(float(weights.mean()) - 1.0) < 5 * error
    assert float(weights.std()) < 0.25  # 0.64 for VEGAS


@pytest.mark.parametrize("rounds_done", [0, 1, 3])
def test_continued_training_ends_the_same(
    rounds_done: int, trained: tuple[torch.Tensor, torch.Tensor], tmp_path: Path
) -> None:
    training = SamplerTraining(ridge, 2, CONFIG, 7)
    training.adapt_vegas()
    for _ in range(rounds_done):
        training.run_round()
    if rounds_done:
        training.save(tmp_path / "training.safetensors", "this one")
    assert torch.equal(train(tmp_path)[0], trained[0])


def test_training_leaves_the_global_generator_alone(tmp_path: Path) -> None:
    before = torch.random.get_rng_state()
    train(tmp_path, CONFIG.model_copy(update={"rounds": 1}))
    assert torch.equal(torch.random.get_rng_state(), before)


@pytest.mark.parametrize("damage", ["truncated", "altered", "foreign"])
def test_bad_checkpoint_is_replaced_with_a_warning(
    damage: str, trained: tuple[torch.Tensor, torch.Tensor], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "training.safetensors"
    training = SamplerTraining(ridge, 2, CONFIG, 8)
    training.adapt_vegas()
    training.run_round()
    training.save(path, "another one" if damage == "foreign" else "this one")
    content = bytearray(path.read_bytes())
    if damage == "truncated":
        path.write_bytes(bytes(content[:-1000]))
    elif damage == "altered":
        content[-1] ^= 1
        path.write_bytes(bytes(content))
    with caplog.at_level(logging.WARNING):
        points, _ = train(tmp_path)
    assert "the sampler is trained anew" in caplog.text
    assert torch.equal(points, trained[0])


def test_vanishing_integrand_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(GenerationError, match="vanished on all 3000 points"):
        train_samplers(
            lambda points: torch.zeros(len(points), dtype=torch.float64),
            2,
            CONFIG,
            seed=1,
            checkpoint=tmp_path / "t",
            identity="x",
        )


def test_integrand_with_a_hole_is_learned(tmp_path: Path) -> None:
    """Points where the integrand is zero (log weight −∞) are no obstacle."""
    samplers = train_samplers(
        lambda points: (points[:, 0] > 0.5).to(torch.float64),
        2,
        CONFIG,
        seed=1,
        checkpoint=tmp_path / "t",
        identity="x",
    )
    points, _ = samplers.flow.sample(5_000, torch.Generator().manual_seed(1))
    assert float((points[:, 0] > 0.5).double().mean()) > 0.9


def test_unwritable_checkpoint_is_an_output_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OutputError, match="cannot write"):
        train_samplers(ridge, 2, CONFIG, seed=1, checkpoint=tmp_path / "file" / "t", identity="x")
