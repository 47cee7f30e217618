"""Cross sections that a file states: which ones can be believed."""

import math
from collections.abc import Sequence

from partonic.errors import EventFileError
from partonic.events.readers.notes import Notes

__all__ = ["DIFFERENT", "check_one_sample", "plausible_cross_section"]

_SMALLEST = 1e-12
"""pb. At 10⁶ fb⁻¹, more than any collider will deliver, that is 10⁻³ events."""

_LARGEST = 1.2e11
"""pb. The total cross section of pp collisions at 14 TeV is 1.1·10¹¹ pb."""

_STRANGE, DIFFERENT = 1.05, 1.5
"""Ratios of cross sections of two files beyond which they hardly are, or are not, of one sample."""


def plausible_cross_section(value: float, what: str, where: str) -> float:
    """Return a cross section that a file states, if it can be one.

    Some writers put −1 or 0 for "unknown", and others write mb.

    Args:
        value: the cross section in pb.
        what: what the file calls it, e.g. ``"XSECUP"``.
        where: name of the file, for the message.

    Raises:
        EventFileError: if it is NaN, infinite, not positive, or beyond what pp collisions can have.
    """
    if math.isfinite(value) and _SMALLEST <= value <= _LARGEST:
        return value
    wrong = "unknown or wrong" if value <= 0 else "beyond what pp collisions can have"
    reason = "not a number" if math.isnan(value) else wrong
    raise EventFileError(
        f"{where} states the cross section {value:g} pb ({what}), which is {reason}: give the one of the sample with "
        "import.cross_section, in pb"
    )


def check_one_sample(stated: Sequence[tuple[float, str]], notes: Notes) -> None:
    """Check that cross sections that are averaged may be those of one sample.

    Args:
        stated: plausible cross sections in pb, and where each is stated.
        notes: told of a difference that statistics hardly explains.

    Raises:
        EventFileError: if two differ by more than half; names both. One may be in fb, or of another process.
    """
    (low, first), (high, last) = min(stated), max(stated)
    if high <= _STRANGE * low:
        return
    differ = f"{first} states a cross section of {low:g} pb, {last} one of {high:g} pb"
    if high > DIFFERENT * low:
        raise EventFileError(
            f"{differ}: these are two samples, or one is not in pb. Import them separately, or give "
            "import.cross_section"
        )
    notes.warn(f"{differ}: the mean by numbers of events is taken; check that they are of one sample")
