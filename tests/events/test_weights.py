import numpy as np
import pytest

from partonic.errors import EventFileError, ParameterError
from partonic.events.weights import (
    ThetaWeights,
    WeightSums,
    column_name,
    lhe_factors,
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


SUMS = {1: WeightSums(4, 8.0, 3.0), 2: WeightSums(6, -2.0, -1.0)}


@pytest.mark.parametrize(
    ("strategy", "rule", "expected"),
    [
        (1, "auto", {1: 0.1, 2: 0.1}),
        (-4, "auto", {1: 0.1, 2: 0.1}),
        (2, "auto", {1: 3 / 8, 2: 0.5}),
        (-3, "auto", {1: 2 / 6, 2: 2 / 6}),
        (3, "sum", {1: 1.0, 2: 1.0}),
        (3, "average", {1: 0.1, 2: 0.1}),
    ],
)
def test_weighting_strategies(strategy, rule, expected):
    factors, note = lhe_factors(strategy, SUMS, rule)
    assert factors == pytest.approx(expected)
    assert note.startswith(f"IDWTUP {strategy}")


def test_sum_of_weights_is_recognised():
    factors, note = lhe_factors(-4, {1: WeightSums(100, 5.01, 5.0)})
    assert factors == {1: 1.0}
    assert "sum of the weights" in note


@pytest.mark.parametrize(
    ("strategy", "sums", "warns"),
    [
        (-4, WeightSums(6, 2.2e7, 7217.2), True),  # POWHEG: other units than XSECUP
        (3, WeightSums(100, 67565.4, 1.0), True),  # Sherpa: XSECUP is a placeholder
        (-4, WeightSums(100, 5.3, 5.0), True),  # neither the sum to 2% nor the mean
        (-4, WeightSums(100, 510.0, 5.0), False),
        (-4, WeightSums(100, 5.01, 5.0), False),
        (3, WeightSums(100, 98.0, 5.0), False),
        (3, WeightSums(100, 5.0, 5.0), False),
        (2, WeightSums(100, 70.0, 5.0), False),
    ],
)
def test_weights_that_do_not_fit_the_stated_cross_section(strategy, sums, warns, caplog):
    lhe_factors(strategy, {1: sums})
    assert ("does not fit" in caplog.text) == warns
    caplog.clear()
    lhe_factors(strategy, {1: sums}, cross_section=3.0)
    assert not caplog.text


def test_cross_section_of_the_user_replaces_the_one_of_the_file():
    factors, _ = lhe_factors(3, SUMS, cross_section=12.0)
    assert sum(factors[key] * SUMS[key].total for key in SUMS) == pytest.approx(12.0)


def test_weights_that_cannot_be_normalised():
    with pytest.raises(EventFileError, match="IDWTUP must be"):
        lhe_factors(7, SUMS)
    with pytest.raises(EventFileError, match="sum to 0"):
        lhe_factors(3, {1: WeightSums(2, 0.0, 1.0)})


@pytest.mark.parametrize(("strategy", "section"), [(2, None), (3, None), (-4, 2.0)])
def test_no_normalisation_turns_the_sign_of_weights(strategy, section):
    with pytest.raises(EventFileError, match=r"sum to -0?\.?5: they cannot .* turning the sign of each"):
        lhe_factors(strategy, {1: WeightSums(10, -5.0, 2.0)}, cross_section=section)


def test_column_names():
    assert column_name("Central scale variation", "muR=0.5 / 2") == "Central_scale_variation_muR_0.5_2"
