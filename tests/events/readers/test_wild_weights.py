from pathlib import Path

import numpy as np
import pytest

from partonic.errors import EventFileError
from partonic.events.readers.numbering import Numbering
from partonic.events.readers.wild_weights import LargestWeights, WildEvents


def wild(policy, events=20):
    return WildEvents(policy, Numbering((Path("a"), Path("b")), (events - 5, 5)))


def test_an_error_names_file_and_event():
    with pytest.raises(EventFileError, match=r"b: event 2 \(the first is 0\): no sense\. Mend the file, or set import"):
        wild("error").flag(17, "no sense")


def test_the_first_reason_stays():
    found = wild("drop")
    found.flag(3, "one")
    found.flag(3, "two")
    assert found.reasons == {3: "one"}
    assert found.record() == {
        "policy": "drop",
        "events": [{"event": 3, "where": "a: event 3 (the first is 0)", "reason": "one"}],
    }


def test_exceptions_are_few():
    found = wild("keep", events=1000)
    for event in range(10):
        found.flag(event, "r")
    found.check_few()
    assert found.described().endswith("a: event 4 (the first is 0): r and 5 more")
    found.flag(10, "r")
    with pytest.raises(EventFileError, match="11 of 1000 events have wild weights, too many for exceptions"):
        found.check_few()
    small = wild("keep", events=6)
    for event in range(3):
        small.flag(event, "r")
    small.check_few()


def filled(weights, batch=7):
    largest = LargestWeights(["w", "v"])
    for start in range(0, len(weights), batch):
        chunk = weights[start : start + batch]
        largest.add(np.column_stack([chunk, np.ones(len(chunk))]), np.arange(start, start + len(chunk)))
    return largest


def test_weights_that_stand_apart(rng):
    weights = rng.exponential(size=1000) * rng.choice([-1.0, 1.0], 1000)
    assert filled(weights).apart() == {}
    weights[[13, 700]] = -3e5, 4e5
    assert set(filled(weights).apart()) == {13, 700}
    assert "its w is 4e+05 pb in size, and no other event of the 1000 has more than" in filled(weights).apart()[700]


def test_long_tails_are_no_gaps(rng):
    assert filled(rng.pareto(0.7, 20_000)).apart() == {}


def test_few_events_and_weights_that_are_zero_elsewhere():
    assert filled(np.array([1e9] + [1.0] * 8)).apart() == {}
    assert set(filled(np.array([1e9] + [1.0] * 9)).apart()) == {0}
    assert filled(np.array([5.0] + [0.0] * 50)).apart() == {}
