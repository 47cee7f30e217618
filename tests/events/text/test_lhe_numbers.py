import math

import pytest

from partonic.events.text.lhe_numbers import (
    event_numbers,
    fortran_number,
    named_weights,
    process_and_weight,
    unnamed_weights,
)

LINE = "2 7 0.5 100. 0.0078 0.118"
PARTICLE = "21 -1 0 0 501 502 0. 0. 5. 5. 0. 0. 9."
EVENT = f"\n{LINE}\n{PARTICLE}\n{PARTICLE}\n"


@pytest.mark.parametrize(
    ("word", "number"),
    [
        ("1.5", 1.5),
        ("1.0D-01", 0.1),
        ("1.0d+02", 100.0),
        ("-.5Q1", -5.0),
        ("1.0-101", 1e-101),
        ("-.12+005", -12000.0),
        ("+3", 3.0),
        ("4.", 4.0),
    ],
)
def test_numbers_of_fortran(word, number):
    assert fortran_number(word.encode()) == number


@pytest.mark.parametrize("word", ["****", "1_0", "one", "-0.1E+01-0.5E+02", "", "1.0D", "0x10"])
def test_words_that_are_no_numbers(word):
    with pytest.raises(ValueError, match="expected a number, got"):
        fortran_number(word.encode())


@pytest.mark.parametrize(
    "text",
    [
        EVENT,
        EVENT.replace("\n", "\r\n"),
        EVENT.replace("\n", "\n\n  \n"),
        EVENT.replace("\n", "\n# a comment 1 2 3\n"),
        EVENT.replace(" 5.", "\n 5."),  # lines that Fortran has broken
        EVENT + "#aMCatNLO 1 2 3\n<rwgt><wgt id='1'> 7 </wgt></rwgt>\n",
        EVENT.replace("0.5", "5.0D-01"),
    ],
)
def test_events(text):
    numbers = event_numbers(text.encode())
    assert numbers[:6] == [2.0, 7.0, 0.5, 100.0, 0.0078, 0.118]
    assert numbers[6:] == 2 * [21.0, -1.0, 0.0, 0.0, 501.0, 502.0, 0.0, 0.0, 5.0, 5.0, 0.0, 0.0, 9.0]
    assert process_and_weight(text.encode()) == (7, 0.5)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (EVENT, "", "expected 6 finite numbers .* got 0"),
        (
            "2 7",
            "3 7",
            r"expected 45 finite numbers \(6, and 13 for each of the 3 particles that it announces\), got 32",
        ),
        ("2 7", "1 7", "got 32"),
        ("2 7", "2.5 7", "its number of particles NUP is 2.5"),
        ("2 7", "-2 7", "its number of particles NUP is -2"),
        ("2 7", "nan 7", "its number of particles NUP is nan"),
        ("100.", "inf", "NaN or infinite"),
        ("100.", "1_00.", "expected a number, got '1_00.'"),
        ("0.118", "*****", r"expected a number, got '\*\*\*\*\*'"),
    ],
)
def test_malformed_events(old, new, message):
    with pytest.raises(ValueError, match=message):
        event_numbers(EVENT.replace(old, new).encode())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "it has 0 numbers"),
        ("2 7", "it has 2 numbers"),
        ("2 7.5 1.0", "IDPRUP is 7.5, not a whole number"),
        ("2 x 1.0", "expected a number, got 'x'"),
        ("2 7 nan 1 1 1", "XWGTUP is nan"),
    ],
)
def test_first_lines_that_are_malformed(text, message):
    with pytest.raises(ValueError, match=message):
        process_and_weight(text.encode())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<wgt id='a'> 1.5 </wgt>\n<wgt id=\"b\">-2</wgt>", {"a": 1.5, "b": -2.0}),
        ("<wgt  id = 'a b/c' >1D-1</wgt >", {"a b/c": 0.1}),
        ("<wgt type='x' id=\"it's\">1</wgt>", {"it's": 1.0}),
        ("<wgt id='a&lt;b'>1</wgt>", {"a<b": 1.0}),
        ("<wgt id=' 7 '>1</wgt>", {"7": 1.0}),
        ("<wgt id='a'>1</wgt><wgt id='a'>1.0</wgt>", {"a": 1.0}),
        ("", {}),
    ],
)
def test_named_weights(text, expected):
    assert named_weights(text.encode()) == expected


def test_weights_that_are_not_finite_are_left_to_others():
    assert math.isnan(named_weights(b"<wgt id='a'> NaN </wgt>")["a"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<wgt>1</wgt>", "1 of its 1 weights <wgt> have no id or no end"),
        ("<wgt id='a'>1</wgt><wgt id='b'>1", "1 of its 2 weights <wgt> have no id or no end"),
        ("<wgt id='a'>one</wgt>", "expected a number, got 'one'"),
        ("<wgt id='a'></wgt>", "expected a number, got ''"),
        ("<wgt id='a'>1</wgt><wgt id='a'>2</wgt>", "it has the weight 'a' twice, 1 and 2"),
    ],
)
def test_malformed_weights(text, message):
    with pytest.raises(ValueError, match=message):
        named_weights(text.encode())


def test_weights_without_names():
    assert unnamed_weights(b"<weights> 1.0 2.0D0\n 3 </weights>") == [1.0, 2.0, 3.0]
    assert unnamed_weights(b"<rwgt></rwgt>") == []
    with pytest.raises(ValueError, match="expected a number"):
        unnamed_weights(b"<weights> x </weights>")
