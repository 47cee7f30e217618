import gzip

import awkward as ak
import fsspec
import numpy as np
import pytest
import uproot
from tests.events.readers.root_files import nanoaod_branches, write_tree

from partonic.errors import DependencyError, EventFileError
from partonic.events.readers.notes import Notes
from partonic.events.readers.root.file import opened


def tree_of(path, name="Events", notes=None):
    with opened(path, notes or Notes()) as file:
        tree = file.tree(name)
        return {branch: tree.array(branch, 0, tree.entries).tolist() for branch in tree.branches}


def test_branches_by_their_last_name(tmp_path):
    path = write_tree(
        tmp_path / "a.root", "Events", {"x": np.arange(4), "Jet_pt": ak.Array([[1.0], [], [2.0, 3.0], []])}
    )
    with opened(path, Notes()) as file:
        tree = file.tree("Events")
        assert tree.entries == 4
        assert tree.array("x", 1, 3).tolist() == [1, 2]
        assert tree.array("Jet_pt", 1, 3).tolist() == [[], [2.0, 3.0]]
        assert tree.counter("Jet_pt") == "nJet_pt"
        assert tree.counter("x") is None
        assert tree.title("Jet_pt") == ""
        assert file.optional_tree("Runs") is None


def test_branches_that_are_split_under_a_collection():
    from partonic.events.readers.root.file import Tree

    class Split:
        num_entries = 3

        def keys(self):
            return ["Jet", "Jet/Jet.PT", "Jet/Jet.Eta", "Jet_size"]

    branches = Tree("a.root", "Delphes", type("TTree", (Split,), {})()).branches
    assert branches["Jet.PT"] == "Jet/Jet.PT"
    assert branches["Jet_size"] == "Jet_size"
    assert "Jet_PT" not in branches


def test_nested_and_flat_fields_of_an_rntuple(tmp_path):
    path = tmp_path / "r.root"
    jets = ak.zip({"pt": ak.Array([[1.0], []]), "eta": ak.Array([[0.5], []])})
    with uproot.recreate(path) as file:
        file.mkrntuple("Events", {"Jet": jets, "Muon_pt": ak.Array([[7.0], [8.0]]), "x": np.arange(2)})
    found = tree_of_names(path, ("Jet_pt", "Jet.eta", "Muon_pt", "x"))
    assert found == {"Jet_pt": [[1.0], []], "Jet.eta": [[0.5], []], "Muon_pt": [[7.0], [8.0]], "x": [0, 1]}


@pytest.mark.parametrize("kind", ["mktree", "mkrntuple"])
def test_rows_across_baskets_and_clusters(tmp_path, kind, rng):
    """Files are written in parts, e.g. by merging; any stretch of rows is the same as of the whole."""
    counts = rng.integers(0, 5, 30)
    lists = ak.unflatten(ak.Array(rng.normal(size=counts.sum())), counts)
    path, parts = tmp_path / "a.root", [(0, 7), (7, 8), (8, 21), (21, 30)]
    with uproot.recreate(path) as file:
        writable = getattr(file, kind)("Events", {"x": np.int64, "w": ak.type(lists).content} if kind == "mktree" else
                                       {"x": np.arange(7), "w": lists[:7]})  # fmt: skip
        for start, stop in parts[0 if kind == "mktree" else 1 :]:
            writable.extend({"x": np.arange(start, stop), "w": lists[start:stop]})
    with opened(path, Notes()) as file:
        tree = file.tree("Events")
        assert tree.entries == 30
        for start, stop in [(0, 30), (0, 4), (5, 9), (7, 8), (7, 22), (20, 30), (29, 30)]:
            assert tree.array("x", start, stop).tolist() == list(range(start, stop))
            assert tree.array("w", start, stop).tolist() == lists[start:stop].tolist()


def tree_of_names(path, names):
    with opened(path, Notes()) as file:
        tree = file.tree("Events")
        return {name: tree.array(name, 0, tree.entries).tolist() for name in names}


def test_what_is_no_root_file(tmp_path):
    path = tmp_path / "a.root"
    path.write_bytes(b"")
    with pytest.raises(EventFileError, match=r"a\.root is empty"):
        tree_of(path)
    path.write_text("events")
    with pytest.raises(EventFileError, match=r"a\.root is not a ROOT file$"):
        tree_of(path)
    path.write_bytes(gzip.compress(b"root"))
    with pytest.raises(EventFileError, match="not a ROOT file: it is compressed with gzip, expand it first"):
        tree_of(path)


