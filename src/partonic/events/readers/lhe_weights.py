"""The further weights of Les Houches files: which there are, what they mean, and in which columns they are kept."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from partonic.config.importing import ImportConfig
from partonic.errors import EventFileError
from partonic.events.readers.lhe_sample import LheSection
from partonic.events.readers.notes import Notes
from partonic.events.readers.source import kept_weights
from partonic.events.text.lhe_numbers import named_weights, unnamed_weights
from partonic.events.weights import column_name, distinct_columns

__all__ = ["LheWeights", "WeightReader", "check_same_meaning", "weights_of"]


@dataclass(frozen=True)
class LheWeights:
    """The weights of a document.

    Attributes:
        columns: name of the column of each weight, by identifier, in the order of the file.
        texts: what the header says of it, empty where nothing.
    """

    columns: Mapping[str, str]
    texts: Mapping[str, str]

    def kept(self, config: ImportConfig, needed: Sequence[str]) -> dict[str, str]:
        """Return columns of the extra weights that are kept, by identifier; those in `needed` are none of them."""
        return {
            name: column
            for name, column in self.columns.items()
            if name not in needed and kept_weights(config, [column])
        }


def weights_of(section: LheSection, notes: Notes) -> LheWeights:
    """Return the weights that the header of a document declares, and those that its first event has besides.

    Raises:
        EventFileError: if the header or the weights of the first event are malformed.
    """
    declared = section.header.weights
    columns = {name: column_name(weight.group, name) for name, weight in declared.items()}
    texts = {name: weight.text for name, weight in declared.items()}
    if section.first_event is not None:
        reader = WeightReader(tuple(declared))
        try:
            for name in reader.found(section.first_event):
                columns.setdefault(name, column_name(name))
                texts.setdefault(name, "")
        except ValueError as error:
            raise EventFileError(f"{section.where}: event 0 (the first is 0) is malformed: {error}") from error
        if reader.unread:
            notes.warn(
                f"{section.where}: its events have a list <weights> of {reader.unread} numbers beside {len(declared)} "
                "named weights; what they mean is not said, and they are not kept"
            )
    return LheWeights(distinct_columns(columns), texts)


class WeightReader:
    """Reads the named weights of events.

    Attributes:
        unread: length of a list of weights without names that could not be given any; 0 if there was none.
    """

    def __init__(self, declared: Sequence[str]) -> None:
        """Read weights of events whose header declares these, in this order."""
        self.declared = tuple(declared)
        self.unread = 0

    def found(self, text: bytes) -> Mapping[str, float]:
        """Return the weights of an event by identifier.

        The list ``<weights>`` has no names; its numbers are those of the weights that the header declares, in their
        order, or numbered from 0 where it declares none.

        Raises:
            ValueError: if a weight is malformed, or the list is all there is and has another length.
        """
        named = named_weights(text)
        listed = unnamed_weights(text)
        if not listed:
            return named
        names = self.declared or (tuple(str(index) for index in range(len(listed))) if not named else ())
        if len(names) == len(listed):
            return {**dict(zip(names, listed, strict=True)), **named}
        if not named:
            message = f"its list <weights> has {len(listed)} numbers, but the header declares {len(names)} weights"
            raise ValueError(message)
        self.unread = len(listed)
        return named

    def values(self, text: bytes, names: Sequence[str], where: str) -> list[float]:
        """Return the weights of an event with these names, in the units of the file.

        Raises:
            EventFileError: if it lacks one.
            ValueError: if a weight is malformed.
        """
        if not names:
            return []
        found = self.found(text)
        try:
            return [found[name] for name in names]
        except KeyError as error:
            raise EventFileError(
                f"{where} lacks the weight '{error.args[0]}'; it has {len(found)} weights: "
                f"{', '.join(list(found)[:10]) or 'none'}. Repair the file, or leave that weight out with "
                "`extra_weights` or `weight_points`"
            ) from error


def check_same_meaning(
    sections: Sequence[LheSection], weights: Sequence[LheWeights], config: ImportConfig, needed: Sequence[str]
) -> None:
    """Check that the weights that are read mean the same in all documents.

    Args:
        sections: documents that have events.
        weights: their weights.
        config: the section `import`.
        needed: identifiers of the weights at θ points.

    Raises:
        EventFileError: naming two documents and the weight that differs.
    """
    first, reference = sections[0], weights[0]
    wanted = dict.fromkeys(chain(needed, reference.kept(config, needed)))
    for section, other in zip(sections[1:], weights[1:], strict=True):
        for name in dict.fromkeys(chain(wanted, other.kept(config, needed))):
            one, two = reference.texts.get(name), other.texts.get(name)
            if one == two and name in wanted:
                continue
            if one is not None and two is not None:
                difference = f"give the weight '{name}' different meanings: '{one}' and '{two}'"
            else:
                has, lacks = (first, section) if two is None else (section, first)
                difference = f"have different weights: {has.where} has '{name}', {lacks.where} does not"
            remedy = "" if name in needed else ", or leave the weight out with import.extra_weights"
            raise EventFileError(
                f"{first.where} and {section.where} {difference}. Import them as separate samples{remedy}"
            )
