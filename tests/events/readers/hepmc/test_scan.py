import gzip

import pytest

from partonic.errors import EventFileError
from partonic.events.readers.hepmc.scan import HepmcSummary, scan_hepmc

VERSION_3 = """HepMC::Version 3.02.05
HepMC::Asciiv3-START_EVENT_LISTING
W nominal\\|MUR=2 MUF=1
E 0 1 3
U GEV MM
W 1.5 2.0
A 0 GenCrossSection 10.0 1.0 -1 -1
E 1 1 3
W -0.5 2.0
A 0 GenCrossSection 12.0 1.0 -1 -1
HepMC::Asciiv3-END_EVENT_LISTING
"""

VERSION_2 = """HepMC::Version 2.06
HepMC::IO_GenEvent-START_EVENT_LISTING
E 4 0 0.0 0.0 0.0 0 0 2 10001 10002 2 77 78 2 1.5 -2.0
N 2 "nominal" "MUR 2"
C 7.0 0.1
HepMC::IO_GenEvent-END_EVENT_LISTING
"""


def test_both_versions(tmp_path):
    path = tmp_path / "e"
    path.write_text(VERSION_3)
    names = ("nominal", "MUR=2 MUF=1")
    assert scan_hepmc(path) == HepmcSummary(2, 2, (1.0, 4.0), names, 12.0, 1.0, "hepmc3", "3.02.05")
    path.write_bytes(gzip.compress(VERSION_2.encode()))
    assert scan_hepmc(path) == HepmcSummary(1, 1, (1.5, -2.0), ("nominal", "MUR 2"), 7.0, 0.1, "hepmc2", "2.06")


def test_weights_without_names_have_numbers(tmp_path):
    path = tmp_path / "e"
    path.write_text("".join(line for line in VERSION_3.splitlines(True) if "MUF" not in line))
    assert scan_hepmc(path).names == ("0", "1")


def scanned(tmp_path, text, **options):
    path = tmp_path / "e"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return scan_hepmc(path, **options)


def test_documents_one_after_the_other(tmp_path):
    both = scanned(tmp_path, VERSION_3 + VERSION_3.replace("12.0 1.0", "6.0 0.5"))
    assert (both.count, both.totals, both.cross_section, both.error) == (4, (2.0, 8.0), 9.0, 0.75)
    empty = VERSION_3[: VERSION_3.index("E 0")] + VERSION_3[VERSION_3.index("HepMC::Asciiv3-END") :]
    assert scanned(tmp_path, empty + VERSION_3).cross_section == 12.0
    assert scanned(tmp_path, VERSION_3 + empty).count == 2
    assert scanned(tmp_path, empty).count == 0


def test_events_that_are_left_out(tmp_path):
    found = scanned(tmp_path, VERSION_3, first=10, left_out=frozenset({10}))
    assert (found.count, found.kept, found.totals) == (2, 1, (-0.5, 2.0))


def test_events_without_weights(tmp_path):
    lines = [line for line in VERSION_3.splitlines(True) if not line.startswith("W ")]
    found = scanned(tmp_path, "".join(lines))
    assert (found.count, found.kept, found.names, found.totals) == (2, 2, (), ())


def test_programs_events_and_odd_names(tmp_path):
    text = VERSION_3.replace("nominal\\|MUR", "\\|a \\\\b: 'c' \u00e4=").replace("E 0", "T Pythia8\\|8.312\\|x\nE 0")
    found = scanned(tmp_path, text.replace("12.0 1.0 -1 -1", "12.0 1.0 500 700"))
    assert found.names == ("", "a \\b: 'c' \u00e4==2 MUF=1")
    assert found.programs == ("Pythia8 8.312",)
    assert found.accepted == 500


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("\n", "\r\n"),
        lambda text: "\ufeff" + text,
        lambda text: text.replace("\nE ", "\n\nE "),
    ],
)
def test_ways_to_write_lines(tmp_path, change):
    assert scanned(tmp_path, change(VERSION_3)) == scanned(tmp_path, VERSION_3)