def test_no_such_tree_and_no_tree(tmp_path):
    path = write_tree(tmp_path / "a.root", "Other", {"x": np.arange(3)})
    with pytest.raises(EventFileError, match="no tree 'Events'; it has: Other"):
        tree_of(path)
    with uproot.recreate(path) as file:
        file["Events"] = np.histogram(np.arange(3.0))
    with pytest.raises(EventFileError, match=r"'Events' is a Model_TH1D\w*, expected a TTree or an RNTuple"):
        tree_of(path)


def test_of_several_cycles_the_newest_is_read(tmp_path):
    path = write_tree(tmp_path / "a.root", "Events", {"x": np.arange(3)})
    with uproot.update(path) as file:
        file.mktree("Events", {"x": np.int64}).extend({"x": np.arange(5)})
    notes = Notes()
    assert tree_of(path, notes=notes)["x"] == [0, 1, 2, 3, 4]
    assert notes.warnings == []
    with uproot.update(path) as file:
        file.mktree("Events", {"x": np.int64}).extend({"x": np.arange(2)})
    assert tree_of(path, notes=notes)["x"] == [0, 1]
    assert len(notes.warnings) == 2  # two older versions with more
    assert "'Events' twice: 2 rows in the newer version, which is read, and 5 in an older one" in notes.warnings[0]


def test_branches_that_hold_no_numbers(tmp_path):
    path = write_tree(tmp_path / "a.root", "Events", {"x": np.arange(2)})
    with uproot.recreate(path) as file:
        file.mkrntuple("Events", {"name": ak.Array(["one", "two"]), "deep": ak.Array([[[1.0]], []])})
    for name in ("name", "deep"):
        with pytest.raises(EventFileError, match=rf"branch {name} of 'Events', rows 0 to 1 holds .*, expected numbers"):
            tree_of_names(path, (name,))


@pytest.mark.parametrize("kind", ["tree", "ntuple"])
def test_damage_of_any_kind_names_the_file(tmp_path, kind, rng):
    """Truncated anywhere, with bytes changed anywhere: the error is ours and names the file, or nothing is wrong."""
    path = write_tree(tmp_path / "a.root", "Events", nanoaod_branches())
    if kind == "ntuple":
        with uproot.recreate(path) as file:
            file.mkrntuple("Events", nanoaod_branches())
    content = path.read_bytes()
    failed = 0
    for cut in rng.integers(0, len(content), 40):
        path.write_bytes(content[:cut])
        failed += refused(path)
    assert failed > 30
    for _ in range(60):
        damaged = bytearray(content)
        for place in rng.integers(0, len(content), 5):
            damaged[place] ^= 1 << rng.integers(8)
        path.write_bytes(bytes(damaged))
        failed += refused(path)
    assert failed > 40


def refused(path):
    try:
        tree_of(path)
    except EventFileError as error:
        assert str(path) in str(error)  # noqa: PT017 (not every damage is found)
        return True
    return False


def test_a_branch_with_fewer_rows_than_its_tree(tmp_path, monkeypatch):
    path = write_tree(tmp_path / "a.root", "Events", {"x": np.arange(3)})
    with opened(path, Notes()) as file:
        tree = file.tree("Events")
        tree.entries = 5
        with pytest.raises(EventFileError, match="the branch has 3 rows and gave 3, but the tree has 5"):
            tree.array("x", 0, 5)


def test_files_elsewhere(tmp_path):
    """The file system in memory of fsspec stands for one of another machine."""
    path = write_tree(tmp_path / "a.root", "Events", {"x": np.arange(3)})
    memory = fsspec.filesystem("memory")
    memory.pipe("/partonic/a.root", path.read_bytes())
    memory.pipe("/partonic/no.root", b"nothing")
    try:
        assert tree_of("memory://partonic/a.root")["x"] == [0, 1, 2]
        for name in ("no.root", "absent.root"):
            with pytest.raises(EventFileError, match=rf"memory://partonic/{name} cannot be opened \(check address"):
                tree_of(f"memory://partonic/{name}")
    finally:
        memory.rm("/partonic", recursive=True)
    with pytest.raises(EventFileError, match=r"cannot be opened .*Protocol not known: nowhere"):
        tree_of("nowhere://host//a.root")


def test_a_package_that_is_missing(tmp_path, monkeypatch):
    def without(*_, **__):
        message = "install the 'fsspec-xrootd' package\nwith pip"
        raise ModuleNotFoundError(message)

    monkeypatch.setattr(uproot, "open", without)
    with pytest.raises(
        DependencyError, match=r"root://host//a\.root needs a package .*fsspec-xrootd' package with pip"
    ):
        tree_of("root://host//a.root")
