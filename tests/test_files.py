import json
import os
from pathlib import Path

import pytest

from partonic.errors import OutputError
from partonic.files import atomic_output, output_folder, write_json, write_text


def test_file_appears_whole(tmp_path: Path) -> None:
    path = tmp_path / "new" / "result.txt"
    with atomic_output(path) as temporary:
        temporary.write_text("half")
        assert not path.exists()
        assert temporary.parent == path.parent, "a rename within one file system is atomic"
    assert path.read_text() == "half"
    assert list(path.parent.iterdir()) == [path]
    assert path.stat().st_mode & 0o777 == 0o644


def test_failure_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "result.txt"
    write_text(path, "old")
    with pytest.raises(ZeroDivisionError), atomic_output(path) as temporary:  # noqa: PT012
        temporary.write_text("new")
        _ = 1 / 0
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_interruption_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), atomic_output(tmp_path / "result.txt") as temporary:  # noqa: PT012
        temporary.write_text("new")
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


def test_full_disk(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"cannot write .*result.txt: No space left"):  # noqa: SIM117
        with atomic_output(tmp_path / "result.txt"):
            raise OSError(28, "No space left on device")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not os.access("/dev/full", os.W_OK), reason="this system has no /dev/full, a disk that is full")
def test_device_that_is_full(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="No space left"), atomic_output(tmp_path / "result.txt"):
        Path("/dev/full").write_text("x")


def test_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match=r"choose another place with the key `output`"):
        output_folder(tmp_path / "file" / "folder")
    with pytest.raises(OutputError, match="cannot write"):
        write_text(tmp_path / "file" / "folder" / "result.txt", "")


def test_place_that_takes_no_files() -> None:
    """A file system that refuses new files, also for a privileged user."""
    with pytest.raises(OutputError, match=r"cannot write /proc"):
        write_text(Path("/proc/partonic.txt"), "x")


def test_json(tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    write_json(path, {"value": 0.1, "names": ["κ̃"]})
    assert json.loads(path.read_text(encoding="utf-8")) == {"value": 0.1, "names": ["κ̃"]}


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_json_has_no_nan(tmp_path: Path, value: float) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "result.json", {"value": value})
    assert list(tmp_path.iterdir()) == []
