"""Colour flows from colour words.

A colour-ordered amplitude is named by its word: the coloured legs in the order in which they stand in the colour
factor, e.g. (3, 1, 2, 4) for (T^a1 T^a2)_{i3 j4} with leg 3 the outgoing quark and leg 4 the outgoing antiquark, or
(1, 2, 3, 4) for a trace of four gluons. At leading colour neighbours in the word share one colour line, which is what
a parton shower needs (Les Houches accord, hep-ph/0109068).
"""

from collections.abc import Sequence

from partonic.errors import ProcessError
from partonic.physics.amplitudes.amplitude import ColourFlow

__all__ = ["colour_flow"]

_FIRST_LINE = 501  # customary first line number in Les Houches event files
_TRIPLET, _ANTITRIPLET, _OCTET = 3, -3, 8


def colour_flow(word: Sequence[int], colours: Sequence[int], incoming: int = 2) -> ColourFlow:
    """Return (colour, anticolour) line numbers of all legs of a colour-ordered amplitude, 0 for none.

    Args:
        word: legs, counted from 1, in colour order; colourless legs are left out.
        colours: colour representation of every particle: 1, 3, -3 (antitriplet) or 8.
        incoming: how many of the legs, the first ones, are incoming.

    Raises:
        ProcessError: if the word is not made of quark lines and at most one gluon trace over all coloured legs.
    """
    # An incoming quark is an outgoing antiquark to the colour factor.
    outgoing = [_crossed(colour) if leg < incoming else colour for leg, colour in enumerate(colours)]
    coloured = [leg + 1 for leg, colour in enumerate(outgoing) if colour != 1]
    if sorted(word) != coloured:
        raise ProcessError(f"colour word {tuple(word)} does not name the coloured legs {tuple(coloured)} once each")
    lines = [[0, 0] for _ in colours]
    line = _FIRST_LINE
    for string in _strings(word, outgoing):
        line = _connect(string, outgoing, lines, line)
    return tuple((b, a) if leg < incoming else (a, b) for leg, (a, b) in enumerate(lines))


def _crossed(colour: int) -> int:
    return -colour if abs(colour) == _TRIPLET else colour


def _strings(word: Sequence[int], outgoing: Sequence[int]) -> list[list[int]]:
    """Cut a word into its quark lines, or leave it whole if it is a trace of gluons; legs counted from 0."""
    strings: list[list[int]] = []
    for leg in (label - 1 for label in word):
        if outgoing[leg] == _TRIPLET or not strings:
            strings.append([])
        strings[-1].append(leg)
    for string in strings:
        ends = (outgoing[string[0]], outgoing[string[-1]])
        inner = {outgoing[leg] for leg in string[1:-1]}
        if ends not in {(_TRIPLET, _ANTITRIPLET), (_OCTET, _OCTET)} or not inner <= {_OCTET}:
            raise ProcessError(
                f"colour word {tuple(word)} is neither a set of quark lines nor a trace of gluons: its legs transform "
                f"as {[outgoing[label - 1] for label in word]} (3 quark, -3 antiquark, 8 gluon, all outgoing)"
            )
    return strings


def _connect(string: Sequence[int], outgoing: Sequence[int], lines: list[list[int]], first: int) -> int:
    """Number the colour lines along one string, starting with `first`; return the next free number."""
    last = first + len(string) - 1
    for position, leg in enumerate(string):
        if outgoing[leg] != _ANTITRIPLET:
            lines[leg][0] = first + position
        if outgoing[leg] != _TRIPLET:
            lines[leg][1] = first + position - 1 if position else last  # position 0 only in a trace: close it
    return last if outgoing[string[-1]] == _ANTITRIPLET else last + 1
