"""A folder is written whole or not at all."""

from pathlib import Path

import pytest

from partonic.errors import OutputError
from partonic.export.bundle_folder import CHECKSUMS, check_place, states, write_bundle


def is_ours(folder: Path) -> bool:
    return states(folder / "what.json", "kind", "ours")


def text(content: str):
    return lambda path: path.write_text(content)


def test_nothing_is_left_of_a_bundle_that_fails(tmp_path: Path) -> None:
    def full(path: Path) -> None:
        path.write_text("half")
        raise OSError(28, "No space left on device")

    files = {"what.json": text('{"kind": "ours"}'), "data": text("old")}
    write_bundle(tmp_path / "bundle", files, is_ours)
    with pytest.raises(OutputError, match=r"cannot write the bundle .*No space left on device"):
        write_bundle(tmp_path / "bundle", {**files, "data": full}, is_ours)
    assert [each.name for each in tmp_path.iterdir()] == ["bundle"]
    assert (tmp_path / "bundle" / "data").read_text() == "old"
    assert (tmp_path / "bundle" / CHECKSUMS).is_file()


def test_an_error_of_a_writer_is_passed_on(tmp_path: Path) -> None:
    def wrong(_: Path) -> None:
        float("no number")

    with pytest.raises(ValueError, match="could not convert"):
        write_bundle(tmp_path / "bundle", {"what.json": wrong}, is_ours)
    assert not list(tmp_path.iterdir())


def test_empty_folders_are_free_and_others_are_not(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    check_place(tmp_path / "empty", is_ours)
    write_bundle(tmp_path / "empty", {"what.json": text('{"kind": "ours"}')}, is_ours)
    check_place(tmp_path / "empty", is_ours)
    (tmp_path / "empty" / "what.json").write_text("no JSON")
    with pytest.raises(OutputError, match="no such bundle"):
        check_place(tmp_path / "empty", is_ours)
