"""The map of the other assignment of three leptons of one flavour."""

import pytest
import torch

from partonic.physics.fourvector import mass
from partonic.physics.phasespace.unit_cube import UnitCube
from partonic.processes.definition import build_process
from partonic.processes.wz.exchanged_cube import ExchangedLeptonsCube
from partonic.processes.wz.settings import WzConfig


@pytest.mark.parametrize(("name", "partner"), [("W+, one flavour, exchanged", 3), ("W-, one flavour, exchanged", 2)])
def test_the_pair_is_of_the_other_assignment(name: str, partner: int, torch_rng: torch.Generator) -> None:
    channels = {one.name: one for one in build_process(WzConfig()).sampling_channels}
    process = channels[name].process
    cube = process.cube
    assert isinstance(cube, ExchangedLeptonsCube)
    assert isinstance(cube, UnitCube)
    numbers = torch.rand((2000, 10), generator=torch_rng, dtype=torch.float64) * 0.98 + 0.01
    events, log_jacobian = cube.forward(numbers)
    own = mass(events.momenta[:, 0] + events.momenta[:, 5 - partner])
    assert float(own.min()) >= 12.0
    assert 0.2 < float((own < 60.0).double().mean()) < 0.9  # the pole of the photon is seen
    again, log_inverse = cube.inverse(events)
    torch.testing.assert_close(again, numbers, rtol=0.0, atol=1e-6)
    torch.testing.assert_close(log_inverse, -log_jacobian, rtol=0.0, atol=1e-5)
    window = mass(events.momenta[:, 2] + events.momenta[:, 3])
    outside = (window < 60.0) | (window > 120.0)
    assert bool(outside.any())
    assert float(process.coefficients(events)[outside].abs().max()) == 0.0
