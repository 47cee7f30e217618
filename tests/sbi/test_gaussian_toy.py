"""The toy against its definition: densities, cross section, and morphing of its events."""

import numpy as np
import pytest

from partonic.events.store import EventStore
from partonic.features.named import NamedFeatures
from partonic.sbi.gaussian_toy import FEATURE, GaussianToy


def test_densities_are_normalised_and_have_the_widths_of_the_paper():
    toy = GaussianToy(3.0)
    x = np.linspace(-8.0, 10.0, 20_001)
    density = toy.density(x, smeared=True)
    step = x[1] - x[0]
    assert density.sum(axis=0) * step == pytest.approx([1.0, 0.0, 1.0], abs=1e-6)
    mean = (x * density[:, 2]).sum() * step
    assert mean == pytest.approx(3.0, abs=1e-6)
    assert np.sqrt(((x - mean) ** 2 * density[:, 2]).sum() * step) == pytest.approx(np.sqrt(0.01 + 0.49), abs=1e-6)


@pytest.mark.parametrize("points", [(0.0,), (-1.0, 0.0, 1.0), (0.6,)])
def test_weights_give_the_same_moments_wherever_the_events_were_drawn(points):
    toy = GaussianToy(1.5)
    events = toy.draw(40_000, points, np.random.default_rng(3))
    weight = events.coefficients @ toy.monomials.evaluate([1.0])
    for values, expected in ((np.ones(40_000), 2.0), (events.observed, 1.5)):
        parts = weight * values
        error = np.sqrt(len(parts)) * parts.std()
        assert error < 0.12, "the test would see nothing"
        assert abs(parts.sum() - expected) < 4.0 * error


def test_a_store_has_x_as_a_feature_and_the_cross_section(tmp_path):
    toy = GaussianToy()
    events = toy.draw(25_000, [0.0], np.random.default_rng(4))
    toy.write(tmp_path / "toy.parquet", events)
    store = EventStore.open(tmp_path / "toy.parquet")
    batch = store.read(("event_id", "met_pt", "met_phi", "coefficients", "partons"))
    found = NamedFeatures([FEATURE, "partons[3]"], store.metadata).of(batch)
    np.testing.assert_allclose(found[:, 0], events.observed, atol=1e-6)
    np.testing.assert_array_equal(found[:, 1], events.parton)
    assert store.metadata.cross_section.at(toy.monomials, [0.0]) == pytest.approx(1.0)
