import numpy as np
import pytest
from tests.inference import circle_toy
from tests.inference.line_toy import MONOMIALS, SIGMA, draw, grid, ratios, write_store

from partonic.errors import EventFileError
from partonic.inference.coefficients.sum_rule import sum_rule
from partonic.inference.coefficients.truth import truth_coefficients


def test_ratios_are_those_of_the_weights(tmp_path, rng):
    x = draw(rng, 50)
    selected = np.arange(50) % 3 > 0
    events = truth_coefficients(write_store(tmp_path / "e.parquet", x, selected=selected))
    assert events.event_id.tolist() == np.flatnonzero(selected).tolist()
    np.testing.assert_allclose(events.ratios, ratios(x[selected]), rtol=1e-12)
    np.testing.assert_allclose(events.log_reference, np.log(SIGMA / 50))
    assert events.monomials == MONOMIALS
    assert not events.covariance.any()
    assert events.source == "truth"


def test_nothing_selected(tmp_path):
    store = write_store(tmp_path / "e.parquet", grid(5), selected=np.zeros(5, dtype=bool))
    with pytest.raises(EventFileError, match="has no selected event"):
        truth_coefficients(store)


def test_a_reference_that_is_not_at_zero(tmp_path):
    """The ratios are relative to the density at a = 1, the Standard Model of the toy; so is the sum rule."""
    store = circle_toy.write_store(tmp_path / "circle.parquet", grid(500))
    events = truth_coefficients(store, circle_toy.STANDARD)
    densities = circle_toy.densities(grid(500))
    at_reference = densities @ events.monomials.evaluate([1.0, 0.0])
    good = events.usable()
    np.testing.assert_allclose(events.ratios[good], densities[good] / at_reference[good, None])
    np.testing.assert_allclose(events.at(np.array([1.0, 0.0]))[good], 1.0)
    rule = sum_rule(events, circle_toy.SIGMA / 500 * densities, None)
    np.testing.assert_allclose(rule.difference, 0.0, atol=1e-12)
    np.testing.assert_allclose(rule.mean, rule.expected, rtol=1e-9, atol=1e-12)
