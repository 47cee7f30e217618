import numpy as np
import pytest

from partonic.errors import EventFileError, ParameterError
from partonic.events.weights import (
    ThetaWeights,
    column_name,
    parse_theta,
    solve_weights,
    theta_weights,
    weights_to_coefficients,
)
from partonic.polynomial import Monomials, morphing_basis

QUADRATIC = Monomials.up_to_degree(("c_tG", "kappa_tilde_t"), 2)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (" c_tG=0.0 kappa_tilde_t=0.5 ", {"c_tG": 0.0, "kappa_tilde_t": 0.5}),
        ("c_tG = -1.5e-2", {"c_tG": -0.015}),
        ("c_tG=1d0", {"c_tG": 1.0}),
        ("c_tG_0p5", {"c_tG": 0.5}),
        ("kappa_tilde_t_m1p25_c_tG_2", {"kappa_tilde_t": -1.25, "c_tG": 2.0}),
        ("c_tG_min3", {"c_tG": -3.0}),
        ("muR=2.0 muF=0.5", None),
        ("c_tG=0.5 muR=2.0", None),
        ("rwgt_1", None),
        ("c_tG_half", None),
        ("c_tG_0p5_up", None),
        ("c_tG_1_c_tG_2", None),
        ("", None),
    ],
)
def test_theta_in_weight_names(text, expected):
    assert parse_theta(text, QUADRATIC.parameters) == expected


def test_points_are_found_in_descriptions():
    basis = morphing_basis(QUADRATIC)
    texts = {f"theta_{b}": f"c_tG={p[0]!r} kappa_tilde_t={p[1]!r}" for b, p in enumerate(basis.tolist())}
    found = theta_weights(texts | {"1001": "muR=2.0"}, QUADRATIC, {}, "file")
    assert found.names == tuple(texts)
    assert np.array_equal(found.points, basis)


def test_points_given_by_the_user():
    given = {f"rwgt_{b}": {"c_tG": p[0], "kappa_tilde_t": p[1]} for b, p in enumerate(morphing_basis(QUADRATIC))}
    texts = dict.fromkeys([*given, "c_tG_1"], "")
    assert theta_weights(texts, QUADRATIC, given, "file").names == tuple(given)
    with pytest.raises(EventFileError, match="file: no weight rwgt_0; the file has: rwgt_1"):
        theta_weights({"rwgt_1": ""}, QUADRATIC, {"rwgt_0": {}}, "file")
    with pytest.raises(ParameterError, match="unknown theory parameter 'x'"):
        theta_weights({"a": ""}, QUADRATIC, {"a": {"x": 1.0}}, "file")


def test_too_few_points():
    with pytest.raises(EventFileError, match="3 weight points do not determine"):
        theta_weights({"c_tG_1": "", "c_tG_2": "", "c_tG_3": ""}, QUADRATIC, {}, "file")
    with pytest.raises(EventFileError, match="theta_independent"):
        theta_weights({}, QUADRATIC, {}, "file")


def test_the_nominal_weight_as_a_point():
    texts = dict.fromkeys(["c_tG_1", "c_tG_m1"], "")
    linear = Monomials.up_to_degree(("c_tG",), 2)
    found = theta_weights(texts, linear, {}, "file", {"nominal": np.array([0.0])})
    assert found.names == ("c_tG_1", "c_tG_m1", "nominal")
    assert found.points.ravel().tolist() == [1.0, -1.0, 0.0]


@pytest.mark.parametrize("extra", [0, 4])
def test_coefficients_come_back(rng, extra):
    points = np.concatenate([morphing_basis(QUADRATIC), rng.normal(size=(extra, 2))])
    truth = rng.normal(size=(50, 6))
    values = truth @ QUADRATIC.evaluate(points).T
    weights = ThetaWeights(tuple(map(str, range(len(points)))), points)
    found = weights_to_coefficients(QUADRATIC, weights, values, np.arange(50), 1e-9)
    assert np.allclose(found, truth, atol=1e-11)
    assert (values < 0).any()


def test_weights_that_follow_no_polynomial(rng):
    points = np.concatenate([morphing_basis(QUADRATIC), [[2.0, 0.0], [0.0, 2.0]]])
    weights = ThetaWeights(tuple("abcdefgh"), points)
    values = rng.normal(size=(5, 6)) @ QUADRATIC.evaluate(points).T
    values[3, 7] += np.abs(values[3]).max()
    with pytest.raises(EventFileError, match=r"event 103: .* relative residual"):
        weights_to_coefficients(QUADRATIC, weights, values, np.arange(100, 105), 1e-3)
    solved = solve_weights(QUADRATIC, weights, values, 10.0)
    assert 0.01 < solved.residual[3] < 1.0
    assert solved.residual[[0, 1, 2, 4]].max() < 1e-12
    values[2, 0] = np.nan
    with pytest.raises(EventFileError, match="event 102: a weight at a θ point is NaN"):
        weights_to_coefficients(QUADRATIC, weights, values, np.arange(100, 105), 1e9)


def test_column_names():
    assert column_name("Central scale variation", "muR=0.5 / 2") == "Central_scale_variation_muR_0.5_2"
