import numpy as np
import pytest
from tests.trees.tree_toys import LINEAR, QUADRATIC

from partonic.errors import NonFiniteError, TrainingError
from partonic.polynomial import Monomials
from partonic.trees.scaling import WeightSums

RNG = np.random.default_rng(7)
OF_TWO = Monomials.up_to_degree(("a", "b"), 1)


def sums_of(coefficients):
    sums = WeightSums()
    for rows in np.array_split(np.arange(len(coefficients)), 3):
        sums.add(coefficients[rows], int(rows[0]))
    return sums


def sample(events=2_000, signed=False):
    w = RNG.exponential(size=events) * 1e-7
    if signed:
        w = np.where(RNG.random(events) < 0.15, -w, w)
    return w[:, None] * np.column_stack([np.ones(events), RNG.normal(3.0, 2.0, events), np.full(events, 0.5)])


@pytest.mark.parametrize("signed", [False, True])
def test_means_and_deviations_are_those_of_the_ratios(signed):
    c = sample(signed=signed)
    scaling = sums_of(c).scaling(50.0, OF_TWO)
    ratio, size = c[:, 1] / c[:, 0], np.abs(c[:, 0])
    mean = c[:, 1].sum() / c[:, 0].sum()
    assert scaling.mean[0] == pytest.approx(mean, rel=1e-12)
    assert scaling.deviation[0] == pytest.approx(np.sqrt(np.average((ratio - mean) ** 2, weights=size)), rel=1e-9)
    assert scaling.deviation[1] == 0.0  # the same in all events
    assert scaling.mean[1] == pytest.approx(0.5, rel=1e-12)
    assert scaling.weight == pytest.approx(size.mean(), rel=1e-12)


def test_residuals_and_back():
    c = sample()
    scaling = sums_of(c).scaling(50.0, OF_TWO)
    statistics = scaling.statistics(c)
    assert statistics.dtype == np.float32
    np.testing.assert_array_equal(statistics[:, 2], 0.0)
    values = statistics[:, 1:].astype(float) / statistics[:, :1]
    np.testing.assert_allclose(scaling.ratios(values), c / c[:, :1], rtol=1e-5, atol=1e-5)


def test_effective_number_and_negative_part():
    c = np.array([[1.0, 2.0], [1.0, 1.0], [-1.0, 1.0], [1.0, 0.0]])
    sums = sums_of(c)
    assert sums.effective == pytest.approx(1.0)
    assert sums.negative_share == 0.25
    assert (WeightSums().effective, WeightSums().negative_share) == (0.0, 0.0)


def test_an_event_of_weight_zero_still_has_coefficients():
    c = np.array([[1.0, 1.0], [0.0, 5.0], [1.0, 3.0], [1.0, 2.0]])
    assert sums_of(c).scaling(1.0, LINEAR).mean[0] == pytest.approx(11.0 / 3.0)


@pytest.mark.parametrize(
    ("w", "message"),
    [
        (np.zeros(200), "all 200 events have weight 0 at θ = 0"),
        (-np.ones(200), r"sum of the weights at θ = 0 is -200, with 100\.0% of their size negative"),
        (np.eye(200)[0], r"200 events of training count as .* = 1\.0, of which one has 100% of Σw²"),
        (np.where(np.arange(200) % 5 < 2, -1.0, 1.0), r"count as \(Σw\)²/Σw² = 8\.0.*two leaves need 100"),
    ],
)
def test_weights_that_cannot_be_learned_from(w, message):
    with pytest.raises(TrainingError, match=message):
        sums_of(w[:, None] * np.column_stack([np.ones(200), RNG.normal(size=200)])).scaling(50.0, LINEAR)


def test_ratios_that_do_not_vary():
    with pytest.raises(TrainingError, match="every ratio of coefficients is the same in all events"):
        sums_of(RNG.random((500, 1)) * np.array([[1.0, 3.0, 0.0]])).scaling(10.0, OF_TWO)


def test_coefficients_must_be_finite():
    c = sample(90)
    c[70, 1] = np.nan
    with pytest.raises(NonFiniteError, match="coefficient 1 of event 70 is nan"):
        sums_of(c)


@pytest.mark.parametrize("unit", [1.0, 1e-7, 1e7])
def test_a_term_that_vanishes_by_symmetry_is_constant_whatever_the_unit_of_its_parameter(unit):
    """Rounding errors of a linear term are told from a small one by the size of its square."""
    size = RNG.random(5_000) + 1.0
    rounding = 1e-16 * unit * RNG.normal(size=5_000)
    c = np.column_stack([np.ones(5_000), rounding, (unit * size) ** 2])
    assert sums_of(c).scaling(50.0, QUADRATIC).deviation[0] == 0.0
    c[:, 1] = 1e-6 * unit * RNG.normal(size=5_000)
    assert sums_of(c).scaling(50.0, QUADRATIC).deviation[0] == pytest.approx(1e-6 * unit, rel=0.05)


def test_natural_sizes_go_by_the_highest_pure_powers():
    """(1, b, ab, b², a³) with ratios 9 b² and 8 a³: a counts as 2, b as 3 and ab as 6."""
    monomials = Monomials(("a", "b"), ((0, 0), (0, 1), (1, 1), (0, 2), (3, 0)))
    tiny = 4.5e-12 * RNG.normal(size=20_000)
    c = np.column_stack([np.ones(20_000), tiny, tiny, np.full(20_000, 9.0), 8.0 + 0.1 * RNG.normal(size=20_000)])
    deviation = sums_of(c).scaling(50.0, monomials).deviation
    assert deviation[0] == pytest.approx(4.5e-12, rel=0.05)  # more than 3e-12
    assert deviation[1] == 0.0  # less than 6e-12
    assert deviation[2] == 0.0  # the same in all events
