import math

import pytest

from partonic.errors import EventFileError
from partonic.events.readers.cross_sections import plausible_cross_section


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
