"""Theory parameters as physicists write them in running text: κ̃_t for ``kappa_tilde_t``.

Files, options and analysis files have the ASCII names, and only these are read. Figures have their own, mathematical
labels (`partonic.report.labels`).
"""

import re
from collections.abc import Mapping
from typing import Final

__all__ = ["encoding_has_symbols", "parameter_text", "with_symbols"]

_SYMBOLS: Final[Mapping[str, str]] = {
    "delta_kappa_t": "δκ_t",
    "kappa_tilde_t": "κ̃_t",  # a tilde that combines with the κ before it
    "c_tG": "c_tG",
}

_SUPERSCRIPTS: Final = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")

# Not within a longer word, a path or the name of a file: those are to be copied as they are.
_NAME: Final = re.compile(rf"(?<![\w/.\-])({'|'.join(_SYMBOLS)})(?:\^(\d+))?(?![\w/\-]|\.\w)")


def parameter_text(name: str, unicode: bool = True) -> str:
    """Return a theory parameter as written in text, e.g. ``"κ̃_t"``; an unknown name as it is.

    Args:
        name: the ASCII name, e.g. ``"kappa_tilde_t"``.
        unicode: whether there may be other letters than ASCII.
    """
    return _SYMBOLS.get(name, name) if unicode else name


def with_symbols(text: str, unicode: bool = True) -> str:
    """Return a text with `parameter_text` in place of each ASCII name, and ``^2`` behind one as ``²``.

    Names within a path or a longer word stay.

    Args:
        text: what is to be read by people, e.g. the summary of a step.
        unicode: whether there may be other letters than ASCII; if not, the text is returned as it is.
    """
    return _NAME.sub(_symbol, text) if unicode else text


def encoding_has_symbols(encoding: str | None) -> bool:
    """Whether a stream with this encoding (None: unknown) can show what `parameter_text` returns."""
    try:
        "".join(_SYMBOLS.values()).encode(encoding or "ascii")
    except (LookupError, UnicodeEncodeError):
        return False
    return True


def _symbol(found: re.Match[str]) -> str:
    name, power = found.groups()
    return parameter_text(name) + (power or "").translate(_SUPERSCRIPTS)
