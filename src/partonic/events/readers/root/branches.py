"""Which branch of a ROOT file holds which quantity, in one file and in all files of a sample.

Branches have other names in other versions of a format. Each quantity therefore has a list of candidate names, the
first of which that is present is read; the user may name another, or another collection. All quantities of a collection
must come from one collection of the file, and from branches of the same names in all files of a sample.
"""

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from partonic.errors import ConfigError, EventFileError
from partonic.events.readers.files import EventFile
from partonic.events.readers.notes import Notes
from partonic.events.readers.root.file import Tree

__all__ = ["Found", "Names", "Quantities", "found_in", "one_schema"]

Names = Mapping[str, str]
"""Branch of each quantity."""

_COUNTER = re.compile(r"n[A-Z_]").match
_COLLECTION = re.compile(r"^([^_.]+)([_.])(.*)$")


@dataclass(frozen=True)
class Quantities:
    """The quantities of a format, and the branches that may hold them.

    Attributes:
        needed: candidates of each quantity that must be there.
        optional: candidates of those that may be missing.
        collections: beginning of the names of the quantities of each collection, by the name of the collection.
        alone: quantities that begin like those of a collection and are not of it.
    """

    needed: Mapping[str, Sequence[str]]
    optional: Mapping[str, Sequence[str]]
    collections: Mapping[str, str]
    alone: frozenset[str] = frozenset({"generator_weight"})

    def of_collection(self, collection: str) -> list[str]:
        """Return the quantities of a collection."""
        beginning = self.collections[collection]
        return [
            name for name in (*self.needed, *self.optional) if name.startswith(beginning) and name not in self.alone
        ]

    def with_branches(self, branches: Mapping[str, str], kind: str) -> "Quantities":
        """Return the quantities with the branches and collections that the user names.

        Args:
            branches: branch by quantity, or collection of the file by collection.
            kind: name of the format, for the message.

        Raises:
            ConfigError: if a name is neither a quantity nor a collection.
        """
        known = {*self.needed, *self.optional, *self.collections}
        if unknown := sorted(set(branches) - known):
            raise ConfigError(
                f"import.branches names {', '.join(unknown)}, but the quantities of {kind} are: "
                f"{', '.join(sorted(known - set(self.collections)))}; and its collections: "
                f"{', '.join(self.collections)}"
            )
        tables: list[dict[str, Sequence[str]]] = [dict(self.needed), dict(self.optional)]
        for name in sorted(branches, key=lambda name: name not in self.collections):  # single branches come last
            for table in tables:
                if name in table:
                    table[name] = (branches[name],)
                elif name in self.collections:
                    for quantity in set(self.of_collection(name)) & set(table):
                        table[quantity] = _moved(table[quantity], branches[name])
        return Quantities(tables[0], tables[1], self.collections, self.alone)


def _moved(candidates: Sequence[str], collection: str) -> Sequence[str]:
    parts = [match.groups() for name in candidates if (match := _COLLECTION.match(name))]
    return tuple(dict.fromkeys(f"{collection}{separator}{rest}" for _, separator, rest in parts))


@dataclass(frozen=True)
class Found:
    """The branches of one file.

    Attributes:
        file: the file.
        names: branch of each quantity that it has.
        entries: number of its events.
    """

    file: EventFile
    names: Names
    entries: int


def found_in(tree: Tree, quantities: Quantities, like: Found | None = None) -> Found:
    """Find the branch of each quantity among its candidates.

    Args:
        tree: of an open file.
        quantities: what is looked for.
        like: another file of the sample, for messages.

    Raises:
        EventFileError: if a needed quantity is missing, or the quantities of a collection come from two collections.
    """
    names: dict[str, str] = {}
    for quantity, candidates in {**quantities.optional, **quantities.needed}.items():
        branch = next((name for name in candidates if name in tree.branches), None)
        if branch is not None:
            names[quantity] = branch
        elif quantity in quantities.needed:
            raise EventFileError(_missing(tree, quantity, candidates, quantities, like))
    for collection in quantities.collections:
        _check_one_collection(tree, names, collection, quantities.of_collection(collection))
    return Found(tree.file, names, tree.entries)


