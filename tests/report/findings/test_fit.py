"""Each fault that is put into a result is found, and a good result has none."""

from typing import Any

import pytest
from tests.report.records import interval, record

from partonic.report.findings.fit import fit_findings

TWO = [interval("c_tG", 0.95, (-0.9, -0.5), (0.05, 0.45))]


def comparison(length: float) -> dict[str, Any]:
    def found(half: float) -> dict[str, Any]:
        return {"segments": [[-half, half]], "length": 2 * half, "open_below": False, "open_above": False}

    rows = {"parton truth, unbinned": {"c_tG": found(0.1)}, "mem, unbinned": {"c_tG": found(length)}}
    return {"level": 0.95, "methods": {**rows, "rate only": {"c_tG": None}}}


def coverage(value: float) -> list[dict[str, Any]]:
    cover = {"0.68": {"value": value, "error": 0.01}, "0.95": {"value": 0.95, "error": 0.01}}
    return [{"theta": {"c_tG": 0.5}, "parameters": [{"name": "c_tG", "coverage": cover, "coverage_total": cover}]}]


def test_a_good_fit_has_nothing_to_look_at() -> None:
    assert list(fit_findings(record())) == []
    assert list(fit_findings(record(comparison=comparison(0.11), coverage=coverage(0.7)))) == []


@pytest.mark.parametrize(
    ("changes", "level", "words"),
    [
        ({"valid": False}, "fault", "no maximum"),
        ({"verified_by_minuit": False}, "attention", "not verified by Minuit"),
        ({"maxima": [{"values": {"c_tG": 0.25}, "q": 0.0}, {"values": {"c_tG": -0.7}, "q": 1.3}]}, "attention",
         "Another maximum at c_tG = −0.7 is only q = 1.3 away (bound 3.84"),
        ({"data__events": 12.0}, "attention", "12 events are few for the asymptotic formula (bound 30)"),
        ({"data__non_positive": 2}, "attention", "2 of 500 events (0.4%) is not positive"),
        ({"data__non_positive": 20}, "fault", "20 of 500 events (4%) is not positive"),
        ({"data__without_coefficients": 5.0}, "attention", "5 of 500 events (1%) have no coefficients"),
        ({"settings__calibration": None}, "attention", "without `inference.calibration`"),
        ({"settings__fixed": {"kappa_tilde_t": 0.4}}, "attention", "kappa_tilde_t is fixed at 0.4"),
        ({"intervals__c_tG": TWO}, "attention", "the 95% interval has 2 parts. Quote the intervals"),
        ({"intervals__c_tG": [interval("c_tG", 0.95, (0.0, 0.5), open_above=True)]}, "attention", "beyond the scan"),
        ({"data__truth": {"c_tG": 0.9}}, "attention", "does not hold the truth 0.9: expected in 5% of experiments"),
        ({"best_fit__c_tG__calibration": 0.07}, "attention", "from calibration, 0.07, is more than half"),
        ({"comparison": comparison(0.08)}, "fault", "80% of that of the partons themselves"),
        ({"coverage": coverage(0.55)}, "fault", "of the 68% intervals of c_tG hold the truth at c_tG = 0.5"),
        ({"coverage": coverage(0.8)}, "attention", "80.0% ± 1.0% of the 68% intervals"),
    ],
)  # fmt: skip
def test_a_fault_is_found(changes: dict[str, Any], level: str, words: str) -> None:
    (found,) = fit_findings(record(**changes))
    assert words in found.text
    assert (found.level, found.step) == (level, "fit")
    assert found.section


def test_a_parameter_that_enters_as_its_square_needs_toys_near_zero() -> None:
    changes: dict[str, Any] = {
        "fitted": ["kappa_tilde_t"],
        "best_fit__kappa_tilde_t": {"value": 0.0, "free": True, "statistical": 0.2, "integration": 0.0, "rate": 0.0,
                                    "calibration": 0.0, "training": 0.0, "total": 0.2},
        "best_fit__c_tG__free": False,
        "intervals": {"kappa_tilde_t": [interval("kappa_tilde_t", 0.68, (-0.2, 0.2)),
                                        interval("kappa_tilde_t", 0.95, (-0.39, 0.39))]},
    }  # fmt: skip
    (found,) = fit_findings(record(**changes))
    assert "kappa_tilde_t = 0 is inside the interval, where the asymptotic formula fails" in found.text
    assert "inference.toys" in found.text
    toys = {"kappa_tilde_t": {"intervals": [interval("kappa_tilde_t", 0.95, (-0.39, 0.39), kind="toys")]}}
    linear = [1.0, 0.3, 0.5, 0.4, 0.0, 0.3]
    for mended in ({"toys": toys}, {"rate__coefficients": linear}, {"rate": None}):
        assert not any("asymptotic formula" in each.text for each in fit_findings(record(**changes, **mended)))
