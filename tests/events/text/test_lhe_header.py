import pytest

from partonic.errors import EventFileError
from partonic.events.text.lhe_header import DeclaredWeight, LheHeader, header_text

INIT = "2212 2212 6.5D+03 6500. 0 0 247000 247000 -4 2\n0.3 0.03 1. 1\n0.2 0.04 1. 7\n"


def header(content="", init=INIT, after=""):
    text = f"<LesHouchesEvents>\n<header>\n{content}\n</header>\n<init>\n{init}</init>\n{after}"
    return LheHeader("e.lhe", text.encode())


def declared(content):
    return header(f"<initrwgt>{content}</initrwgt>").weights


def test_the_block_init():
    found = header()
    assert (found.beams, found.energies, found.strategy) == ((2212, 2212), (6500.0, 6500.0), -4)
    assert found.processes == {1: (0.3, 0.03), 7: (0.2, 0.04)}
    assert found.cross_section == pytest.approx(0.5)
    assert found.relative_error == pytest.approx(0.1)


@pytest.mark.parametrize(
    "init",
    [
        "# beams\n" + INIT,
        INIT.replace(" -4 2", "\n -4 2"),  # a line that Fortran has broken
        INIT.replace("1. 1\n", "1. 1 99\n"),  # more than there should be
        INIT + "<generator name='x'>y</generator>\n",
        INIT.replace("\n", "\r\n"),
    ],
)
def test_ways_to_write_it(init):
    assert header(init=init).processes == {1: (0.3, 0.03), 7: (0.2, 0.04)}


def test_processes_without_error_or_cross_section():
    assert header(init=INIT.replace("0.03", "-1")).relative_error == 0.0
    assert header(init=INIT.partition("\n")[0].replace("-4 2", "-4 0")).cross_section == 0.0


def test_blocks_in_comments_and_in_the_header_do_not_count():
    found = header(f"<!-- <init>{INIT}</init> <initrwgt><weight id='x'>y</weight></initrwgt> --> <init> 1 </init>")
    assert found.beams == (2212, 2212)
    assert found.weights == {}


@pytest.mark.parametrize(
    "init",
    ["", INIT.replace("-4 2", "-4 3"), INIT.replace("0.2", "x"), INIT.replace("2212", "1.5"),
     INIT.replace("1. 7", "1. inf"), INIT.replace("-4 2", "-4 nan")],
)  # fmt: skip
def test_malformed_blocks(init):
    with pytest.raises(EventFileError, match=r"e\.lhe has no valid <init> block: expected a line of ten numbers"):
        header(init=init)


def test_weights():
    found = declared(
        "<weightgroup name='scales'>\n<weight id='1'> muR=1\n muF=2 </weight></weightgroup>"
        "<weightgroup type='x'><weightgroup name=\"in &amp; out\">"
        "<weight MUR='2' id='a&gt;b'>x &lt; y</weight></weightgroup>"
        "<weight id='2'> p < 3 </weight></weightgroup><weight id=' 3 '/><weight id='4'><![CDATA[a<b]]></weight>"
    )
    assert found == {
        "1": DeclaredWeight("muR=1 muF=2", "scales"),
        "a>b": DeclaredWeight("x < y", "in & out"),
        "2": DeclaredWeight("p < 3", ""),
        "3": DeclaredWeight("", ""),
        "4": DeclaredWeight("a<b", ""),
    }


def test_weights_given_twice():
    assert list(declared("<weight id='1'>a</weight><weight id='1'>a</weight>")) == ["1"]
    with pytest.raises(EventFileError, match=r"e\.lhe declares two weights '1': 'a' and 'b'"):
        declared("<weight id='1'>a</weight><weight id='1'>b</weight>")


@pytest.mark.parametrize("content", ["<weight>a</weight>", "<weight id='1'>a", "</initrwgt><initrwgt><weight id='1'/>"])
def test_malformed_weights(content):
    text = f"<initrwgt>{content}</initrwgt>" if "</initrwgt>" not in content else content
    with pytest.raises(EventFileError, match="block <initrwgt> is malformed"):
        _ = header(text.removeprefix("</initrwgt>")).weights


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ("é".encode(), "é"),
        ("é".encode("latin-1"), "é"),
        (b"<?xml version='1.0' encoding='cp1250'?>\xf8", "<?xml version='1.0' encoding='cp1250'?>ř"),
        (b"<?xml version='1.0' encoding='no-such'?>\xe9", "<?xml version='1.0' encoding='no-such'?>é"),
    ],
)
def test_the_header_is_text_in_any_encoding(data, expected):
    assert header_text(data) == expected


def test_what_madgraph_notes():
    found = header("<MGVersion>\n3.5.8\n</MGVersion>\n#  Number of Events        :       1000\n"
                   "#  Integrated weight (pb)  :       0.5D+00\n")  # fmt: skip
    assert (found.stated_events, found.stated_section) == (1000, 0.5)
    assert found.generators == ["MadGraph 3.5.8"]
    none = header("#  Integrated weight (pb)  :  unknown")
    assert (none.stated_events, none.stated_section, none.generators) == (None, None, [])
    assert header(init=INIT + "<generator name='Sherpa' version='3.0'> cite it </generator>").generators == [
        "Sherpa 3.0"
    ]
    assert header("<generator version='1.2'> Some </generator>").generators == ["Some 1.2"]


def test_records_of_our_own():
    own = header('<partonic>{"cross_section": {"value": 2.0, "error": 0.5}, "theta": {"k": 1}}</partonic>')
    assert own.record["theta"] == {"k": 1}
    assert own.own_relative_error == 0.25
    assert header("<partonic>no</partonic>").record is None
    assert header("<partonic>[1]</partonic>").record is None
    assert header().own_relative_error == header().relative_error


def test_processes_with_one_number():
    with pytest.raises(EventFileError, match=r"e\.lhe: its <init> block has several processes with the same number"):
        header(init=INIT.replace("1. 7", "1. 1"))


@pytest.mark.parametrize(
    "record", ['{"cross_section": {"value": "a", "error": []}}', '{"cross_section": {"value": 1}}']
)
def test_a_record_that_is_none_of_ours(record):
    assert header(f"<partonic>{record}</partonic>").own_relative_error == pytest.approx(0.1)
