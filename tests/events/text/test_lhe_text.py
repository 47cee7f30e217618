import gzip

import pytest

from partonic.errors import EventFileError
from partonic.events.text import lhe_text
from partonic.events.text.lhe_text import LheText, without_comments

INIT = "<init>\n2212 2212 6500 6500 0 0 0 0 3 1\n1 0 1 1\n</init>\n"


def document(*events, before="", header="", between="", after=""):
    body = between.join(f"<event>\n{event}\n</event>\n" for event in events)
    return (
        f'{before}<LesHouchesEvents version="3.0">\n<header>\n{header}\n</header>\n{INIT}{body}</LesHouchesEvents>\n'
        f"{after}"
    )


def texts(tmp_path, content):
    path = tmp_path / "e.lhe"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    text = LheText(path)
    return [event.decode().strip() for event in text.events()], text


@pytest.fixture(params=[1 << 20, 7, 64])
def _blocks(request, monkeypatch):
    """The size of the blocks in which files are read must not matter."""
    monkeypatch.setattr(lhe_text, "_BLOCK", request.param)


HIDDEN = "<event>\nnone\n</event> </header> </init> </LesHouchesEvents> <LesHouchesEvents>"
GOOD = {
    "plain": (document("1", "2"), ["1", "2"]),
    "no events": (document(), []),
    "event in a comment before": (document("1", before=f"<!-- {HIDDEN} -->\n"), ["1"]),
    "event in a comment of the header": (document("1", header=f"<!-- {HIDDEN} -->"), ["1"]),
    "event in a CDATA section": (document("1", header=f"<x><![CDATA[ a < b && {HIDDEN} ]]></x>"), ["1"]),
    "event in a comment between events": (document("1", "2", between=f"<!-- {HIDDEN} -->\n"), ["1", "2"]),
    "event in a comment of an event": (document(f"1 <!-- {HIDDEN} --> 2", "3"), ["1   2", "3"]),
    "event as text of the header": (document("1", header="see <event> and <init> below"), ["1"]),
    "bare markup": (document("1", header="pt < 10 && x > 3 & <5>"), ["1"]),
    "bytes of no encoding": (document("1", header="@").encode().replace(b"@", b"\xe9\xff\x81"), ["1"]),
    "attributes": (document("1").replace("<event>", '<event npLO=" 1 " npNLO="0">'), ["1"]),
    "one line": (document("1", "2").replace("\n", " "), ["1", "2"]),
    "carriage returns": (document("1", "2").replace("\n", "\r\n"), ["1", "2"]),
    "comment lines between and behind": (document("1", "2", between="\n# text\n\n", after="\n #Random\n"), ["1", "2"]),
    "other elements between": (document("1", "2", between="<note a='1'>x\n</note><empty/>\n"), ["1", "2"]),
    "declaration": (document("1", before='<?xml version="1.0"?>\n<!DOCTYPE LesHouchesEvents>\n'), ["1"]),
    "UTF-8 with its mark": (document("1").encode("utf-8-sig"), ["1"]),
    "UTF-16": (document("1", header="\u00e9").encode("utf-16"), ["1"]),
    "UTF-16 without a mark": (document("1").encode("utf-16-le"), ["1"]),
    "UTF-16 without a mark, other order": (document("1").encode("utf-16-be"), ["1"]),
    "UTF-32": (document("1").encode("utf-32"), ["1"]),
    "two documents": (document("1", "2") + document("3"), ["1", "2", "3"]),
    "two documents with marks": (document("1").encode("utf-8-sig") + document("2").encode("utf-8-sig"), ["1", "2"]),
    "an empty document first": (document() + document("1"), ["1"]),
    "an empty document last": (document("1") + document(), ["1"]),
    "two members": (gzip.compress(document("1").encode()) + gzip.compress(document("2").encode()), ["1", "2"]),
}


@pytest.mark.usefixtures("_blocks")
@pytest.mark.parametrize("name", GOOD)
def test_events(tmp_path, name):
    content, expected = GOOD[name]
    found, text = texts(tmp_path, content)
    assert found == expected
    assert text.count == len(expected)


def test_documents_are_counted_apart(tmp_path):
    _, text = texts(tmp_path, document("1", "2", header="one") + document() + document("3", header="two"))
    assert [found.count for found in text.documents] == [2, 0, 1]
    assert b"one" in text.documents[0].preamble
    assert b"two" in text.documents[2].preamble
    assert b"1 0 1 1" in text.documents[1].preamble
    assert not any(b"<event" in found.preamble for found in text.documents)


