"""What is put into events, readers' facts and records of a generation is found."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from tests.report.conftest import PROCESS, hard_process, reconstruction, tth_metadata

from partonic.config.report import ReportConfig
from partonic.events.schema import CutFlowStep
from partonic.report.event_counts import EventCounts
from partonic.report.findings.events import event_findings, generation_findings
from partonic.report.findings.finding import Finding
from partonic.report.section import Sample


def sample(**changes: Any) -> Sample:
    rng = np.random.default_rng(1)
    metadata = tth_metadata(hard_process(rng, 10) | reconstruction(rng, 10)).model_copy(update=changes)
    theta = PROCESS.monomials.point({})
    return Sample(metadata, 10, ReportConfig(), None, theta, "SM", ())


def counts(weights: np.ndarray, selected: np.ndarray | None = None) -> EventCounts:
    found = EventCounts(judged=len(weights))
    for row, each in enumerate((weights, weights if selected is None else selected)):
        found.sums[row] = (len(each), each.sum(), (each**2).sum())
        found.largest[row] = np.abs(each).max(initial=0.0)
        found.negative[row] = (each < 0).sum()
    return found


def found(weights: np.ndarray, selected: np.ndarray | None = None, **changes: Any) -> list[Finding]:
    return list(event_findings(sample(**changes), counts(weights, selected)))


def test_good_events_have_nothing_to_look_at() -> None:
    assert found(np.ones(1000)) == []
    assert list(generation_findings(None)) == []


def test_warnings_of_the_reader_are_told() -> None:
    texts = [f"warning {number}" for number in range(11)]
    told = found(np.ones(1000), facts={"warnings": texts})
    assert [each.text for each in told[:8]] == [f"Warning {number}." for number in range(8)]
    assert told[8].text == "3 more warnings of the reader are among the facts of the source."
    assert len(told) == 9
    assert {each.step for each in told} == {"import"}


def test_warnings_that_begin_with_a_name_keep_it() -> None:
    (told,) = found(np.ones(1000), facts={"warnings": ["events.root is simulated"]})
    assert told.text == "events.root is simulated."


def test_events_without_a_selection_are_not_said_to_fail_it() -> None:
    partons = counts(np.ones(1000), np.zeros(0))
    partons.judged = 0
    assert list(event_findings(sample(), partons)) == []


@pytest.mark.parametrize(
    ("weights", "selected", "level", "words"),
    [
        (np.zeros(0), None, "fault", "There is no event"),
        (np.ones(50), np.zeros(0), "fault", "None of 50 events is selected"),
        (np.repeat([1.0, -1.0], [900, 100]), None, "attention", "100 of 1,000 selected events (10%) have a negative"),
        (np.ones(60), None, "attention", "worth 60 events of equal weight (bound 100): their"),
        (np.repeat([1.0, 0.02], [300, 1700]), None, "attention", "2,000 selected events are worth 371"),
        (np.append(np.ones(999), 30.0), None, "attention", "One event has 2.9% of the summed weights of 1,000"),
    ],
)  # fmt: skip
def test_weights_are_looked_at(weights: np.ndarray, selected: np.ndarray | None, level: str, words: str) -> None:
    texts = {each.text: each.level for each in found(weights, selected)}
    assert level in {texts[text] for text in texts if words in text}


def test_events_lost_by_the_shower_are_told() -> None:
    steps = tuple(
        CutFlowStep(name=name, events=events, weight=1.0, weight_error=0.1)
        for name, events in (("generated", 1000), ("showered", 980))
    )
    (told,) = found(np.ones(1000), cut_flow=steps)
    assert "20 of 1,000 events (2%) could not be showered" in told.text
    assert told.section == "cut_flow"


def test_few_real_data_are_no_fault_of_theirs() -> None:
    data = sample(config={"import": {"format": "nanoaod", "data": True}})
    assert list(event_findings(data, counts(np.ones(5)))) == []
    assert replace(data, num_events=5).is_data


@pytest.mark.parametrize(
    ("figures", "words"),
    [
        ({"overweight_fraction": 0.02, "overweight_limit": 0.001}, "2% of the cross section lies above the maximum"),
        ({"largest_weight": 30.0, "maximum_weight": 2.0}, "weighs 15 times the maximum of the unweighting (bound 5)"),
        ({"unweighting_efficiency": 0.004}, "Only 0.4% of the points became events (bound 1%)"),
    ],
)
def test_a_poor_generation_is_told(figures: dict[str, float], words: str) -> None:
    (told,) = generation_findings({"unweighting": figures})
    assert words in told.text
    good = {"overweight_fraction": 0.0008, "overweight_limit": 0.001, "largest_weight": 3.0, "maximum_weight": 1.4,
            "unweighting_efficiency": 0.5}  # fmt: skip
    assert list(generation_findings({"unweighting": good})) == []
