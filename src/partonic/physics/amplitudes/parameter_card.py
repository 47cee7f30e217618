"""Parameter cards in the SUSY Les Houches format (hep-ph/0311123), as MadGraph libraries read them.

Only what a matrix element needs: values by name, and the same card with some of them changed. An entry is known by the
first word of its comment, which is the model's own name (``MT``, ``ctG``), and by block and codes (``MASS_6``).
"""

import difflib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from partonic.errors import ParameterError, ProcessError

__all__ = ["ParameterCard"]


@dataclass(frozen=True)
class _Entry:
    line: int
    field: int  # which word of the line is the value
    value: float


@dataclass(frozen=True)
class ParameterCard:
    """The text of a parameter card and where its values stand.

    Attributes:
        text: the lines of the card.
        entries: place and value of each parameter by its name.
        aliases: the names of the form ``BLOCK_code``, and the name each stands for.
    """

    text: tuple[str, ...]
    entries: Mapping[str, _Entry]
    aliases: Mapping[str, str]

    @classmethod
    def read(cls, path: Path) -> "ParameterCard":
        """Read a card.

        Raises:
            ProcessError: if the file is missing or holds no parameter.
        """
        if not path.is_file():
            raise ProcessError(f"parameter card not found: {path}; MadGraph writes it as Cards/param_card.dat")
        lines = tuple(path.read_text(encoding="utf-8").splitlines())
        entries: dict[str, _Entry] = {}
        aliases: dict[str, str] = {}
        block = ""
        for number, line in enumerate(lines):
            words, comment = _split(line)
            if words and words[0].lower() == "block":
                block = words[1].upper() if len(words) > 1 else ""
            found = _entry(number, words, block)
            if found is None:
                continue
            alias, entry = found
            name = comment if comment and comment not in entries else alias
            entries[name], aliases[alias] = entry, name
        if not entries:
            raise ProcessError(f"{path} is no parameter card: it holds no line like 'MASS ... 6 172.5 # MT'")
        return cls(lines, entries, aliases)

    @property
    def values(self) -> dict[str, float]:
        """The values by name, in GeV or as the model defines them."""
        return {name: entry.value for name, entry in self.entries.items()}

    def name(self, wanted: str) -> str:
        """Return the name of a parameter given by its name or as ``BLOCK_code``.

        Raises:
            ParameterError: if the card does not hold it.
        """
        name = self.aliases.get(wanted, wanted)
        if name not in self.entries:
            near = difflib.get_close_matches(wanted, [*self.entries, *self.aliases], n=3, cutoff=0.5)
            hint = f" (did you mean {' or '.join(near)}?)" if near else ""
            raise ParameterError(
                f"'{wanted}' is not on the parameter card{hint}. It holds: {', '.join(sorted(self.entries))}"
            )
        return name

    def changed(self, values: Mapping[str, float]) -> str:
        """Return the text of the card with new values.

        Raises:
            ParameterError: if a name is not on the card or a value is not finite.
        """
        lines = list(self.text)
        for wanted, value in values.items():
            entry = self.entries[self.name(wanted)]
            if not math.isfinite(value):
                raise ParameterError(f"parameter '{wanted}' must be finite, got {value}")
            words, _ = _split(lines[entry.line])
            words[entry.field] = f"{value:.17e}"
            comment = lines[entry.line].partition("#")[2]
            lines[entry.line] = "  " + " ".join(words) + (f" #{comment}" if comment else "")
        return "\n".join(lines) + "\n"


def _split(line: str) -> tuple[list[str], str]:
    """Return the words of a line and the first word of its comment."""
    body, _, comment = line.partition("#")
    return body.split(), next(iter(comment.split()), "")


def _entry(number: int, words: list[str], block: str) -> tuple[str, _Entry] | None:
    """Return the ``BLOCK_code`` name and the place of the parameter on a line, None if there is none."""
    if len(words) == 3 and words[0].lower() == "decay":
        codes, kind = words[1:2], "DECAY"
    elif len(words) >= 2 and block and not block.startswith("QNUMBERS"):
        codes, kind = words[:-1], block
    else:
        return None
    if not all(code.lstrip("-").isdigit() for code in codes):
        return None
    try:
        value = float(words[-1].lower().replace("d", "e"))
    except ValueError:
        return None
    return "_".join((kind, *codes)), _Entry(number, len(words) - 1, value)