WHOLE = document("1", "2")
CUT = r"is truncated: it ends .*, without </LesHouchesEvents>"
BAD = {
    "nothing but comments": ("<!-- a -->\n", "is no Les Houches event file: it holds nothing but comments"),
    "text": ("hello", "expected <LesHouchesEvents version=.*got 'hello'"),
    "HepMC": ("HepMC::Version 3\n", "choose the format `hepmc`"),
    "text behind": (WHOLE + "lost\n", "after </LesHouchesEvents> of document 1 comes text that is no LHE document"),
    "text between documents": (WHOLE + "<event>" + WHOLE, "after </LesHouchesEvents> of document 1 comes text"),
    "cut in the header": (WHOLE[: WHOLE.index("</header")], r"it ends within its header"),
    "cut before the events": (WHOLE[: WHOLE.index("<event")], r"it ends before the first event"),
    "cut in an event": (WHOLE[: WHOLE.rindex("</event")], r"it ends within event 1 \(the first is 0\)"),
    "cut in a tag": (WHOLE[: WHOLE.rindex("</event") + 7], CUT),
    "cut between events": (WHOLE[: WHOLE.rindex("<event")], r"it ends after event 0 \(the first is 0\)"),
    "cut in the last tag": (WHOLE[:-5], CUT),
    "a document that is cut, and another": (WHOLE[: WHOLE.rindex("</Les")] + WHOLE, "before another document begins"),
    "a document cut in its header, and another": (
        WHOLE[: WHOLE.index("</header")] + WHOLE,
        "before another document begins",
    ),
    "a comment without end": (WHOLE.replace("<init>", "<!-- <init>"), "it ends within a comment"),
    "a CDATA section without end": (WHOLE.replace("<init>", "<![CDATA[ <init>"), "it ends within a CDATA section"),
    "no init": (WHOLE.replace(INIT, ""), "no valid <init> block"),
    "no end of init": (WHOLE.replace("</init>", ""), "no valid <init> block"),
    "no end of an event": (WHOLE.replace("</event>", "", 1), "event 0 .* has no end </event> before the next one"),
    "no beginning of the first event": (
        WHOLE.replace("<event>", "<evnt>", 1),
        "before the first event comes text that belongs to no event: '<evnt>",
    ),
    "no beginning of an event": (
        document("1", "2", "3").replace("<event>\n2", "<evnt>\n2"),
        r"after event 0 \(the first is 0\) comes text that belongs to no event: '<evnt>",
    ),
    "lost text": (
        document("1", "2", between="7 8 9\n"),
        r"after event 0 .* comes text that belongs to no event: '7 8 9'",
    ),
    "groups of events": (
        WHOLE.replace("<event>", '<eventgroup nreal="1" ncounter="1">\n<event>', 1).replace(
            "</Les", "</eventgroup>\n</Les"
        ),
        r"groups of events \(<eventgroup>\)",
    ),
    "half of UTF-16": (WHOLE.encode("utf-16")[:-1], "begins as text in utf-16 but cannot be read as such"),
}


@pytest.mark.usefixtures("_blocks")
@pytest.mark.parametrize("name", BAD)
def test_files_that_are_refused(tmp_path, name):
    content, message = BAD[name]
    with pytest.raises(EventFileError, match=message):
        texts(tmp_path, content)


def test_a_file_cut_anywhere_is_refused(tmp_path):
    whole = document("1 2 3", "4 5 6", header="<!-- a -->").encode()
    for length in range(1, len(whole) - 1):
        with pytest.raises(EventFileError):
            texts(tmp_path, whole[:length])


def test_long_files_are_not_held_in_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(lhe_text, "_BLOCK", 1 << 10)
    path = tmp_path / "e.lhe"
    path.write_text(document(*(f"{number} " + "x" * 100 for number in range(2_000))))
    longest = 0
    grow = lhe_text._Cursor._grow

    def watched(cursor):
        nonlocal longest
        longest = max(longest, len(cursor.data))
        return grow(cursor)

    monkeypatch.setattr(lhe_text._Cursor, "_grow", watched)
    assert sum(1 for _ in LheText(path).events()) == 2_000
    assert longest < 10_000


def test_comments_are_taken_out():
    assert without_comments(b"a<!-- <x> -->b<![CDATA[ ]] ]]>c") == b"a b c"
