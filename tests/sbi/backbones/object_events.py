"""Random events with jets, leptons and missing momentum, for the tests of this room."""

import numpy as np
import torch

from partonic.config.sbi import SbiConfig
from partonic.features.event_objects import ObjectSlots
from partonic.inference.coefficients.rate import FiducialRate
from partonic.sbi.backbones.layout import InputLayout, ObjectInputs
from partonic.sbi.backbones.object_scaler import ObjectScaler
from partonic.sbi.data import SimulatedEvents
from partonic.sbi.gaussian_toy import FEATURE, GaussianToy
from partonic.sbi.split import parts_of
from partonic.sbi.train import TrainingEvents

SLOTS = ObjectSlots(jets=6, leptons=2, photons=2)
NAMED = 3
LAYOUT = InputLayout(NAMED, SLOTS)


def objects(events: int, seed: int = 1, slots: ObjectSlots = SLOTS) -> np.ndarray:
    """`OBJECT_NUMBERS` of events with 2–5 jets, 0–2 leptons, 0–1 photons, and missing momentum."""
    drawn = np.random.default_rng(seed)
    table = np.zeros((events, len(slots), 9), dtype=np.float32)
    numbers = {0: (2, 5), 1: (0, 2), 2: (0, 1), 3: (1, 1)}
    for kind, place in slots.kinds():
        size = place.stop - place.start
        count = drawn.integers(numbers[kind][0], numbers[kind][1] + 1, events)
        block = np.zeros((events, size, 9))
        block[..., 0] = 1.0
        block[..., 1] = -np.sort(-drawn.exponential(60.0, (events, size)) - 20.0, axis=1)
        block[..., 2] = 0.0 if kind == 3 else drawn.uniform(-2.0, 2.0, (events, size))
        block[..., 3] = drawn.uniform(-np.pi, np.pi, (events, size))
        if kind == 0:
            block[..., 4] = 0.1 * block[..., 1]
            block[..., 5] = block[..., 6] = drawn.integers(0, 2, (events, size))
        if kind == 1:
            block[..., 7] = drawn.choice([-1.0, 1.0], (events, size))
            block[..., 8] = drawn.integers(0, 2, (events, size))
        table[:, place] = np.where(np.arange(size)[None, :, None] < count[:, None, None], block, 0.0)
    return table


def scaler(slots: ObjectSlots = SLOTS) -> ObjectScaler:
    found = ObjectScaler(slots)
    found.fit(torch.from_numpy(objects(500, 9, slots)))
    return found


def named(events: int, seed: int = 1) -> torch.Tensor:
    return torch.randn(events, NAMED, generator=torch.Generator().manual_seed(seed))


def rows(table: np.ndarray, seed: int = 1) -> torch.Tensor:
    """Inputs of networks, of events with these objects."""
    return scaler()(named(len(table), seed), torch.from_numpy(table))


def inputs(events: int, seed: int = 1) -> ObjectInputs:
    return LAYOUT.split(rows(objects(events, seed), seed))


def sample(events: int, settings: SbiConfig, seed: int = 1) -> TrainingEvents:
    """Events with R_θ² = 1 + tanh of how near the two hardest jets are, and a named feature that knows nothing."""
    toy, table = GaussianToy(1.5), objects(events, seed)
    first, second = table[:, 0], table[:, 1]
    delta_phi = np.remainder(first[:, 3] - second[:, 3] + np.pi, 2 * np.pi) - np.pi
    near = np.tanh(1.5 * (1.9 - np.hypot(first[:, 2] - second[:, 2], delta_phi)))
    coefficients = np.stack([np.ones(events), np.zeros(events), 1.0 + near], axis=1)
    blind = np.random.default_rng(seed).normal(size=(events, 1))
    drawn = SimulatedEvents((FEATURE,), blind, coefficients, np.arange(events), SLOTS, table)
    rate = FiducialRate.of_sums(toy.monomials, coefficients.sum(axis=0), coefficients.T @ coefficients, None)
    return TrainingEvents(drawn, toy.metadata([0.0]), parts_of(drawn.group, settings.parts(), 1), rate.record())
