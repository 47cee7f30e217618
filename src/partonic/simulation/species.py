"""What a particle is to the detector, from its PDG identifier alone.

The numbering scheme (Review of Particle Physics, "Monte Carlo particle numbering scheme") holds the quark content of
hadrons in the digits n_q1 n_q2 n_q3 of ± n n_r n_L n_q1 n_q2 n_q3 n_J, so charge and heavy flavour follow from it.
"""

from enum import IntEnum
from functools import cache

import numpy as np
from jaxtyping import Bool, Int

__all__ = ["Species", "has_heavy_quark", "species_of"]


class Species(IntEnum):
    """Kinds of particles that the detector tells apart."""

    INVISIBLE = 0
    CHARGED_HADRON = 1
    ELECTRON = 2
    MUON = 3
    PHOTON = 4
    NEUTRAL_HADRON = 5
    STRANGE_NEUTRAL = 6


_TABLE = 10_000

_LEPTONS_AND_BOSONS = {
    11: Species.ELECTRON, 13: Species.MUON, 22: Species.PHOTON, 15: Species.CHARGED_HADRON,
    24: Species.CHARGED_HADRON, 37: Species.CHARGED_HADRON, 12: Species.INVISIBLE, 14: Species.INVISIBLE,
    16: Species.INVISIBLE, 18: Species.INVISIBLE, 39: Species.INVISIBLE, 1000022: Species.INVISIBLE,
    1000039: Species.INVISIBLE, 310: Species.STRANGE_NEUTRAL, 3122: Species.STRANGE_NEUTRAL,
}  # fmt: skip


def species_of(pdg: Int[np.ndarray, " particles"]) -> Int[np.ndarray, " particles"]:
    """Return the `Species` of each particle.

    Unstable charged particles that a source leaves undecayed count as charged hadrons, quarks and gluons (events
    without hadronization) as neutral hadrons, whatever is unknown and neutral as neutral hadrons too.
    """
    size = np.abs(pdg)
    rare = size >= _TABLE
    species = _common_species()[np.where(rare, 0, size)]
    if rare.any():
        kinds, inverse = np.unique(size[rare], return_inverse=True)
        species[rare] = np.array([_species(int(kind)) for kind in kinds], dtype=np.int8)[inverse]
    return species


@cache
def _common_species() -> Int[np.ndarray, " identifiers"]:
    """Species of all identifiers below `_TABLE`, which all common particles are: looking up is faster than sorting."""
    return np.array([_species(pdg) for pdg in range(_TABLE)], dtype=np.int8)


def _species(pdg: int) -> Species:
    if pdg in _LEPTONS_AND_BOSONS:
        return _LEPTONS_AND_BOSONS[pdg]
    return Species.CHARGED_HADRON if charge_in_thirds(pdg) else Species.NEUTRAL_HADRON


def charge_in_thirds(pdg: int) -> int:
    """Return three times the charge of the hadron or nucleus `pdg` (in units of e), 0 for partons and the rest."""
    if pdg > 1_000_000_000:
        return 3 * (pdg // 10_000 % 1000)
    first, second, third = (pdg // place % 10 for place in (1000, 100, 10))
    if pdg < 100 or not third:
        return 0
    if first:
        return _thirds(first) + _thirds(second) + _thirds(third)
    return abs(_thirds(second) - _thirds(third))


def _thirds(quark: int) -> int:
    return 2 if quark % 2 == 0 else -1


def has_heavy_quark(pdg: Int[np.ndarray, " particles"], quark: int) -> Bool[np.ndarray, " particles"]:
    """Return which particles are hadrons whose heaviest quark is `quark` (4 or 5)."""
    size = np.abs(pdg)
    heaviest = np.maximum(size // 100 % 10, size // 1000 % 10)
    result: Bool[np.ndarray, " particles"] = (size > 100) & (size < 1_000_000) & (heaviest == quark)
    return result
