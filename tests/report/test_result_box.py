import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from tests.report.findings.test_events import counts, sample
from tests.report.records import interval, record

from partonic.inference.result import CurveTable
from partonic.report.findings import Finding
from partonic.report.limits import Limits
from partonic.report.result_box import ResultBox, result_box

FINDINGS = (Finding("fault", "fit", "kappa_tilde_t is off.", "intervals"), Finding("attention", "mem", "Few points."))
TWO = {"c_tG": [interval("c_tG", 0.95, (-0.9, -0.51), (0.05, 0.45))]}


def box(findings: tuple[Finding, ...] = (), curves: CurveTable | None = None, **changes: Any) -> ResultBox:
    events = replace(sample(), limits=Limits(inference=record(curves, **changes)))
    return result_box(events, counts(np.ones(2000), np.ones(500)), "My analysis", findings)


def test_box_of_a_fit() -> None:
    found = box()
    text = found.text()
    assert text.splitlines()[0] == "My analysis"
    assert "Process: pp → H t t\u0304 at 13 TeV" in text
    assert "Luminosity: 100 fb⁻¹" in text
    assert "Fitted: 500 events of a pseudo-experiment, shape and rate" in text
    assert "Events: 2,000, of these 500 selected" in text
    assert found.columns() == (
        "parameter",
        "95% interval",
        "68% interval",
        "best fit ± error",
        "errors by cause",
        "truth",
    )
    assert found.rows() == (
        ("c_tG [TeV⁻²]", "[0.05, 0.45]", "[0.15, 0.35]", "0.25 ± 0.10", "stat 0.1, calib 0.02", "0.3, in 95%"),
    )
    assert "Intervals: asymptotic, with all errors." in text
    assert "(*)" not in text
    assert text.endswith("Nothing to look at: no warning of any step.")


def test_intervals_of_two_kinds_are_told_apart() -> None:
    found = box()
    (value,) = found.values
    both = replace(found, values=(replace(value, name="kappa_tilde_t", kind="toys"), value))
    said = "from pseudo-experiments (kappa_tilde_t); asymptotic, with all errors (c_tG)"
    assert both.kind == said
    assert f"Intervals: {said.replace('kappa_tilde_t', 'κ̃_t')}." in both.text()


def test_parton_events_have_no_selection() -> None:
    partons = counts(np.ones(2000), np.zeros(0))
    partons.judged = 0
    assert "Events: 2,000, without a selection" in result_box(sample(), partons, "My analysis", ()).text()


def test_an_interval_of_two_parts_is_flagged() -> None:
    found = box(intervals=TWO)
    ((_, interval_cell, fit, *_),) = found.rows()
    assert interval_cell == "[−0.90, −0.51] ∪ [0.05, 0.45]"
    assert fit == "0.25 ± 0.10 (*)"
    assert "quote the interval" in found.text()
    assert found.to_json()["values"][0]["parabola_misleads"] is True


def test_terminals_without_symbols_get_ascii() -> None:
    changes: dict[str, Any] = {"fitted": ["kappa_tilde_t"], "intervals": {"kappa_tilde_t": TWO["c_tG"]}}
    free = {**record().result["best_fit"]["c_tG"]}
    found = box(FINDINGS, best_fit__kappa_tilde_t=free, best_fit__c_tG__free=False, **changes)
    assert "κ̃_t  " in found.text()
    assert " !! κ̃_t is off." in found.text()
    ascii_text = found.text(unicode=False)
    assert ascii_text.isascii()
    assert "?" not in ascii_text
    assert "kappa_tilde_t  [-0.90, -0.51] or [0.05, 0.45]" in ascii_text
    assert "0.25 +- 0.10 (*)" in ascii_text
    assert "100 fb^-1" in ascii_text


def test_columns_line_up_with_letters_that_combine() -> None:
    changes: dict[str, Any] = {"fitted": ["kappa_tilde_t"], "intervals": {"kappa_tilde_t": TWO["c_tG"]}}
    free = {**record().result["best_fit"]["c_tG"]}
    lines = box(best_fit__kappa_tilde_t=free, best_fit__signal_strength=free, **changes).text().splitlines()
    rows = [line.replace("\N{COMBINING TILDE}", "") for line in lines if line.startswith("  ") and "0.25 ±" in line]
    assert len(rows) == 3
    assert len({row.index("0.25 ±") for row in rows}) == 1


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"data__kind": "events"}, "500 simulated events taken as data"),
        ({"data__kind": "events", "data__truth": None}, "500 events, shape and rate"),
        ({"data__kind": "asimov"}, "500 expected events (Asimov sample)"),
        ({"shape_only": True}, "shape only"),
    ],
)
def test_what_was_fitted_is_said(changes: dict[str, Any], words: str) -> None:
    found = box(**changes)
    assert words in found.text()
    assert found.has_truth is (changes.get("data__truth", 0) is not None)


def test_open_ends_and_levels_of_ones_own() -> None:
    open_end = [interval("c_tG", 0.9, (0.1, 0.4), open_below=True)]
    found = box(intervals={"c_tG": open_end})
    assert found.columns()[1] == "90% interval"
    assert found.rows()[0][1] == "[< 0.10, 0.40]"
    assert box(intervals={"c_tG": [interval("c_tG", 0.9)]}).rows()[0][1] == "empty"


def test_contour_is_the_first_that_was_scanned() -> None:
    curves = CurveTable()
    curves.add_contour(("kappa_tilde_t", "c_tG"), np.arange(2.0), np.arange(2.0), np.zeros((2, 2)))
    assert box(curves=curves).contour == ("kappa_tilde_t", "c_tG")
    assert box().contour is None


def test_without_an_inference_there_are_events_and_a_cross_section() -> None:
    found = result_box(sample(), counts(np.full(100, 0.001), np.full(20, 0.001)), "Events", ())
    assert found.rows() == ()
    assert ("Cross section", "0.100 ± 0.010 pb") in found.facts
    assert ("Cross section, selected", "0.0200 ± 0.0045 pb") in found.facts
    assert "interval" not in found.text()
    data = sample(config={"import": {"data": True}})
    assert ("Sum of weights", "10.0 ± 3.2 events") in result_box(data, counts(np.ones(10)), "Data", ()).facts


def test_everything_is_json() -> None:
    content = json.loads(json.dumps(box(FINDINGS, intervals=TWO).to_json(), allow_nan=False))
    assert content["values"][0]["intervals"][0]["segments"] == [[-0.9, -0.51], [0.05, 0.45]]
    assert content["values"][0]["truth_inside"] is True
    text = "kappa_tilde_t is off."
    assert content["findings"][0] == {"level": "fault", "step": "fit", "text": text, "section": "intervals"}
    assert content["text"]["ascii"].isascii()


def test_what_the_cross_section_is_of() -> None:
    events = sample(theta={"kappa_tilde_t": 0.5, "c_tG": 0.0})
    own = replace(events, generation={})
    facts = [dict(result_box(each, counts(np.ones(4)), "x", ()).facts) for each in (events, own)]
    assert [next(name for name in each if name.startswith("Cross")) for each in facts] == [
        "Cross section at kappa_tilde_t = 0.5", "Cross section with decays at kappa_tilde_t = 0.5",
    ]  # fmt: skip


def test_events_without_known_partons_have_the_name_of_their_process() -> None:
    bare = sample(parton_names=(), parton_pdg=())
    assert dict(result_box(bare, counts(np.ones(4)), "x", ()).facts)["Process"].startswith(
        f"{bare.metadata.process} at"
    )