def _missing(tree: Tree, quantity: str, candidates: Sequence[str], quantities: Quantities, like: Found | None) -> str:
    there = [name for name in tree.branches if not _COUNTER(name)]
    similar = difflib.get_close_matches(candidates[0], there, n=5, cutoff=0.5)
    also = "" if like is None or quantity not in like.names else f" ({like.file} has {like.names[quantity]})"
    remedy = f"`{quantity}: <branch>`"
    for collection in quantities.collections:
        if quantity in quantities.of_collection(collection):
            remedy += f", or its whole collection: `{collection}: <collection>`"
    return (
        f"{tree.file} lacks the branch {' or '.join(candidates)} ({quantity}){also}; similar ones there: "
        f"{', '.join(similar) or 'none'}. Name the right one under import.branches: {remedy}"
    )


def _check_one_collection(tree: Tree, names: Names, collection: str, quantities: Sequence[str]) -> None:
    """Refuse branches of two collections: their objects are not the same, even if there are equally many."""
    here = [quantity for quantity in quantities if quantity in names]
    for other in here[1:]:
        first, second = names[here[0]], names[other]
        if _of_one(tree, first, second):
            continue
        raise EventFileError(
            f"{tree.file}: {here[0]} would be read from {first}, but {other} from {second}: these are two collections, "
            f"whose objects are not the same. Name one collection for all under import.branches: "
            f"`{collection}: <collection>`, or the branch of each"
        )


def _of_one(tree: Tree, first: str, second: str) -> bool:
    one, two = _COLLECTION.match(first), _COLLECTION.match(second)
    if one is not None and two is not None and one[1] == two[1]:
        return True
    counter = tree.counter(first)
    return counter is not None and counter == tree.counter(second)


def one_schema(found: Sequence[Found], notes: Notes, same: frozenset[str] = frozenset()) -> Names:
    """Return the branches that all files of a sample have; files without events do not count.

    A needed quantity must be in the branch of the same name everywhere. An optional one that some files lack is left
    out for all of them, with a warning.

    Args:
        found: branches of each file.
        notes: told the warnings.
        same: optional quantities that must be in all files or in none.

    Raises:
        EventFileError: if the files differ otherwise, naming both; or if there are no events.
    """
    filled = [one for one in found if one.entries]
    if not filled:
        raise EventFileError(f"{found[0].file}: there is no event in the files of the sample")
    first, common = filled[0], dict(filled[0].names)
    for other in filled[1:]:
        for quantity in {**first.names, **other.names}:
            here, there = first.names.get(quantity), other.names.get(quantity)
            if here == there:
                continue
            if here is not None and there is not None:
                raise EventFileError(_differ(first, other, quantity))
            has, lacks = (first, other) if here is not None else (other, first)
            if quantity in same:
                raise EventFileError(
                    f"the files of the sample differ: {has.file} has {has.names[quantity]} ({quantity}), {lacks.file} "
                    "does not. Import them as two samples, or get a complete copy of the second"
                )
            common.pop(quantity, None)
            notes.warn(
                f"{quantity} is left out of the sample: {has.file} has it ({has.names[quantity]}), {lacks.file} does "
                "not"
            )
    return {quantity: branch for quantity, branch in common.items() if all(quantity in one.names for one in filled)}


def _differ(first: Found, other: Found, quantity: str) -> str:
    why = (
        "a working point belongs to one discriminator. Import them as two samples, or name a branch that both have "
        "with import.btag.branch"
        if quantity == "jet_btag"
        else f"import them as two samples, or name a branch that both have under import.branches: `{quantity}: ...`"
    )
    return (
        f"the files of the sample differ: {first.file} has {quantity} in {first.names[quantity]}, {other.file} in "
        f"{other.names[quantity]}; {why}"
    )
