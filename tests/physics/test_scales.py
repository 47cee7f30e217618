"""Scales of a hard process."""

import math

import pytest
import torch

from partonic.physics.fourvector import boost_along_z, on_shell
from partonic.physics.process import PartonEvents
from partonic.physics.scales import FixedScale, PartonicEnergyScale, TransverseMassScale

MASSES = (3.0, 4.0)


@pytest.fixture
def events():
    """Two particles with transverse masses 5 and √(16 + 48) = 8, moving along the beam in the second event."""
    three = torch.tensor([[[4.0, 0.0, 7.0], [0.0, math.sqrt(48.0), -2.0]]], dtype=torch.float64).expand(2, 2, 3)
    momenta = on_shell(three, torch.tensor(MASSES, dtype=torch.float64))
    rapidity = torch.tensor([[0.0], [1.5]], dtype=torch.float64)
    fraction = torch.full((2,), 0.1, dtype=torch.float64)
    return PartonEvents(boost_along_z(momenta, rapidity), fraction, fraction)


def test_fixed(events):
    assert FixedScale(235.0)(events).tolist() == [235.0, 235.0]


def test_partonic_energy(events):
    assert PartonicEnergyScale(13000.0, 0.5)(events).tolist() == pytest.approx([650.0, 650.0])


@pytest.mark.parametrize(
    ("masses", "mean", "factor", "expected"),
    [
        (MASSES, "arithmetic", 1.0, 6.5),
        (MASSES, "geometric", 2.0, 2 * math.sqrt(40.0)),
        (MASSES[:1], "geometric", 1.0, 5.0),
    ],
)
def test_means_of_transverse_masses(events, masses, mean, factor, expected):
    scale = TransverseMassScale(masses, mean, factor)(events)
    torch.testing.assert_close(scale, torch.full((2,), expected, dtype=torch.float64))
