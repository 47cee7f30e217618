import numpy as np
import pytest

from partonic.errors import ParameterError
from partonic.polynomial import Monomials
from partonic.report.theta import reference_point, theta_points

MONOMIALS = Monomials.up_to_degree(("delta_kappa_t", "c_tG"), 2)
SM = np.zeros(2)


def test_default_points_are_one_step_both_ways_along_each_parameter() -> None:
    points = theta_points(MONOMIALS, (), SM)
    assert [point.values.tolist() for point in points] == [[1, 0], [-1, 0], [0, 1], [0, -1]]
    assert [point.text for point in points] == ["delta_kappa_t = +1", "delta_kappa_t = −1", "c_tG = +1", "c_tG = −1"]
    assert [point.parameter for point in points] == ["delta_kappa_t", "delta_kappa_t", "c_tG", "c_tG"]
    assert [point.dashed for point in points] == [False, True, False, True]
    assert points[0].colour == points[1].colour != points[2].colour


def test_points_of_several_parameters_stand_alone() -> None:
    first, second = theta_points(MONOMIALS, ({"delta_kappa_t": 0.2, "c_tG": -0.5}, {}), SM)
    assert first.parameter == second.parameter == ""
    assert first.text == "delta_kappa_t = +0.2, c_tG = −0.5"
    assert second.text == "delta_kappa_t = 0, c_tG = 0"
    assert first.colour != second.colour


def test_reference() -> None:
    assert reference_point(MONOMIALS, {}, {})[1] == "SM"
    theta, name = reference_point(MONOMIALS, {"c_tG": 0.5}, {})
    assert name == "reference"
    assert theta_points(MONOMIALS, (), theta)[0].values.tolist() == [1.0, 0.5]


def test_unknown_parameters_are_refused() -> None:
    with pytest.raises(ParameterError, match="unknown theory parameter 'c_tg'"):
        theta_points(MONOMIALS, ({"c_tg": 1.0},), SM)


def test_no_parameters_no_points() -> None:
    assert theta_points(Monomials.constant(), (), np.zeros(0)) == ()


def test_the_standard_model_need_not_be_at_zero():
    theta, name = reference_point(MONOMIALS, {}, {"c_tG": 1.0, "of_another_component": 2.0})
    assert name == "SM"
    assert theta.tolist() == MONOMIALS.point({"c_tG": 1.0}).tolist()
    assert reference_point(MONOMIALS, {"c_tG": 0.0}, {"c_tG": 1.0})[1] == "reference"