LEFT = VERSION_3.index("HepMC::Asciiv3-END")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nothing\n", "is truncated or no HepMC text: expected HepMC::Version at its beginning, got 'nothing"),
        ("<LesHouchesEvents>\n", "choose the format `lhe`"),
        ("E 0 1 3\n", "without a header have no weights and no cross section"),
        (VERSION_3.encode("utf-16"), "it is in UTF-16"),
        (VERSION_3[:LEFT], r"END_EVENT_LISTING is missing after 2 events.*add the line HepMC::Asciiv3-END_EVENT"),
        (VERSION_2[: VERSION_2.index("HepMC::IO_GenEvent-END")], "add the line HepMC::IO_GenEvent-END_EVENT_LISTING"),
        ("HepMC::Version 3\n", "is truncated: END_EVENT_LISTING is missing after 0 events"),
        (VERSION_3[:LEFT] + VERSION_3, "document 1 has no END_EVENT_LISTING before another one begins"),
        (VERSION_3 + "E 5 1 3\n", "after END_EVENT_LISTING comes text that is no listing of events: 'E 5"),
        (VERSION_3 + VERSION_2, "it is text of the kind HepMC::IO_GenEvent after another kind"),
        (VERSION_3.replace("Asciiv3", "IO_Ascii"), "of the kind HepMC::IO_Ascii; expected one of HepMC::Asciiv3"),
        (VERSION_3.replace("W 1.5", "W x"), r"event 0 .* malformed"),
        (
            VERSION_3.replace("W -0.5 2.0", "W -0.5"),
            "event 1 .*: its number of weights is 1, that of the events before 2",
        ),
        (VERSION_3.replace("W -0.5 2.0\n", ""), "event 1 .*: its number of weights is 0, that of the events before 2"),
        (VERSION_3.replace("W 1.5 2.0", "W 1.5"), "event 0 .*: its number of weights is 1, but 2 are named"),
        (VERSION_2.replace(" 2 1.5 -2.0", " 3 1.5 -2.0"), "event 0 .*: it announces 3 weights and has 2"),
        (VERSION_2.replace('N 2 "nominal" ', "N 1 "), "its events have 2 weights, but it names 1"),
        (VERSION_3 + VERSION_3.replace("MUR", "MUF"), "event 1 .*: its weights are called .*, before nominal"),
    ],
)
def test_text_that_is_refused(tmp_path, text, message):
    with pytest.raises(EventFileError, match=message):
        scanned(tmp_path, text)


def test_cross_sections_of_each_weight(tmp_path):
    text = VERSION_3.replace("12.0 1.0 -1 -1", "12.0 1.0 -1 -1 30.0 3.0")
    found = scanned(tmp_path, text)
    assert found.by_weight == ((12.0, 1.0), (30.0, 3.0))
    assert (found.stated(0), found.stated(1), found.stated(None)) == ((12.0, 1.0), (30.0, 3.0), (12.0, 1.0))
    assert scanned(tmp_path, VERSION_3).stated(1) == (12.0, 1.0)
    other = VERSION_3.replace("12.0 1.0 -1 -1", "6.0 1.0 -1 -1 10.0 3.0")
    both = scanned(tmp_path, text + other)
    assert both.by_weight == ((9.0, 1.0), (20.0, 3.0))
    assert both.documents == (12.0, 6.0)


def test_the_last_event_that_is_not_left_out_states_the_cross_section(tmp_path):
    found = scanned(tmp_path, VERSION_3, left_out=frozenset({1}))
    assert (found.cross_section, found.error) == (10.0, 1.0)
    twice = scanned(tmp_path, VERSION_3 + VERSION_3.replace("12.0 1.0", "7.0 1.0"), left_out=frozenset({2, 3}))
    assert (twice.kept, twice.cross_section, twice.documents) == (2, 12.0, ())
