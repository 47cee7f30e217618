"""Training of all channels: it learns, ends the same after an interruption, and keeps what must be kept."""

import logging
from pathlib import Path

import pytest
import torch
from tests.generation.channels.toy_channels import DividedToy, ToyPart
from tests.generation.toy_process import COEFFICIENTS

from partonic.config.generation import ChannelSamplerConfig, SamplerConfig
from partonic.errors import GenerationError, NonFiniteError
from partonic.generation.bias import no_bias
from partonic.generation.channels.prepare import TrainedChannels, tally_weights, train_channels
from partonic.generation.channels.space import ChannelSpace, channel_spaces
from partonic.generation.channels.tally import ChannelTally
from partonic.generation.channels.training import ChannelTraining, kept_channels
from partonic.physics.process import PartonEvents
from partonic.physics.sampling_channel import SamplingChannel
from partonic.progress import SilentProgress

CONFIG = SamplerConfig(
    vegas_iterations=3, vegas_bins=16, units=16, bins=6, harmonics=2, rounds=4, steps_per_round=30, batch_size=512,
    tail_power=2.0, buffer_rounds=2,
    channels=ChannelSamplerConfig(vegas_points=6_000, points_per_round=8_000, learning_rate=0.005),
)  # fmt: skip
TARGET = torch.tensor([1.0, 0.0, 0.0], dtype=torch.float64)


def train(folder: Path, process: DividedToy | None = None, progress: SilentProgress | None = None) -> TrainedChannels:
    return train_channels(
        process or DividedToy(),
        TARGET,
        no_bias,
        CONFIG,
        seed=7,
        checkpoint=folder / "training.safetensors",
        identity="this one",
        progress=progress or SilentProgress(),
    )


def weights_of(trained: TrainedChannels, *, vegas: bool = False) -> tuple[torch.Tensor, ChannelTally]:
    sampler = trained.vegas if vegas else trained.flow
    assert sampler is not None
    return tally_weights(sampler, 20_000, TARGET, no_bias, torch.Generator().manual_seed(1))


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> TrainedChannels:
    return train(tmp_path_factory.mktemp("trained"))


def test_learns_what_grids_cannot(trained: TrainedChannels) -> None:
    weights, tally = weights_of(trained)
    grids, _ = weights_of(trained, vegas=True)
    assert float(weights.std()) < 0.7 * float(grids.std())
    for found in (weights, grids):
        error = float(found.std()) / len(found) ** 0.5
        assert error < 0.02 * COEFFICIENTS[0]
        assert abs(float(found.mean()) - COEFFICIENTS[0]) < 4.0 * error
    quarks = tally.to_json(1.0)["quarks"]
    assert quarks["integral_pb"] == pytest.approx(0.75, abs=0.05)
    assert sum(one["share"] for one in tally.to_json(1.0).values()) == pytest.approx(1.0)


@pytest.mark.parametrize("rounds_done", [0, 1, 3])
def test_continued_training_ends_the_same(rounds_done: int, trained: TrainedChannels, tmp_path: Path) -> None:
    class KilledError(Exception):
        pass

    class KilledProgress(SilentProgress):
        left = rounds_done

        def advance(self, amount: int = 1, **figures: float | str) -> None:
            self.left -= 1
            if self.left <= 0:
                raise KilledError

    with pytest.raises(KilledError):
        train(tmp_path, progress=KilledProgress())
    assert torch.equal(weights_of(train(tmp_path))[0], weights_of(trained)[0])


def test_training_leaves_the_global_generator_alone(tmp_path: Path) -> None:
    before = torch.random.get_rng_state()
    train(tmp_path)
    assert torch.equal(torch.random.get_rng_state(), before)


def test_damaged_checkpoint_is_replaced_with_a_warning(
    trained: TrainedChannels, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "training.safetensors").write_bytes(b"no tensors")
    with caplog.at_level(logging.WARNING):
        again = train(tmp_path)
    assert "the sampler is trained anew" in caplog.text
    assert torch.equal(weights_of(again)[0], weights_of(trained)[0])


def test_vanishing_process_is_an_error(tmp_path: Path) -> None:
    config = CONFIG.model_copy(update={"rounds": 1})
    training = ChannelTraining(
        channel_spaces(DividedToy(), TARGET, 1), torch.zeros(3, dtype=torch.float64), no_bias, config, 1
    )
    with pytest.raises(GenerationError, match="vanished at all"):
        training.adapt()


def test_a_channel_without_a_cross_section_is_kept_and_harmless(tmp_path: Path) -> None:
    """Only maps that another one stands in for may go; gluons that vanish at θ keep a least share of points."""
    found = train(tmp_path, DividedToy(scale_of_gg=0.0))
    assert found.dropped == ()
    weights, tally = weights_of(found)
    assert float(weights.mean()) == pytest.approx(0.75, abs=0.05)
    assert float(tally.points.min()) > 0.02 * len(weights)


def test_points_that_are_not_finite_are_counted() -> None:
    """A process that refuses whole batches is asked again until the points are found."""

    class Refusing(ToyPart):
        def channel_coefficients(self, events: PartonEvents) -> torch.Tensor:
            found = super().channel_coefficients(events)
            if not bool(found.isfinite().all()):
                raise NonFiniteError(f"at {len(found)} points")
            return found

    part = Refusing(broken=0.02)
    space = ChannelSpace(SamplingChannel("all", part, (0, 1, 2)), ())
    numbers = torch.rand((1000, 7), generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    sizes = space.sizes(part.from_unit_cube(numbers)[0], TARGET, no_bias)
    assert torch.equal(sizes.isnan(), numbers[:, 0] < 0.02)
    tally = ChannelTally.of(("all",), torch.zeros(1000, dtype=torch.int64), sizes)
    assert int(tally.not_finite) == int((numbers[:, 0] < 0.02).sum()) > 5
    assert tally.figures() == {"not_finite": str(int(tally.not_finite))}
    assert bool(tally.total.isfinite().all())


def test_many_points_that_are_not_finite_are_an_error(tmp_path: Path) -> None:
    """Too few for the probes of the azimuths to meet them, enough to be a hole of a permille and more."""

    class Broken(DividedToy):
        @property
        def sampling_channels(self) -> tuple[SamplingChannel, ...]:
            return (SamplingChannel("hole", ToyPart(broken=0.0), (0, 1, 2)),)

    training = ChannelTraining(channel_spaces(Broken(), TARGET, 1), TARGET, no_bias, CONFIG, 1)
    hole = ChannelSpace(SamplingChannel("hole", ToyPart(broken=0.5), (0, 1, 2)), training.spaces[0].azimuths)
    training.spaces = (hole,)
    with pytest.raises(NonFiniteError, match=r"points of the channel 'hole'"):
        training.adapt()


def test_maps_are_dropped_but_not_the_last_one() -> None:
    channel = torch.tensor([0] * 10 + [1] * 10 + [2] * 10)
    weights = torch.cat([torch.full((10,), value, dtype=torch.float64) for value in (1e-6, 1.0, 0.0)])
    tally = ChannelTally.of(("a", "b", "c"), channel, weights)
    assert kept_channels(tally, ((0, 1), (2,)), 0.01).tolist() == [False, True, True]
    assert kept_channels(tally, ((0, 1), (2,)), 0.0).tolist() == [True, True, True]
    empty = ChannelTally.of(("a", "b", "c"), channel, torch.zeros(30, dtype=torch.float64))
    assert kept_channels(empty, ((0, 1), (2,)), 0.01).tolist() == [True, True, True]
