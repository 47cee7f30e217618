"""ROOT files through `uproot`: opening, the names of branches, arrays; whatever is damaged becomes an error with names.

A tree is a TTree or an RNTuple. `uproot` and `awkward` meet damaged bytes with exceptions of all kinds, from
`struct.error` to `AttributeError`; they are caught where the foreign code is called, and nowhere else.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from partonic.errors import DependencyError, EventFileError, PartonicError
from partonic.events.readers.files import EventFile
from partonic.events.readers.notes import Notes

__all__ = ["RootFile", "Tree", "opened"]

_FORMATS = {"Events": "nanoaod", "Delphes": "delphes"}
"""Trees that tell the format of a file."""

_COMPRESSED = {b"\x1f\x8b": "gzip", b"\xfd7": "xz", b"\x28\xb5": "zstd", b"BZ": "bzip2", b"PK": "zip"}


@contextmanager
def _foreign(what: str, consequence: str) -> Iterator[None]:
    """Turn any exception of `uproot` into an error that names the file and says what could not be done."""
    try:
        yield
    except PartonicError:
        raise
    except ImportError as error:
        raise DependencyError(f"{what} needs a package that is not installed: {_short(error)}") from error
    except Exception as error:
        raise EventFileError(f"{what} {consequence}: {_short(error)}") from error


class Tree:
    """A TTree or an RNTuple of an open file.

    Attributes:
        file: path or address of the file.
        name: name of the tree.
        entries: number of its rows.
        branches: key in the file of each branch, by its last name: ``Jet.PT`` of ``Jet/Jet.PT``, and ``Jet_pt`` also
            of the nested field ``Jet.pt`` of an RNTuple.
    """

    def __init__(self, file: EventFile, name: str, tree: Any) -> None:
        """Wrap an object of `uproot`.

        Raises:
            EventFileError: if it is no tree, or damaged.
        """
        self.file = file
        self.name = name
        self._tree = tree
        with _foreign(str(file), f"is damaged or truncated, its tree '{name}' cannot be read"):
            keys = [str(key) for key in tree.keys()]  # noqa: SIM118 (not a mapping)
            self.entries = int(tree.num_entries)
            nested = "TTree" not in type(tree).__name__
        self.branches: Mapping[str, str] = _last_names(keys, nested)

    def array(self, name: str, start: int, stop: int) -> Any:
        """Return the rows `start` to `stop` of a branch as an awkward array of numbers.

        Raises:
            EventFileError: if the branch is damaged, or holds no numbers.
            DependencyError: if a package that its compression needs is not installed.
        """
        import awkward as ak

        where = f"{self.file}: branch {name} of '{self.name}', rows {start} to {stop - 1}"
        with _foreign(where, "cannot be read, the file is damaged or truncated"):
            branch = self._tree[self.branches[name]]
            rows = int(branch.num_entries)
            array = branch.array(entry_start=start, entry_stop=stop, library="ak")
            if len(array.fields) == 1:  # an RNTuple of vectors may wrap numbers in records
                array = array[array.fields[0]]
            count, dimensions = len(array), array.ndim
            kind = _dtype(ak.flatten(array, axis=None))
        if count != stop - start or rows != self.entries:
            raise EventFileError(
                f"{where}: the branch has {rows} rows and gave {count}, but the tree has {self.entries}: the file is "
                "damaged or was not closed properly"
            )
        if kind.kind not in "biuf" or dimensions > 2:
            raise EventFileError(f"{where} holds {array.type.content}, expected numbers or lists of numbers")
        return array

    def counter(self, name: str) -> str | None:
        """Return the branch with the lengths of the lists of a branch, None where there is none."""
        with _foreign(str(self.file), f"is damaged, its branch {name} cannot be read"):
            counted = getattr(self._tree[self.branches[name]], "count_branch", None)
            return None if counted is None else str(counted.name)

    def title(self, name: str) -> str:
        """Return what the file says of a branch, empty where it says nothing but type and shape."""
        with _foreign(str(self.file), f"is damaged, its branch {name} cannot be read"):
            branch = self._tree[self.branches[name]]
            text = str(getattr(branch, "title", None) or getattr(branch, "description", None) or "").strip()
        return "" if text.startswith(f"{name}[") or text.split("/")[0] == name else text


class RootFile:
    """An open ROOT file."""

    def __init__(self, file: EventFile, content: Any, keys: list[str], notes: Notes) -> None:
        self.file = file
        self.keys = keys
        self._content = content
        self._notes = notes

    def tree(self, name: str) -> Tree:
        """Return the tree `name`, of its newest cycle.

        Raises:
            EventFileError: if there is none.
        """
        found = self.optional_tree(name)
        if found is None:
            names = list(dict.fromkeys(key.partition(";")[0] for key in self.keys))
            hint = "".join(f". Set import.format to {kind}" for tree, kind in _FORMATS.items() if tree in names)
            raise EventFileError(f"{self.file} has no tree '{name}'; it has: {', '.join(names) or 'nothing'}{hint}")
        return found

    def optional_tree(self, name: str) -> Tree | None:
        """Return the tree `name`, of its newest cycle; None if there is none.

        Raises:
            EventFileError: if it is no tree, or damaged.
        """
        cycles = sorted(
            (int(key.partition(";")[2]) for key in self.keys if key.partition(";")[0] == name), reverse=True
        )
        if not cycles:
            return None
        newest = self._cycle(name, cycles[0])
        for cycle in cycles[1:]:
            older = self._cycle(name, cycle)
            if older.entries > newest.entries:
                self._notes.warn(
                    f"{self.file} has '{name}' twice: {newest.entries} rows in the newer version, which is read, and "
                    f"{older.entries} in an older one; the file may not have been closed properly"
                )
        return newest

    def _cycle(self, name: str, cycle: int) -> Tree:
        with _foreign(str(self.file), f"is damaged or truncated, its tree '{name}' cannot be opened"):
            content = self._content[f"{name};{cycle}"]
            is_tree = hasattr(content, "num_entries") and hasattr(content, "keys")
        if not is_tree:
            raise EventFileError(f"{self.file}: '{name}' is a {type(content).__name__}, expected a TTree or an RNTuple")
        return Tree(self.file, name, content)


@contextmanager
def opened(file: EventFile, notes: Notes) -> Iterator[RootFile]:
    """Open a ROOT file here or elsewhere.

    Args:
        file: path, or address such as ``root://host//file.root``.
        notes: told what is strange.

    Raises:
        EventFileError: if the file is no ROOT file, is truncated, or cannot be reached.
        DependencyError: if its address needs a package that is not installed.
    """
    import uproot

    if isinstance(file, Path):
        _check_is_root(file)
        hint = "it may be truncated; copy it again"
    else:
        hint = "check address, network and access rights (a grid proxy), or copy it here"
    with _foreign(str(file), f"cannot be opened ({hint})"):
        content = uproot.open(file)
    with content:
        with _foreign(str(file), f"cannot be opened ({hint})"):
            keys = [str(key) for key in content.keys(recursive=False)]
        yield RootFile(file, content, keys, notes)


def _check_is_root(path: Path) -> None:
    with path.open("rb") as raw:
        first = raw.read(4)
    if first == b"root":
        return
    if not first:
        raise EventFileError(f"{path} is empty. Copy it again")
    kind = next((name for magic, name in _COMPRESSED.items() if first.startswith(magic)), None)
    hint = "" if kind is None else f": it is compressed with {kind}, expand it first (ROOT files compress inside)"
    raise EventFileError(f"{path} is not a ROOT file{hint}")


def _last_names(keys: list[str], nested: bool) -> dict[str, str]:
    found: dict[str, str] = {}
    for key in keys:
        found.setdefault(key.rpartition("/")[2], key)
    if nested:
        for key in keys:
            found.setdefault(key.replace(".", "_", 1), key)
    return found


def _dtype(flat: Any) -> np.dtype[Any]:
    return np.dtype(getattr(flat.layout, "dtype", None) or np.asarray(flat).dtype)


def _short(error: Exception) -> str:
    text = str(error).strip()
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return " ".join(lines[:3])[:300] if isinstance(error, ImportError) else lines[0] if lines else type(error).__name__
