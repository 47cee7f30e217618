import math

import pytest

from partonic.errors import EventFileError
from partonic.events.readers.cross_sections import check_one_sample, plausible_cross_section
from partonic.events.readers.notes import Notes


@pytest.mark.parametrize("value", [1e-9, 0.5, 831.8, 8e10])
def test_what_pp_collisions_can_have(value):
    assert plausible_cross_section(value, "XSECUP", "file") == value


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (math.nan, "not a number"),
        (math.inf, "beyond what pp collisions can have"),
        (0.0, "unknown or wrong"),
        (-1.0, "unknown or wrong"),
        (1e-20, "beyond what pp collisions can have"),
        (1e13, "beyond what pp collisions can have"),
    ],
)
def test_what_they_cannot(value, reason):
    with pytest.raises(EventFileError, match=rf"file states the cross section .*\(XSECUP\), which is {reason}.*import"):
        plausible_cross_section(value, "XSECUP", "file")


def test_cross_sections_of_one_sample():
    notes = Notes()
    check_one_sample([(0.50, "a"), (0.51, "b"), (0.52, "c")], notes)
    assert notes.warnings == []
    check_one_sample([(0.50, "a"), (0.51, "b"), (0.53, "c")], notes)
    assert notes.warnings[0].startswith("a states a cross section of 0.5 pb, c one of 0.53 pb: the mean")
    with pytest.raises(EventFileError, match=r"b states .* 0\.5 pb, a one of 500 pb: .* or one is not in pb"):
        check_one_sample([(500.0, "a"), (0.5, "b")], notes)
