"""Cross sections that a file states: which ones can be believed."""

import math

from partonic.errors import EventFileError

__all__ = ["plausible_cross_section"]

_SMALLEST = 1e-12
"""pb. At 10⁶ fb⁻¹, more than any collider will deliver, that is 10⁻³ events."""

_LARGEST = 1.2e11
"""pb. The total cross section of pp collisions at 14 TeV is 1.1·10¹¹ pb."""


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
