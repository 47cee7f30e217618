import numpy as np
import pytest
from tests.inference.calibration.test_joint_calibration import coefficients, gaussian

from partonic.errors import ParameterError
from partonic.inference.calibration.each_ratio import fit_calibration
from partonic.inference.calibration.held_out import held_out_quality
from partonic.inference.calibration.joint_calibration import fit_joint_calibration


def test_noise_explains_the_slope(rng):
    """The estimate is the truth with noise of known size: without it the slope would be 1."""
    events, weights, known = gaussian(rng, 20_000)
    first, _ = held_out_quality(fit_joint_calibration, events, weights)
    assert first.name == "a"
    assert first.slope < 0.7
    assert first.slope_without_noise == pytest.approx(1.0, abs=0.1)
    assert abs(first.calibrated_slope - 1) < 4 * first.calibrated_slope_error < 0.1
    assert abs(first.shift) < 4 * first.shift_error
    truth = weights[:, 1] / weights[:, 0]
    best = 1 - np.average((truth - known[:, 0]) ** 2, weights=weights[:, 0]) / np.var(truth)
    assert first.explained < first.explained_calibrated == pytest.approx(best, abs=0.02)


def test_one_line_for_each_ratio_knows_less(rng):
    events, weights, _ = gaussian(rng, 20_000)
    joint, linear = (held_out_quality(fit, events, weights)[0] for fit in (fit_joint_calibration, fit_calibration))
    assert linear.calibrated_slope == pytest.approx(1.0, abs=0.05)
    assert linear.explained_calibrated < joint.explained_calibrated - 0.05


def test_events_are_not_judged_by_a_calibration_that_saw_them(rng):
    """Estimates that say nothing: calibrations that saw the events would explain some of the truth, others do not."""
    _, weights, _ = gaussian(rng, 100)
    nothing = coefficients(np.column_stack([np.ones(100), rng.normal(size=(100, 2))]), np.zeros((100, 3, 3)))
    for each in held_out_quality(fit_joint_calibration, nothing, weights):
        assert each.explained_calibrated < 0


def test_one_part_is_no_cross_validation(rng):
    events, weights, _ = gaussian(rng, 100)
    with pytest.raises(ParameterError, match="needs two parts of the events or more, got 1"):
        held_out_quality(fit_joint_calibration, events, weights, folds=1)
