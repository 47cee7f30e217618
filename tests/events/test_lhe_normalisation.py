import pytest

from partonic.errors import EventFileError
from partonic.events.lhe_normalisation import WeightSums, lhe_factors

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
