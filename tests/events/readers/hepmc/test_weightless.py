import io

import pytest

from partonic.events.readers.hepmc import weightless
from partonic.events.readers.hepmc.weightless import WeightlessText

HEAD = "HepMC::Version 3.02.05\nHepMC::Asciiv3-START_EVENT_LISTING\n"
END = "HepMC::Asciiv3-END_EVENT_LISTING\n"
NAMES = "W a b\\|c\n"
EVENT = "E {} 1 3\nU GEV MM\n{}P 1 0 2212 0 0 1 1 0 4\n"


def through(text, size=1 << 16):
    stream = WeightlessText(io.BytesIO(text.encode()))
    with io.BufferedReader(stream, size) as reader:
        return reader.read().decode(), list(stream.weights)


@pytest.mark.parametrize("block", [1 << 20, 3, 50])
def test_weights_of_version_3_are_taken_out(monkeypatch, block):
    monkeypatch.setattr(weightless, "_BLOCK", block)
    with_weights = HEAD + NAMES + EVENT.format(0, "W 1.5 nan\n") + EVENT.format(1, "") + END
    without = HEAD + EVENT.format(0, "") + EVENT.format(1, "") + END
    text, weights = through(with_weights + with_weights)
    assert text == without + without
    assert [len(values) for values in weights] == [2, 0, 2, 0]
    assert weights[2][0] == 1.5


def test_weights_of_version_2_are_taken_out():
    line = "E 4 0 0.0 0.0 0.0 0 0 2 10001 10002 2 77 78 {}\n"
    text, weights = through("HepMC::IO_GenEvent-START\n" + line.format("2 1.5 -2.0") + 'N 2 "a" "b c"\nU GEV MM\n')
    assert text == "HepMC::IO_GenEvent-START\n" + line.format("0") + "U GEV MM\n"
    assert weights == [[1.5, -2.0]]


def test_text_without_an_end_of_line_is_whole():
    assert through(HEAD + "x")[0] == HEAD + "x"
