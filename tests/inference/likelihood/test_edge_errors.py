"""Edges of an interval move by the error of q over its slope: exact for a parabola."""

import numpy as np
import pytest

from partonic.inference.likelihood.edge_errors import edge_errors
from partonic.inference.likelihood.intervals import Interval
from partonic.inference.likelihood.scan import Scan


def test_edges_of_a_parabola():
    """q = (θ/σ)² is steep by 2θ/σ²; a band that grows as |θ| moves both edges by the same."""
    values, sigma = np.linspace(-2.0, 2.0, 401), 0.5
    q = (values / sigma) ** 2
    scan = Scan("theta", values, q, q, values[:, None])
    bands = {"integration": 0.1 * np.abs(values), "training": np.full(401, 0.2)}
    found = edge_errors(Interval("theta", 0.68, ((-0.5, 0.5),)), scan, bands)
    assert found.level == 0.68
    assert found.errors["integration"][0] == pytest.approx((0.0125, 0.0125), rel=1e-6)
    assert found.errors["training"][0] == pytest.approx((0.05, 0.05), rel=1e-6)


def test_an_edge_that_is_the_end_of_the_scan_has_none():
    values = np.linspace(0.0, 1.0, 11)
    scan = Scan("theta", values, values**2, values**2, values[:, None])
    found = edge_errors(Interval("theta", 0.95, ((0.0, 0.5),), open_below=True), scan, {"training": np.ones(11)})
    low, high = found.errors["training"][0]
    assert low == float("inf")
    assert high == pytest.approx(1.0, rel=1e-6)
