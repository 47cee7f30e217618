"""Channels of the sampling: images with exchanged beams, and partonic channels that are covered once."""

import pytest
import torch

from partonic.errors import ProcessError
from partonic.physics.process import Channel, PartonEvents
from partonic.physics.sampling_channel import SamplingChannel, mirror_images, mirrored_events, require_cover, whole
from partonic.processes.definition import build_process
from partonic.processes.thq.settings import ThqConfig
from partonic.processes.tth.settings import TthConfig

CHANNELS = tuple(Channel(initial, ()) for initial in ((2, -1), (-1, 2), (21, 21)))


def test_images_exchange_the_beams() -> None:
    assert mirror_images(CHANNELS, (0,)) == (1,)
    assert mirror_images(CHANNELS, (2,)) == ()
    assert mirror_images(CHANNELS, (0, 1)) == ()
    with pytest.raises(ProcessError, match="no image with exchanged beams"):
        mirror_images(CHANNELS[:1], (0,))


def test_events_are_rotated() -> None:
    momenta = torch.tensor([[[5.0, 1.0, 2.0, 3.0]]], dtype=torch.float64)
    events = mirrored_events(PartonEvents(momenta, torch.tensor([0.1]), torch.tensor([0.2])))
    assert events.momenta.tolist() == [[[5.0, 1.0, -2.0, -3.0]]]
    assert (float(events.x1), float(events.x2)) == pytest.approx((0.2, 0.1))


def test_every_partonic_channel_is_covered_once() -> None:
    process = build_process(TthConfig())
    assert whole(process)[0].members == tuple(range(len(process.channels)))
    maps = [SamplingChannel(name, process, (0,), (1,)) for name in "ab"]
    require_cover([*maps, SamplingChannel("c", process, (2,))], 3)
    for wrong in (maps, [*maps, SamplingChannel("c", process, (1, 2))]):
        with pytest.raises(ProcessError, match="must cover the 3 partonic channels once"):
            require_cover(wrong, 3)


def test_parts_of_a_process_add_up_to_it(torch_rng: torch.Generator) -> None:
    process = build_process(ThqConfig())
    numbers = torch.rand((50, process.dimensions), generator=torch_rng, dtype=torch.float64)
    events, _ = process.from_unit_cube(numbers)
    expected = process.channel_coefficients(events)
    found = torch.full_like(expected, float("nan"))
    for channel in process.sampling_channels:
        found[:, list(channel.members)] = channel.process.channel_coefficients(events)
        images = channel.process.channel_coefficients(mirrored_events(events))
        found[:, list(channel.mirrored)] = images
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-12)
