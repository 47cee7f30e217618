"""Decays of tops as part of the matrix element: what processes with tops share.

The section `process.top_decays`, flavours and colours of the products, places in the final state, resonances.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any, Final, Literal

from pydantic import Field, model_validator

from partonic.config.base import SettingError, StrictModel
from partonic.config.decays import W_HADRONIC_FRACTION, W_LEPTONIC_FRACTION
from partonic.processes.decay_tree import Resonance

if TYPE_CHECKING:
    from torch import Tensor

    from partonic.physics.amplitudes.top_decay import TopDecay
    from partonic.physics.particles import Particle
    from partonic.physics.phasespace.decayed_tops import DecayedTopsCube, ProductionCube

__all__ = ["DecayedTop", "TopDecayConfig", "TopPairDecayConfig", "chain_of", "check_top_decays", "decayed_tops_cube",
           "flavours_of_w", "products_of", "resonances_of", "without_tops"]  # fmt: skip

Kind = Literal["leptonic", "hadronic"]

_LEPTONS: Final = {"e": 11, "mu": 13, "tau": 15}
_QUARKS: Final = (1, 3)
"""d and s: the matrix of quark mixing is the unit matrix."""


class TopDecayConfig(StrictModel):
    """The section `process.top_decays`: how t → b f f̄' enters the matrix element. Products are massless. In GeV."""

    leptons: tuple[Literal["e", "mu", "tau"], ...] = Field(default=("e", "mu"), min_length=1)
    """Lepton flavours of leptonic decays."""
    top_width: float = Field(default=1.42, gt=0.0)
    """Γ_t: the shape of the mass of the products of a top. Their rate is that of the branching fraction of the W."""
    w_width: float = Field(default=2.085, gt=0.0)
    """Γ_W: the shape of the mass of the products of the W."""
    mass_window: float = Field(default=21.3, gt=0.0)
    """Largest distance of the mass of a top's products from the pole mass: 15 widths."""

    @model_validator(mode="after")
    def _each_flavour_once(self) -> "TopDecayConfig":
        if len(set(self.leptons)) != len(self.leptons):
            raise SettingError(("leptons",), f"a flavour is listed twice in {list(self.leptons)}")
        return self


class TopPairDecayConfig(TopDecayConfig):
    """How the decays of t and t̄ enter the matrix element. Products are massless. Widths and masses in GeV."""

    tops: Literal["semileptonic", "dilepton", "all_hadronic"] = "semileptonic"
    """Decays of the W bosons of the tops."""
    w_mass: float = Field(default=80.379, gt=0.0)
    """Pole mass of the W."""

    @property
    def kinds(self) -> tuple[tuple[Kind, Kind], ...]:
        """Kinds of decay of t and t̄; two choices where the mirror image differs."""
        mixed: tuple[tuple[Kind, Kind], ...] = (("leptonic", "hadronic"), ("hadronic", "leptonic"))
        same: dict[str, Kind] = {"dilepton": "leptonic", "all_hadronic": "hadronic"}
        return mixed if self.tops == "semileptonic" else ((same[self.tops], same[self.tops]),)

    @property
    def flavours(self) -> tuple[tuple[tuple[int, float], tuple[int, float]], ...]:
        """Fermions of isospin −½ from the W of t and of t̄ in all decays, with the branching fraction of each W."""
        return tuple(
            pair
            for of_top, of_antitop in self.kinds
            for pair in product(flavours_of_w(of_top, self.leptons), flavours_of_w(of_antitop, self.leptons))
        )


def check_top_decays(decays: str, section: TopDecayConfig) -> None:
    """Check that the section `top_decays` says something only if its decays are in the matrix element.

    Args:
        decays: key `decays` of the section `process`.
        section: key `top_decays`.

    Raises:
        SettingError: if the shower decays the tops, and the section is not that of a file without it.
    """
    if decays == "shower" and section != type(section)():
        message = "is about decays in the matrix element: add decays: in_matrix_element, or leave this section out"
        raise SettingError(("top_decays",), message)


