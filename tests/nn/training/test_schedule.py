"""Learning rates over a phase."""

from itertools import pairwise

import pytest

from partonic.config.networks import NetworkTrainingConfig
from partonic.nn.training.schedule import Plateau, learning_rate, one_cycle
from partonic.nn.training.settings import PhaseSettings


def test_cycle_rises_to_one_and_falls_without_a_jump() -> None:
    rates = [one_cycle(step / 1000) for step in range(1001)]
    assert rates[0] == pytest.approx(0.04)
    assert max(rates) == rates[100] == pytest.approx(1.0)
    assert rates[-1] == pytest.approx(1e-3)
    assert rates[550] == pytest.approx(0.5, abs=1e-3)  # half-way down the cosine
    assert max(abs(b - a) for a, b in pairwise(rates)) < 0.011
    assert rates[:101] == sorted(rates[:101])
    assert rates[100:] == sorted(rates[100:], reverse=True)


def test_exponential_is_constant_within_an_epoch() -> None:
    settings = PhaseSettings("x", 10, learning_rate=2.0, schedule="exponential", decay=0.5)
    assert [learning_rate(settings, epoch, 0.3, Plateau()) for epoch in (0, 1, 3)] == [2.0, 1.0, 0.25]


def test_plateau_waits_then_decays() -> None:
    settings = PhaseSettings("x", 10, learning_rate=2.0, schedule="plateau", decay=0.5, plateau_patience=1)
    plateau, rates = Plateau(), []
    for improved in (True, False, False, True, False, False, False, False):
        plateau.after_epoch(improved, settings)
        rates.append(learning_rate(settings, 0, 0.0, plateau))
    assert rates == [2.0, 2.0, 1.0, 1.0, 1.0, 0.5, 0.5, 0.25]


def test_settings_of_an_analysis() -> None:
    config = NetworkTrainingConfig(batch_size=7, average=0.99, gradient_clip=None, devices=2)
    settings = PhaseSettings.from_config(config, "regression", 3)
    assert (settings.name, settings.epochs, settings.batch_size, settings.schedule) == ("regression", 3, 7, "one_cycle")
    assert (settings.gradient_clip, settings.devices, settings.average) == (None, 2, 0.99)
    assert (
        settings.mathematical()
        == PhaseSettings.from_config(
            config.model_copy(update={"devices": 1, "accelerator": "cpu"}), "regression", 3
        ).mathematical()
    )
