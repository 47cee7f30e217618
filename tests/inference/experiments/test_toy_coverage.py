from dataclasses import replace

import numpy as np
import pytest
from tests.inference.line_toy import coefficients, grid, pool_of, setup

from partonic.errors import InferenceError
from partonic.inference.experiments.pseudo_experiments import Setup
from partonic.inference.experiments.study import Plan
from partonic.inference.experiments.toy_coverage import toy_coverage
from partonic.inference.likelihood.intervals import threshold

DATA, TOYS = 60, 60


@pytest.mark.slow
def test_a_squared_coupling_is_covered_as_often_as_it_says(tmp_path):
    """At b = 0 asymptotic 68% intervals cover 84%; those from toys 68%, with a threshold of 0.22 for 0.99."""
    found = toy_coverage(setup(), pool_of(grid(2000)), "b", {}, Plan(DATA, tmp_path / "data"), TOYS)
    assert (found.name, found.experiments, found.toys) == ("b", DATA, TOYS)
    assert found.theta == {"a": 0.0, "b": 0.0}
    for level in ("0.68", "0.95"):
        share = float(level)
        # Quantiles of 60 toys scatter, too: both errors are binomial ones.
        error = np.sqrt(share * (1 - share) * (1 / DATA + 1 / TOYS))
        assert abs(found.coverage[level].value - share) < 3.5 * error
    assert found.threshold["0.68"] < 0.6 < threshold(0.68)
    assert 1.5 < found.threshold["0.95"] < threshold(0.95)


def test_resumed_with_the_same_result(tmp_path):
    pool = pool_of(grid(500))
    first = toy_coverage(setup(), pool, "a", {"b": 0.8}, Plan(4, tmp_path / "data"), 5)
    kept = sorted(path.name for path in tmp_path.iterdir())
    assert kept == ["data.parts", "data.toys.parts"]
    assert toy_coverage(setup(), pool, "a", {"b": 0.8}, Plan(4, tmp_path / "data"), 5) == first


def test_nothing_can_be_fitted(tmp_path):
    empty = Setup(replace(setup().mixture, luminosity=1e-9), ("a",), shape_only=True)
    pool = pool_of(grid(50), coefficients(grid(50)))
    with pytest.raises(InferenceError, match=r"none of 2 pseudo-experiments at .* has a maximum"):
        toy_coverage(empty, pool, "a", {}, Plan(2, tmp_path / "data"), 3)
