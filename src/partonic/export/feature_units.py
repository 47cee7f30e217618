"""Units of features by their names, as far as the package states them."""

import re

from partonic.events.columns import PHOTONS, event_columns
from partonic.features.high_level import FEATURES
from partonic.polynomial import Monomials

__all__ = ["feature_unit"]

_PURE = re.compile(r"^(jets|tagged_jets)$|_eta$|_delta_r$")
_PLACE = re.compile(r"^(\w+)\[\d+\]$")
_LOGARITHM = re.compile(r"^log\((.+)\)$")
_OTHERS = {"met_px": "GeV", "met_py": "GeV", "s_hat": "GeV^2", "t_hat": "GeV^2", "u_hat": "GeV^2"}


def feature_unit(name: str) -> str | None:
    """Return the unit of a feature (`partonic.features.named`), empty for pure numbers.

    None for an observable that a process or a study of objects defines: what it is in stands with its definition.
    """
    if inner := _LOGARITHM.match(name):
        unit = feature_unit(inner[1])
        return f"log of {unit}" if unit else unit
    if name in FEATURES:
        return "" if _PURE.search(name) else "GeV"
    if name in _OTHERS:
        return _OTHERS[name]
    place = _PLACE.match(name)
    units = {each.name: each.unit for each in (*event_columns(1, Monomials.constant(), ()), *PHOTONS)}
    return units.get(place[1] if place else name)
