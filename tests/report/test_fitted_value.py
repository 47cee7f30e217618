import pytest
from tests.report.records import TOTAL, interval, record

from partonic.report.fitted_value import FittedValue, fitted_values


def value_of(**changes: object) -> FittedValue:
    (value,) = fitted_values(record(**changes))
    return value


def test_a_parabola_needs_no_warning() -> None:
    value = value_of()
    assert (value.name, value.value, value.kind, value.truth) == ("c_tG", 0.25, "total", 0.3)
    assert value.error == pytest.approx(TOTAL)
    assert [each.level for each in value.intervals] == [0.68, 0.95]
    assert value.widest is not None
    assert value.widest.level == 0.95
    assert value.truth_inside is True
    assert not value.parabola_misleads


@pytest.mark.parametrize(
    "segments",
    [
        [(-0.9, -0.5), (0.05, 0.45)],  # two valleys
        [(-0.2, 0.45)],  # lopsided
        [(-0.25, 0.75)],  # much wider than its error
        [(0.2, 0.3)],  # much narrower
        [(0.3, 0.5)],  # without the best fit
        [],
    ],
)
def test_what_is_no_parabola_is_told(segments: list[tuple[float, float]]) -> None:
    assert value_of(intervals__c_tG=[interval("c_tG", 0.95, *segments)]).parabola_misleads


def test_open_ends_and_unknown_errors_are_told() -> None:
    ends = (0.25 - 1.96 * TOTAL, 0.25 + 1.96 * TOTAL)
    assert value_of(intervals__c_tG=[interval("c_tG", 0.95, ends, open_above=True)]).parabola_misleads
    assert value_of(best_fit__c_tG__total=None).parabola_misleads


def test_pseudo_experiments_win_over_the_asymptotic_formula() -> None:
    toys = {"c_tG": {"intervals": [interval("c_tG", 0.95, (0.0, 0.2), kind="toys")]}}
    value = value_of(toys=toys)
    assert value.kind == "toys"
    assert value.truth_inside is False


def test_normalisations_come_last_and_have_no_intervals() -> None:
    free = {"value": 1.1, "free": True, "statistical": 0.2, "integration": 0.0, "rate": 0.0, "calibration": 0.0,
            "training": 0.0, "total": 0.2}  # fmt: skip
    found = fitted_values(record(best_fit__signal_strength=free))
    assert [value.name for value in found] == ["c_tG", "signal_strength"]
    assert (found[1].intervals, found[1].truth, found[1].truth_inside) == ((), None, None)
    assert not found[1].parabola_misleads
