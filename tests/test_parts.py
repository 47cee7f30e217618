from pathlib import Path

from partonic.parts import parts_folder, remove_parts


def test_parts_of_the_same_settings_are_found_again_and_others_removed(tmp_path: Path) -> None:
    output = tmp_path / "events.parquet"
    folder = parts_folder(output, "a" * 64)
    (folder / "part").write_text("done")
    (folder / ".part.partial").write_text("half")
    assert parts_folder(output, "a" * 64) == folder
    assert [path.name for path in folder.iterdir()] == ["part"]
    other = parts_folder(output, "b" * 64)
    assert not folder.exists()
    assert other.is_dir()


def test_parts_are_removed_with_their_folder(tmp_path: Path) -> None:
    output = tmp_path / "events.parquet"
    parts_folder(output, "a" * 64)
    remove_parts(output)
    remove_parts(output)
    assert list(tmp_path.iterdir()) == []