@dataclass(frozen=True)
class DecayedTop:
    """A top with a decay to one flavour as part of an amplitude.

    Attributes:
        chain: the amplitude of the decay.
        down: PDG id of its fermion of isospin −½: 11, 13, 15, 1 or 3.
        branching_fraction: of the decay to this flavour.
    """

    chain: "TopDecay"
    down: int
    branching_fraction: float

    def products(self, sign: int) -> tuple[int, int, int]:
        """Return the PDG ids of the products of t (`sign` 1) or t̄ (−1): b, f of isospin −½, f of isospin ½."""
        return 5 * sign, -sign * self.down, sign * (self.down + 1)

    def colours(self, top: tuple[int, int], line: int) -> tuple[tuple[int, int], ...]:
        """Return the colour lines of the products of a top with the lines `top`; `line` is that of quarks of the W."""
        if self.down not in _QUARKS:
            return top, (0, 0), (0, 0)
        pair = (0, line), (line, 0)
        return (top, *pair) if top[0] else (top, pair[1], pair[0])

    def row(self, products: "Tensor") -> "Tensor":
        """Return the row of a decayed t for momenta `(3, 4, N)`, as `TopDecay.row` for this branching fraction."""
        return self.chain.row(products) * math.sqrt(self.branching_fraction)

    def column(self, products: "Tensor") -> "Tensor":
        """Return the column of a decayed t̄ likewise."""
        return self.chain.column(products) * math.sqrt(self.branching_fraction)


def chain_of(section: TopDecayConfig, top_mass: float, w_mass: float) -> "TopDecay":
    """Return the amplitude of the decay for masses in GeV.

    Raises:
        ProcessError: if the window reaches masses at which no W is produced.
    """
    from partonic.physics.amplitudes.top_decay import TopDecay

    return TopDecay(top_mass, section.top_width, w_mass, section.w_width, section.mass_window)


def decayed_tops_cube(chain: "TopDecay", production: "ProductionCube", tops: tuple[int, ...]) -> "DecayedTopsCube":
    """Return the map of the unit cube for the decays of tops at these places of a production."""
    from partonic.physics.phasespace.decayed_tops import DecayedTopsCube
    from partonic.physics.phasespace.top_decay import TopDecayMap

    decay = TopDecayMap(chain.w_mass, chain.w_width)
    return DecayedTopsCube(production, tops, chain.top_mass, chain.top_width, chain.mass_range, decay)


def flavours_of_w(kind: Kind, leptons: tuple[str, ...]) -> tuple[tuple[int, float], ...]:
    """Return the fermions of isospin −½ to which a W decays, with the branching fraction of each."""
    if kind == "leptonic":
        return tuple((_LEPTONS[name], W_LEPTONIC_FRACTION) for name in leptons)
    return tuple((quark, W_HADRONIC_FRACTION / len(_QUARKS)) for quark in _QUARKS)


def products_of(top: str, kind: Kind, leptons: tuple[str, ...], sign: int = 1) -> "tuple[Particle, ...]":
    """Return the products of a top as particles of a final state, with the ids of the first flavour.

    Args:
        top: its name, to which that of each product refers: ``b_t``, ``down_t`` (charged lepton or down-type quark)
            and ``up_t`` (neutrino or up-type quark).
        kind: of decay.
        leptons: flavours of leptonic decays.
        sign: 1 for t, −1 for t̄.
    """
    from partonic.physics.particles import Particle

    down = flavours_of_w(kind, leptons)[0][0]
    ids = 5 * sign, -sign * down, sign * (down + 1)
    return tuple(Particle(f"{name}_{top}", pdg) for name, pdg in zip(("b", "down", "up"), ids, strict=True))


def resonances_of(top: str, w: str, signs: tuple[int, ...], first: int) -> tuple[Resonance, ...]:
    """Return a top and its W as resonances of the matrix element whose products begin at place `first`."""
    return (
        Resonance(top, tuple(6 * sign for sign in signs), (first, first + 1, first + 2), "matrix element"),
        Resonance(w, tuple(24 * sign for sign in signs), (first + 1, first + 2), "matrix element"),
    )


def without_tops(sections: Mapping[str, Any]) -> dict[str, Any]:
    """Return sections of an analysis file without what they ask of the shower's decays of tops."""
    simulation = sections.get("simulation", {})
    decays = {key: value for key, value in simulation.get("decays", {}).items() if key == "higgs"}
    return {**sections, "simulation": {**simulation, "decays": decays}}
