"""Colour flows from colour words."""

import pytest

from partonic.errors import ProcessError
from partonic.physics.amplitudes.colour_words import colour_flow

QUARK, ANTIQUARK, GLUON, SINGLET = 3, -3, 8, 1


def test_gluon_fusion_to_quarks():
    legs = [GLUON, GLUON, SINGLET, QUARK, ANTIQUARK]
    assert colour_flow((4, 1, 2, 5), legs) == ((501, 502), (502, 503), (0, 0), (501, 0), (0, 503))
    assert colour_flow((4, 2, 1, 5), legs) == ((502, 503), (501, 502), (0, 0), (501, 0), (0, 503))


def test_quark_annihilation_to_quarks():
    legs = [QUARK, ANTIQUARK, QUARK, ANTIQUARK]
    # the incoming quark hands its colour to the outgoing quark
    assert colour_flow((3, 1, 2, 4), legs) == ((501, 0), (0, 502), (501, 0), (0, 502))
    # each pair is a singlet of its own
    assert colour_flow((2, 1, 3, 4), legs) == ((501, 0), (0, 501), (502, 0), (0, 502))


def test_trace_of_gluons_closes():
    assert colour_flow((1, 2, 3, 4), [GLUON] * 4) == ((504, 501), (501, 502), (503, 502), (504, 503))


def test_colour_is_conserved():
    legs = [GLUON, GLUON, QUARK, ANTIQUARK, QUARK, ANTIQUARK]
    for word in [(3, 4, 5, 1, 2, 6), (3, 1, 4, 5, 2, 6), (3, 2, 1, 6, 5, 4)]:
        flow = colour_flow(word, legs)
        into = [a for a, _ in flow[:2]] + [b for _, b in flow[2:]]
        out = [b for _, b in flow[:2]] + [a for a, _ in flow[2:]]
        assert sorted(line for line in into if line) == sorted(line for line in out if line)
        assert len({line for pair in flow for line in pair if line}) == 4


@pytest.mark.parametrize(
    ("word", "legs"),
    [
        ((1, 2, 3), [GLUON] * 4),
        ((1, 2), [QUARK, QUARK]),
        ((3, 1, 2), [GLUON, GLUON, QUARK]),
        ((1, 2), [6, -6]),
    ],
)
def test_words_that_make_no_sense(word, legs):
    with pytest.raises(ProcessError, match="colour word"):
        colour_flow(word, legs)
