"""The section on one template: what is told of a result, and what is drawn."""

from typing import Any

import pytest
from tests.report.limit_files import toy_store
from tests.report.records import record
from tests.report.sections.test_fit_sections import data_of, sample_of

from partonic.events.store import EventStore
from partonic.report.limits import Limits
from partonic.report.section import Sample
from partonic.report.sections import limit_sections
from partonic.report.sections.one_template import OneTemplateSection

NAMES = ("kappa_tilde_t", "c_tG")


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    return sample_of(EventStore.open(toy_store(tmp_path_factory.mktemp("events"), 50)), None)


def interval(low: float, high: float, level: float = 0.95) -> dict[str, Any]:
    return {"level": level, "segments": [[low, high]], "length": high - low, "open_below": False, "open_above": True,
            "best": 0.0}  # fmt: skip


def template() -> dict[str, Any]:
    row = {name: [interval(-0.1, 0.2, 0.68), interval(-0.3, 0.4)] for name in NAMES}
    both = {"alone": row, "profiled": {**row, "c_tG": "no interval: flat"}}
    return {
        "theta_star": {"kappa_tilde_t": 0.0, "c_tG": 0.5},
        "searched": True,
        "merit": {"kind": "intervals", "chosen_on": -1.25, "others": -1.125},
        "trials": [{"theta": {"kappa_tilde_t": 0.0, "c_tG": 0.5}, "merit": -1.25}],
        "regions": ["signal", "control"],
        "edges": [[1.1, 1.3], []],
        "has_bin_without_ratio": False,
        "yields": {
            "monomials": ["1", "kappa_tilde_t", "c_tG", "kappa_tilde_t^2", "kappa_tilde_t*c_tG", "c_tG^2"],
            "exponents": [[0, 0], [1, 0], [0, 1], [2, 0], [1, 1], [0, 2]],
            "coefficients_pb": [[0.01, 0.0, 0.02, 0.0, 0.0, 0.04]] * 4,
            "signal": {"expected": [3000.0] * 4, "error": [1.0] * 4},
            "other": {"expected": [10.0, 5.0, 2.0, 100.0], "error": [1.0] * 4},
        },
        "information": {
            method: dict.fromkeys(NAMES, value)
            for method, value in (("truth", 8.0), ("unbinned", 4.0), ("template", 1.0), ("rate", 0.5))
        },
        "intervals": {"expected": both, "expected_without_backgrounds": {}, "data": both},
        "data": {"kind": "pseudo", "truth": {}, "counts": [3010.0, 3005.0, 3002.0, 3100.0]},
    }


def test_what_is_told(sample: Sample) -> None:
    found = record(template=template())
    limits = Limits(inference=found)
    assert OneTemplateSection in limit_sections(limits)
    assert OneTemplateSection not in limit_sections(Limits(inference=record()))
    section = OneTemplateSection(sample_of_limits(sample, limits))
    content = section.content()
    assert content.missing == ()
    assert "found in 1 trials" in content.paragraphs[0]
    assert "-1.25 of the events" in content.paragraphs[1]
    information, intervals, point = content.tables
    assert {row[0]: row[1] for row in information.rows} == {
        "parton truth": "8 (200%)",
        "ratios of the estimator, unbinned": "4 (100%)",
        "the template": "1 (25%)",
        "the rate of the regions": "0.5 (12.5%)",
    }
    assert [row[:2] for row in intervals.rows] == [
        ("expected", "in the SM"), ("expected", "fitted along"), ("data", "in the SM"), ("data", "fitted along"),
    ]  # fmt: skip
    assert intervals.rows[0][2:] == ("[−0.3, > 0.4]", "[−0.3, > 0.4]")
    assert intervals.rows[1][3] == "none"
    assert [row[1] for row in point.rows] == ["0", "0.5"]
    assert content.results["searched"] is True


def sample_of_limits(sample: Sample, limits: Limits) -> Sample:
    from dataclasses import replace

    return replace(sample, limits=limits)


def test_what_is_drawn(sample: Sample) -> None:
    content = OneTemplateSection(sample_of_limits(sample, Limits(inference=record(template=template())))).content()
    assert data_of(content, "one_template")
    (plot,) = content.plots
    assert "control regions with one bin" in plot.caption


def test_no_template(sample: Sample) -> None:
    content = OneTemplateSection(sample_of_limits(sample, Limits(inference=record()))).content()
    assert "no template" in content.missing[0]
    assert not content.plots


def test_methods_in_the_regions(sample: Sample) -> None:
    numbers = {"information": 12.34, "information_error": 0.56, "length": 0.1234, "length_error": 0.0078,
               "best": -0.05, "best_error": 0.01}  # fmt: skip
    methods = {kind: {method: dict.fromkeys(NAMES, numbers) for method in ("template, mixture", "histogram pT(V)")}
               for kind in ("signal_alone", "backgrounds")}  # fmt: skip
    limits = Limits(inference=record(template={**template(), "methods": methods}))
    tables = OneTemplateSection(sample_of_limits(sample, limits)).content().tables
    found = [table for table in tables if "statistical errors of the simulated events" in table.caption]
    assert len(found) == 4
    assert "signal and backgrounds, normalisations fitted along" in found[2].caption
    assert found[2].rows[0] == ("template of the ratio of signal and backgrounds", "12.3 ± 0.6", "12.3 ± 0.6")
    assert found[3].rows[1] == ("histogram pT(V)", "0.123 ± 0.008, about −0.05", "0.123 ± 0.008, about −0.05")
