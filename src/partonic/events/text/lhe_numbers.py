"""The numbers of a Les Houches event: its first line, its particles, and its named weights."""

import html
import math
import re

__all__ = [
    "COLUMNS",
    "FACTS",
    "event_numbers",
    "fortran_number",
    "named_weights",
    "process_and_weight",
    "unnamed_weights",
]

FACTS = 6
"""Numbers of the first line: NUP, IDPRUP, XWGTUP, SCALUP, AQEDUP, AQCDUP."""

COLUMNS = 13
"""Numbers of a particle: IDUP, ISTUP, MOTHUP (2), ICOLUP (2), px, py, pz, E, m, VTIMUP, SPINUP."""

_FORTRAN = re.compile(rb"([+-]?(?:\d+\.?\d*|\.\d+))(?:[eEdDqQ]?([+-]\d+)|[eEdDqQ](\d+))?")
_COMMENT = re.compile(rb"#[^\n]*")
_ATTRIBUTES = rb"((?:\s+[\w:.-]+\s*=\s*(?:\"[^\"]*\"|'[^']*'))*)\s*"
_WEIGHT = re.compile(rb"<wgt" + _ATTRIBUTES + rb">([^<]*)</wgt\s*>")
_PLAIN = re.compile(rb"<wgt\s+id\s*=\s*(?:'([^'&]*)'|\"([^\"&]*)\")\s*>([^<]*)</wgt>")
_ID = re.compile(rb"\sid\s*=\s*(?:'([^']*)'|\"([^\"]*)\")")
_LIST = re.compile(rb"<weights(?:\s[^>]*)?>([^<]*)</weights\s*>")


def fortran_number(word: bytes) -> float:
    """Return a number as Fortran writes it: ``1.0D-01`` and, with three digits of exponent, ``1.0-101``.

    Raises:
        ValueError: if it is none, e.g. ``***`` where a number did not fit.
    """
    if b"_" not in word:  # Python takes 1_0 for 10
        try:
            return float(word)
        except ValueError:
            pass
    parts = _FORTRAN.fullmatch(word)
    if parts is None:
        raise ValueError(f"expected a number, got {word.decode(errors='replace')!r}")
    number, signed, unsigned = parts.groups()
    return float(number + b"e" + (signed or unsigned or b"0"))


def _numbers(block: bytes) -> list[float]:
    words = block.split()
    if b"_" not in block:
        try:
            return [float(word) for word in words]
        except ValueError:
            pass
    return [fortran_number(word) for word in words]


def _numeric_block(text: bytes) -> bytes:
    """Return the text before the first tag, without the lines that are comments."""
    block = text.partition(b"<")[0]
    return _COMMENT.sub(b"", block) if b"#" in block else block


def process_and_weight(text: bytes) -> tuple[int, float]:
    """Return IDPRUP and XWGTUP of an event from its first line.

    Raises:
        ValueError: if they are not there, or not finite.
    """
    words = text.split(None, 3)[:3]
    if len(words) < 3 or any(b"#" in word or b"<" in word for word in words):
        words = _numeric_block(text).split()[:3]
    if len(words) < 3:
        raise ValueError(f"it has {len(words)} numbers")
    process, weight = fortran_number(words[1]), fortran_number(words[2])
    if not process.is_integer():
        raise ValueError(f"its process IDPRUP is {process:g}, not a whole number")
    if not math.isfinite(weight):
        raise ValueError(f"its weight XWGTUP is {weight}")
    return int(process), weight


def event_numbers(text: bytes) -> list[float]:
    """Return all numbers of an event: 6, and 13 for each particle.

    Raises:
        ValueError: if something is no number, not finite, or there are more or less numbers than particles announced.
    """
    numbers = _numbers(_numeric_block(text))
    announced = numbers[0] if numbers else 0.0
    if not (announced >= 0 and announced.is_integer()):
        raise ValueError(f"its number of particles NUP is {announced:g}")
    expected = FACTS + COLUMNS * int(announced)
    if len(numbers) != expected:
        raise ValueError(
            f"expected {expected} finite numbers (6, and 13 for each of the {int(announced)} particles that it "
            f"announces), got {len(numbers)}"
        )
    if not math.isfinite(sum(numbers)):
        raise ValueError(
            f"expected {expected} finite numbers; a momentum, the weight, the scale or α_s is NaN or infinite"
        )
    return numbers


def named_weights(text: bytes) -> dict[str, float]:
    """Return the weights ``<wgt id=...>`` of an event by identifier; they may be NaN or infinite.

    Raises:
        ValueError: if one has no identifier or end, is no number, or comes twice with two values.
    """
    found = [(one or other, value) for one, other, value in _PLAIN.findall(text)]
    announced = text.count(b"<wgt")
    if len(found) != announced:
        found = _unusual_weights(text, announced)
    weights: dict[str, float] = {}
    for name, value in found:
        key = name.decode(errors="replace").strip()
        try:
            number = float(value)
        except ValueError:
            number = fortran_number(value.strip())
        if weights.setdefault(key, number) != number and not math.isnan(number):
            raise ValueError(f"it has the weight '{key}' twice, {weights[key]:g} and {number:g}")
    return weights


def _unusual_weights(text: bytes, announced: int) -> list[tuple[bytes, bytes]]:
    found = []
    for attributes, value in _WEIGHT.findall(text):
        identifier = _ID.search(attributes)
        if identifier is not None:
            name = (identifier[1] or identifier[2] or b"").decode(errors="replace")
            found.append((html.unescape(name).encode(), value))
    if len(found) != announced:
        raise ValueError(f"{announced - len(found)} of its {announced} weights <wgt> have no id or no end")
    return found


def unnamed_weights(text: bytes) -> list[float]:
    """Return the weights of the list ``<weights>`` of an event, empty if it has none.

    Raises:
        ValueError: if one is no number.
    """
    lists = _LIST.findall(text) if b"<weights" in text else []
    return [number for words in lists for number in _numbers(words)]
