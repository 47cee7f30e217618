"""Mandelstam variables of two partons, against momenta that were made from them."""

import numpy as np
import pyarrow as pa
import pytest

from partonic.errors import ConfigError
from partonic.events.batch import EventBatch
from partonic.events.process_info import ProcessInfo
from partonic.events.schema import StoreMetadata
from partonic.features.named import NamedFeatures
from partonic.polynomial import Monomials


def batch_of(root, cos_theta, initial, boost):
    """One massive pair each: masses 80 and 91 GeV at energy `root`, angle of the first to +z, boosted along z."""
    first, second = 80.0, 91.0
    root, cos_theta, boost = (np.asarray(each, dtype=np.float64) for each in (root, cos_theta, boost))
    size = np.sqrt((root**2 - (first + second) ** 2) * (root**2 - (first - second) ** 2)) / (2 * root)
    across, along = size * np.sqrt(1 - cos_theta**2), size * cos_theta
    momenta = []
    for mass, sign in ((first, 1.0), (second, -1.0)):
        energy = np.sqrt(size**2 + mass**2)
        momenta.append(
            np.stack(
                [
                    np.cosh(boost) * energy + np.sinh(boost) * sign * along,
                    sign * across,
                    0 * root,
                    np.sinh(boost) * energy + np.cosh(boost) * sign * along,
                ],
                axis=1,
            )
        )
    flat = np.stack(momenta, axis=1)
    info = ProcessInfo("toy", ("w", "z"), (24, 23), Monomials.up_to_degree(("t",), 1), 13_000.0)
    table = {
        "event_id": np.arange(len(root)),
        "partons": pa.FixedSizeListArray.from_arrays(pa.array(flat.ravel()), 8),
        "initial_pdg": pa.FixedSizeListArray.from_arrays(pa.array(np.ravel(initial).astype(np.int32)), 2),
        "x1": np.full(len(root), 0.1),
        "x2": np.full(len(root), 0.1),
    }
    return EventBatch(pa.table(table), StoreMetadata.for_process(info)), size


@pytest.mark.parametrize("boost", [0.0, 1.3, -0.8])
def test_variables_of_quark_from_either_side(boost):
    root, cos_theta = np.array([300.0, 900.0, 500.0]), np.array([0.3, -0.9, 0.5])
    initial = [[2, -1], [-1, 2], [21, 21]]
    batch, size = batch_of(root, cos_theta, initial, np.full(3, boost))
    features = NamedFeatures(["s_hat", "t_hat", "u_hat"], batch.metadata).of(batch)
    angle = cos_theta * [1.0, -1.0, 1.0]  # to the incoming quark; of two gluons to what comes along +z
    t = 80.0**2 - root * (np.sqrt(size**2 + 80.0**2) - size * angle)
    np.testing.assert_allclose(features[:, 0], root**2, rtol=1e-10)
    np.testing.assert_allclose(features[:, 1], t, rtol=1e-9)
    np.testing.assert_allclose(features.sum(axis=1), 80.0**2 + 91.0**2, atol=1e-4 * root.max())


def test_only_of_two_partons():
    info = ProcessInfo("toy", ("a", "b", "c"), (23, 25, 22), Monomials.up_to_degree(("t",), 1), 13_000.0)
    with pytest.raises(ConfigError, match="there is no feature 't_hat'"):
        NamedFeatures(["t_hat"], StoreMetadata.for_process(info))
