"""The weights of HepMC files: which is the nominal one, and in which order each file has the others."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from partonic.config.importing import ImportConfig
from partonic.errors import EventFileError
from partonic.events.readers.hepmc.scan import HepmcSummary
from partonic.events.readers.nominal import nominal_position
from partonic.events.readers.notes import Notes
from partonic.events.readers.source import kept_weights
from partonic.events.weights import distinct_columns

__all__ = ["HepmcWeights", "weights_of_files"]


@dataclass(frozen=True)
class HepmcWeights:
    """The weights of the files of a sample.

    Attributes:
        nominal_rule: a sentence that says which weight is the nominal one, and why.
        others: names of the others, in the order of the first file.
        orders: for each file the places of the nominal weight and the others; empty for events without weights.
    """

    nominal_rule: str
    others: tuple[str, ...]
    orders: tuple[tuple[int, ...], ...]

    def order(self, file: int) -> list[int]:
        """Return the places of the nominal weight and of the others in a file."""
        return list(self.orders[file])

    def place(self, file: int) -> int | None:
        """Return the place of the nominal weight in a file, None for events without weights."""
        return self.orders[file][0] if self.orders[file] else None

    def total(self, file: int, found: HepmcSummary) -> float:
        """Return the sum of the nominal weights of a file, in its units; the number of events if it has no weights."""
        if not found.kept:
            return 0.0
        return found.totals[self.orders[file][0]] if self.orders[file] else float(found.kept)

    def kept(self, config: ImportConfig, needed: Sequence[str]) -> Mapping[str, str]:
        """Return the columns of the extra weights that are kept, by name."""
        extra = {name: name for name in self.others if name not in needed}
        columns = distinct_columns(extra)
        return {name: column for name, column in columns.items() if kept_weights(config, [column])}


def weights_of_files(
    files: Sequence[Path], summaries: Sequence[HepmcSummary], config: ImportConfig, notes: Notes
) -> HepmcWeights:
    """Find the nominal weight, and the weights that all files have.

    Args:
        files: the files of the sample.
        summaries: what the first pass found in each.
        config: the section `import`.
        notes: told of events without weights.

    Raises:
        EventFileError: if files have other weights than the first, a name stands for several, it is open which one is
            the nominal weight, or that is NaN or infinite in an event.
    """
    full = [index for index, found in enumerate(summaries) if found.count]
    first = full[0]
    names = summaries[first].names
    for index in full:
        these = summaries[index].names
        if sorted(these) != sorted(names):
            raise EventFileError(_different(files[first], names, files[index], these))
        if doubled := sorted({name for name in these if these.count(name) > 1}):
            raise EventFileError(
                f"{files[index]} has several weights with the name '{doubled[0]}', so it is not known which is which. "
                "Name them apart in the program that writes them"
            )
    if not names:
        notes.warn("the events have no weights; each one counts with the weight 1")
        return HepmcWeights("none: the events have no weights, and count with the weight 1", (), ((),) * len(files))
    position, rule = nominal_position(names, config.nominal_weight, str(files[first]))
    others = tuple(name for place, name in enumerate(names) if place != position)
    orders: list[tuple[int, ...]] = []
    for path, found in zip(files, summaries, strict=True):
        if not found.count:
            orders.append(tuple(range(len(names))))
            continue
        orders.append(tuple(found.names.index(name) for name in (names[position], *others)))
        if (event := found.not_finite.get(orders[-1][0])) is not None:
            raise EventFileError(
                f"{path}: event {event} (the first is 0) is malformed: its weight '{names[position]}', the nominal "
                "one, is NaN or infinite"
            )
    return HepmcWeights(rule, others, tuple(orders))


def _different(first: Path, names: Sequence[str], other: Path, found: Sequence[str]) -> str:
    more, less = (sorted(set(one) - set(two)) for one, two in ((found, names), (names, found)))
    said = [f"it has {len(found)}, that one {len(names)}"]
    said += [f"only {path} has {', '.join(list(group)[:5])}" for path, group in ((other, more), (first, less)) if group]
    return f"{other} has other weights than {first}: {'; '.join(said)}. Import them as separate samples"
