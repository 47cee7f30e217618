"""Text in letters that a terminal has: ``sigma`` for σ and ``+-`` for ± where its encoding lacks them."""

from collections.abc import Mapping
from typing import Final

__all__ = ["in_encoding"]

_WORDS: Final[Mapping[str, str]] = {
    "−": "-", "±": "+-", "∪": "or", "√": "sqrt ", "≥": ">=", "≤": "<=", "·": "*", "×": "x", "→": "->", "–": "-",
    "…": "...", "≈": "~", "∞": "inf", "’": "'", "°": "deg",
    "α": "alpha", "δ": "delta", "η": "eta", "θ": "theta", "κ": "kappa", "μ": "mu", "ν": "nu", "π": "pi", "ρ": "rho",
    "σ": "sigma", "τ": "tau", "φ": "phi", "χ": "chi", "Δ": "Delta", "Λ": "Lambda", "Σ": "Sigma", "ℓ": "l",
    "\N{COMBINING TILDE}": "_tilde", "\N{COMBINING MACRON}": "bar", "\N{COMBINING CIRCUMFLEX ACCENT}": "_hat",
    "⁻": "^-", "⁰": "0", "¹": "1", "₀": "0", "₁": "1", "₂": "2", "²": "^2", "³": "^3", "⁴": "^4",
}  # fmt: skip
"""A superscript 0 or 1 has a sign or another digit before it (10⁰ is written as 1)."""


def in_encoding(text: str, encoding: str | None) -> str:
    """Return a text with letters that `encoding` lacks written out, and those without a word for them as ``?``.

    Args:
        text: what is to be read by people.
        encoding: of the stream; None or an unknown one: ASCII.
    """
    known = encoding or "ascii"
    try:
        text.encode(known)
    except LookupError:
        known = "ascii"
    except UnicodeEncodeError:
        pass
    else:
        return text
    return "".join(_written(letter, known) for letter in text)


def _written(letter: str, encoding: str) -> str:
    try:
        letter.encode(encoding)
    except UnicodeEncodeError:
        return _WORDS.get(letter, "?")
    return letter
