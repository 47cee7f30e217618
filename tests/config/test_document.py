from pathlib import Path

import pytest

from partonic.config.document import read_document
from partonic.errors import ConfigError

TEXT = """\
name: test

generation:
  events: 100
  theta:
    c_tG: 1e-3
  points:
    - {a: 1.0}
    - {a: -2E+3}
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "analysis.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_content_and_lines(tmp_path: Path) -> None:
    document = read_document(written(tmp_path, TEXT))
    assert document.content["generation"] == {
        "events": 100,
        "theta": {"c_tG": 1e-3},
        "points": [{"a": 1.0}, {"a": -2000.0}],
    }
    assert document.line(("generation", "theta", "c_tG")) == 6
    assert document.line(("generation", "points", 1, "a")) == 9
    assert document.line(("generation", "theta", "not there")) == 5
    assert document.line(("elsewhere",)) == 1


def test_parts_that_are_not_in_the_file_are_left_out(tmp_path: Path) -> None:
    document = read_document(written(tmp_path, TEXT))
    assert document.written(("generation", "SomeModel", "theta", "c_tG")) == ("generation", "theta", "c_tG")


def test_words_are_not_truth_values(tmp_path: Path) -> None:
    document = read_document(written(tmp_path, "a: no\nb: on\nc: true\nd: False\n"))
    assert document.content == {"a": "no", "b": "on", "c": True, "d": False}


def test_anchor_used_twice_and_merged(tmp_path: Path) -> None:
    text = "base: &base {a: 1}\nfirst: *base\nsecond:\n  <<: *base\n  b: 2\n"
    document = read_document(written(tmp_path, text))
    assert document.content == {"base": {"a": 1}, "first": {"a": 1}, "second": {"a": 1, "b": 2}}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: 2\na: 3\n", r"analysis\.yaml:3: key 'a' is given twice \(first on line 1\)"),
        ("a:\n  b: 1\n  b: 2\n", r"analysis\.yaml:3: key 'b' is given twice"),
        ("a: [1, 2\nb: 3\n", r"analysis\.yaml:2: this is not valid YAML"),
        ("a: 1\n\tb: 2\n", r"analysis\.yaml:2: this is not valid YAML"),
        ("a: !!python/object/apply:os.getcwd []\n", r"analysis\.yaml:1: this is not valid YAML: could not determine"),
        ("a: 1\n---\nb: 2\n", r"this is not valid YAML"),
        ("? [1, 2]\n: 3\n", r"analysis\.yaml:1: a key must be a word"),
        ("true: 3\n", r"analysis\.yaml:1: a key must be a word"),
        ("", r"expected a mapping of sections .* got an empty file"),
        ("- 1\n", r"got a list"),
        ("hello\n", r"got a text"),
        ("&a [*a]\n", r"got a list"),
    ],
)
def test_bad_file(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        read_document(written(tmp_path, text))


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"there is no file .*absent\.yaml"):
        read_document(tmp_path / "absent.yaml")


def test_folder_in_place_of_a_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot read"):
        read_document(tmp_path)


def test_other_encoding(tmp_path: Path) -> None:
    path = tmp_path / "latin.yaml"
    path.write_bytes("name: café\n".encode("latin-1"))
    with pytest.raises(ConfigError, match="UTF-8"):
        read_document(path)
