"""Names of features that are coefficients of another estimator.

An analysis file says ``mem:ratios`` for all ratios R_a of the estimator ``mem``, or ``mem:errors`` for the errors that
it states of them; written out they are ``mem:R[theta^2]`` and ``mem:error[theta^2]``.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from partonic.errors import ConfigError
from partonic.polynomial import Monomials

__all__ = ["CoefficientName", "expanded_names", "is_coefficient", "sources_of"]

_ALL = {"ratios": "R", "errors": "error"}
_ONE = re.compile(r"^(\w+):(R|error)\[(.+)\]$")


@dataclass(frozen=True)
class CoefficientName:
    """One number of the coefficients of an event.

    Attributes:
        source: name of the estimator.
        kind: ``R`` for a ratio, ``error`` for its error.
        monomial: whose.
    """

    source: str
    kind: str
    monomial: str

    @classmethod
    def parse(cls, name: str) -> "CoefficientName":
        """Return what the name of a feature means.

        Raises:
            ConfigError: if it is none of coefficients.
        """
        if found := _ONE.match(name):
            return cls(*found.groups())
        raise ConfigError(
            f"there is no feature '{name}' of coefficients: expected e.g. `mem:ratios`, `mem:errors` or "
            "`mem:R[monomial]`, with the name of an estimator or of a key in `sbi.coefficients` before the colon"
        )


def is_coefficient(name: str) -> bool:
    """Return whether the name of a feature is one of coefficients."""
    return ":" in name


def sources_of(names: Sequence[str]) -> tuple[str, ...]:
    """Return the names of the estimators whose coefficients are among the features, each once."""
    return tuple(dict.fromkeys(name.partition(":")[0] for name in names if is_coefficient(name)))


def expanded_names(names: Sequence[str], monomials: Mapping[str, Monomials]) -> tuple[str, ...]:
    """Return the names of features with all coefficients written out.

    The first monomial is left out where it is 1: its ratio is 1 in every event.

    Args:
        names: as in an analysis file.
        monomials: of the coefficients of each estimator.
    """
    found: list[str] = []
    for name in names:
        source, _, what = name.partition(":")
        if not is_coefficient(name) or what not in _ALL:
            found.append(name)
            continue
        of_source = monomials[source]
        first = int(not any(of_source.exponents[0]))
        found += [f"{source}:{_ALL[what]}[{each}]" for each in of_source.names[first:]]
    return tuple(found)
