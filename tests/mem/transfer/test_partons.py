"""What networks see of partons: the symmetries of the collision, to rounding."""

import pytest
import torch

from mem.transfer.toys import LAYOUTS, some_partons
from partonic.config.mem_training.transfer import AcceptanceConfig
from partonic.mem.acceptance.model import AcceptanceNetwork
from partonic.mem.transfer.partons import global_features, symmetric_features, turned

REFERENCE = LAYOUTS["semileptonic"].reference_parton


def test_symmetric_features_are_those_of_the_turned_event() -> None:
    """Of partons turned in double precision, all moving forward."""
    z = some_partons(200)
    first = z[:, REFERENCE].double()
    expected = turned(z.double(), torch.atan2(first[:, 2], first[:, 1]))
    forward = torch.where(expected[..., 3].sum(dim=1) < 0, -1.0, 1.0)[:, None, None]
    expected = torch.cat([expected[..., :2], expected[..., 2:] * forward], dim=-1)
    found = symmetric_features(z, REFERENCE)
    torch.testing.assert_close(found, global_features(expected).float(), atol=2e-5, rtol=2e-5)


def test_the_azimuth_of_the_reference_is_not_rounding_noise() -> None:
    """A feature that is 0 but for rounding would be stretched to deviation 1 by a standardisation."""
    z = some_partons(500)
    found = symmetric_features(z, REFERENCE)
    count = z.shape[1]
    across, sideways = 3 * count + REFERENCE, 6 * count + REFERENCE
    assert (found[:, across] == 0.0).all()
    assert (found[:, sideways] == 0.0).all()


@pytest.mark.parametrize("angle", [0.7, 2.0, -1.3])
def test_a_standardised_network_does_not_see_a_rotation(angle: float) -> None:
    """With py of the reference as rounding left it, logits moved by 0.01 and more."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        network = AcceptanceNetwork(AcceptanceConfig(hidden=(16, 16)), LAYOUTS["semileptonic"])
    z = some_partons(1_000)
    network.fit_scales(z)
    with torch.no_grad():
        logits = network(z)
        moved = network(turned(z, torch.full((len(z),), angle)))
    assert logits.std() > 0.02
    assert float((moved - logits).abs().max()) < 1e-4
