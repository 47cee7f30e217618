import os

import pytest

from partonic.config.importing import ImportConfig
from partonic.errors import EventFileError
from partonic.events.readers.files import is_address, sample_files, short_name


def files(*names, **settings):
    return sample_files(ImportConfig(**({"format": "lhe", "files": list(names)} | settings)))


@pytest.fixture
def folder(tmp_path):
    for number, name in enumerate(("b.lhe", "a.lhe.gz", "c.txt", "deep/d.lhe")):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(f"{number}")
    return tmp_path


def test_patterns_folders_and_their_order(folder):
    a, b, d = folder / "a.lhe.gz", folder / "b.lhe", folder / "deep" / "d.lhe"
    assert files(b, a) == (b, a)
    assert files(f"{folder}/*.lhe*") == (a, b)
    assert files(f"{folder}/**/*.lhe") == (b, d)
    assert files(f"{folder}/[ab].*") == (a, b)
    assert files(folder) == (a, b)
    with pytest.raises(EventFileError, match=r"no file matches the pattern .*\*\.root \(relative paths begin in"):
        files(f"{folder}/*.root")
    with pytest.raises(EventFileError, match=r"has no file that ends with \.root"):
        files(folder, format="delphes")


def test_a_file_whose_name_is_a_pattern(tmp_path):
    path = tmp_path / "run[1].lhe"
    path.write_text("x")
    assert files(path) == (path,)


def test_home_and_variables(folder, monkeypatch):
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("SAMPLES", str(folder / "deep"))
    assert files("~/b.lhe", "$SAMPLES/d.lhe", "${SAMPLES}/../c.txt") == (
        folder / "b.lhe", folder / "deep" / "d.lhe", folder / "deep" / ".." / "c.txt",
    )  # fmt: skip
    with pytest.raises(EventFileError, match=r"the environment variable \$NOT_THERE is not set"):
        files("$NOT_THERE/b.lhe")


def test_relative_paths_begin_where_the_command_is_run(folder, monkeypatch):
    monkeypatch.chdir(folder)
    assert [path.name for path in files("b.lhe", "deep")] == ["b.lhe", "d.lhe"]
    with pytest.raises(EventFileError, match=rf"event file no\.lhe not found \(import\.files; .* begin in {folder}\)"):
        files("no.lhe")


def test_a_file_that_cannot_be_read(folder, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # root may read every file
    with pytest.raises(EventFileError, match="permission denied"):
        files(folder / "b.lhe")


def test_addresses(folder):
    address = "root://eospublic.cern.ch//eos/opendata/cms/file.root"
    assert files(address, format="delphes") == (address,)
    assert (is_address(address), is_address("/root/x"), is_address("x.root")) == (True, False, False)
    assert short_name(address) == "file.root"
    with pytest.raises(EventFileError, match="only ROOT files are read from another machine"):
        files("root://host//x.lhe")
    with pytest.raises(EventFileError, match="listed twice"):
        files(address, address, format="delphes")


def test_the_same_file_twice(folder):
    a, b = folder / "a.lhe.gz", folder / "b.lhe"
    with pytest.raises(EventFileError, match=r"b\.lhe: it is listed twice, and its events would count twice"):
        files(b, a, b)
    copy = folder / "copy.lhe"
    copy.write_bytes(b.read_bytes())
    with pytest.raises(EventFileError, match=r"copy\.lhe: it holds the same as .*b\.lhe"):
        files(b, copy)
    link = folder / "link.lhe"
    link.symlink_to(b)
    with pytest.raises(EventFileError, match=r"link\.lhe: it holds the same"):
        files(b, link)
    assert files(b, copy, a, duplicates="drop") == (b, a)
    assert files(b, copy, a, b, duplicates="keep") == (b, copy, a, b)


def test_files_of_one_size_differ(folder):
    assert (folder / "b.lhe").stat().st_size == (folder / "a.lhe.gz").stat().st_size
    assert len(files(folder / "b.lhe", folder / "a.lhe.gz")) == 2


def test_names_that_stand_for_no_file(folder, monkeypatch):
    (folder / "e.lhe").symlink_to(folder / "moved.lhe")
    for name in (folder, f"{folder}/*.lhe", folder / "e.lhe"):
        with pytest.raises(EventFileError, match=r"e\.lhe is a link to .*moved\.lhe, which is not there"):
            files(name)
    (folder / "e.lhe").unlink()
    os.mkfifo(folder / "f.lhe")
    with pytest.raises(EventFileError, match=r"f\.lhe is no regular file but a pipe or device"):
        files(folder)
    monkeypatch.setenv("NOTHING", "")
    with pytest.raises(EventFileError, match=r"'\$NOTHING' is an empty path"):
        files("$NOTHING")
    with pytest.raises(EventFileError, match=r"cannot read xxx.* too long"):
        files("x" * 5000)


@pytest.mark.parametrize(("kind", "name"), [("hepmc", "x.hepmc2.bz2"), ("hepmc", "x.hepmc3.zst"), ("lhe", "X.LHE.XZ")])
def test_every_compression_in_a_folder(tmp_path, kind, name):
    (tmp_path / name).write_text("x")
    assert files(tmp_path, format=kind) == (tmp_path / name,)
