import numpy as np
import pytest
from tests.inference.line_toy import grid, pool_of, setup

from partonic.inference.experiments.expected import expected_limits
from partonic.inference.likelihood.intervals import threshold


def test_expected_limits_at_the_standard_model():
    """The information on a is 4/3 an event: its interval is ±z/√(4n/3), up to the rate's quartic term."""
    limits = expected_limits(setup(), pool_of(grid(3000)), {})
    assert limits.events == pytest.approx(1000.0)
    assert abs(limits.best.value("a")) < 1e-4
    ((low, high),) = limits.intervals["a"][1].segments
    assert high == pytest.approx(np.sqrt(threshold(0.95) / (4000 / 3)), rel=0.02)
    assert low == pytest.approx(-high, rel=1e-3)
    assert set(limits.curves) == {"a", "b"}


def test_expected_limits_elsewhere_and_with_less_luminosity():
    pool = pool_of(grid(3000))
    more = expected_limits(setup(), pool, {"b": 0.9})
    assert more.events == pytest.approx(1000 * (1 + 0.81 * 8 / 15), rel=1e-5)
    assert abs(more.best.value("b")) == pytest.approx(0.9, abs=1e-3)
    segments = more.intervals["b"][0].segments
    assert len(segments) == 2
    assert 0.9 in more.intervals["b"][0]
    limited = expected_limits(setup(), pool, {}, ranges={"b": (-0.1, 0.1)})
    assert limited.intervals["b"][0].open_below
