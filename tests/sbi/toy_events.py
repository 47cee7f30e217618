"""Events of the Gaussian toy in memory, for the tests of this room."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from partonic.config.sbi import SbiConfig
from partonic.inference.coefficients.rate import FiducialRate
from partonic.sbi.data import SimulatedEvents
from partonic.sbi.gaussian_toy import FEATURE, GaussianToy
from partonic.sbi.split import parts_of
from partonic.sbi.train import TrainedSbi, TrainingEvents, train_on_events


def config(**changes) -> SbiConfig:
    """Small networks on x, without events for the fit."""
    return SbiConfig.model_validate({
        "features": [FEATURE],
        "shares": {"fit": 0.0, "calibration": 0.0},
        "network": {"hidden": [24, 24], "members": 2},
        "training": {"epochs": 5, "batch_size": 512, "learning_rate": 1e-2},
        **changes,
    })  # fmt: skip


def known(toy: GaussianToy, events: int, points: Sequence[float], settings: SbiConfig, seed: int = 1) -> TrainingEvents:
    drawn = toy.draw(events, points, np.random.default_rng(seed))
    sample = SimulatedEvents((FEATURE,), drawn.observed[:, None], drawn.coefficients, np.arange(events))
    squares = drawn.coefficients.T @ drawn.coefficients
    rate = FiducialRate.of_sums(toy.monomials, drawn.coefficients.sum(axis=0), squares, None)
    return TrainingEvents(sample, toy.metadata(points), parts_of(sample.group, settings.parts(), 1), rate.record())


def train(toy: GaussianToy, events: int, points: Sequence[float], folder: Path, seed: int = 1, **changes) -> TrainedSbi:
    settings = config(**changes)
    return train_on_events(known(toy, events, points, settings, seed), settings, seed, folder)


def squared_error(trained: TrainedSbi, toy: GaussianToy, theta: float = 0.6) -> tuple[float, float]:
    """Mean squared error of log r(x|θ, 0) on events at θ, with its own error."""
    from partonic.sbi.expansion import Expansion

    x = toy.draw(4_000, [theta], np.random.default_rng(99)).observed
    record = trained.model.record
    expansion = Expansion.around(toy.monomials, record.reference)
    found = expansion.ratios(trained.model.targets(x[:, None]).mean(axis=0))
    row = toy.monomials.evaluate([theta])
    squares = (np.log(found @ row / found[:, 0]) - np.log(toy.ratios(x) @ row)) ** 2
    return float(squares.mean()), float(squares.std() / np.sqrt(len(x)))
