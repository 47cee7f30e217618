from dataclasses import replace

import numpy as np
import pytest
from tests.inference.line_toy import draw, grid, likelihood, pool_of, setup

from partonic.inference.experiments.study import Plan
from partonic.inference.experiments.toys import toy_intervals
from partonic.inference.likelihood.fit import fit
from partonic.inference.likelihood.intervals import threshold
from partonic.inference.likelihood.scan import scan


@pytest.mark.slow
def test_threshold_at_zero_of_a_squared_coupling(tmp_path, rng):
    """At b = 0 half of the experiments have q = 0: the 68% threshold is the 36% quantile of χ², 0.22, not 0.99."""
    study = replace(setup(fitted=("b",)), interest=("b",))
    function = likelihood(draw(rng, 1000), fitted=("b",))
    best = fit(function)
    curve = scan(function, best, "b", np.linspace(-0.9, 0.9, 19))
    found = toy_intervals(study, pool_of(grid(1000)), function, best, curve, Plan(60, tmp_path / "toys"), points=3)
    assert found.values.tolist() == [-0.9, 0.0, 0.9]
    assert found.valid.tolist() == [60, 60, 60]
    at_zero, far = found.critical[0, 1], found.critical[0, [0, 2]]
    assert at_zero < 0.5 < threshold(0.68)
    np.testing.assert_allclose(far, threshold(0.68), atol=0.7)
    assert [each.kind for each in found.intervals] == ["toys", "toys"]
    assert all(low < high for each in found.intervals for low, high in each.segments)
