"""Choosing the decays of W and Z bosons, event by event where it must be.

Pythia's decay channels have a mode: on, off, or on for the particle or the antiparticle only. For a semileptonic top
pair the modes of the W channels are swapped between "W⁺ → ℓν, W⁻ → qq̄'" and its mirror image for each event by a
recorded generator, so that both are equally frequent; the factor of two for the mirror image is in the branching
fraction.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Bool

from partonic.config.decays import PAIR_DECAYS, SINGLE_TOP_DECAYS, DecayConfig
from partonic.errors import ConfigError

__all__ = ["WDecays", "branching_fraction", "decays_in_use", "forced_resonances"]

_OFF, _ON, _PARTICLE, _ANTIPARTICLE = 0, 1, 2, 3
_LEPTON_PDG = {"e": 11, "mu": 13, "tau": 15}
_HIGGS, _TOP, _W, _Z = 25, 6, 24, 23


def decays_in_use(decays: DecayConfig, final_state: Sequence[int]) -> DecayConfig:
    """Return the decays without what is asked of t, W and Z that the final state does not have.

    A W boson of the matrix element must keep its decay when the defaults speak of tops.

    Args:
        decays: decays asked for.
        final_state: PDG identifiers of the final state of the hard process, as they leave the matrix element.
    """
    there = {abs(pdg) for pdg in final_state}
    absent = {key: "inclusive" for key, pdg in (("tops", _TOP), ("w", _W), ("z", _Z)) if pdg not in there}
    return decays.model_copy(update=absent)


def forced_resonances(decays: DecayConfig) -> tuple[int, ...]:
    """Return the PDG identifiers of the resonances whose decays are forced."""
    higgs = () if decays.higgs == "inclusive" else (_HIGGS,)
    tops = () if decays.tops == "inclusive" else (_TOP, -_TOP)
    w_bosons = () if decays.tops == decays.w == "inclusive" else (_W, -_W)
    z_bosons = () if decays.z == "inclusive" else (_Z,)
    return higgs + tops + w_bosons + z_bosons


def branching_fraction(decays: DecayConfig, final_state: Sequence[int]) -> float:
    """Return the fraction of the decays of a hard process that is forced; only what the process contains counts.

    Args:
        decays: decays asked for.
        final_state: PDG identifiers of the final state of the hard process, as they leave the matrix element: what it
            decays itself is in its cross section.

    Raises:
        ConfigError: if the decays of tops do not fit their number, or W bosons come from tops and from elsewhere and
            only some of them are forced.
    """
    used = decays_in_use(decays, final_state)
    tops = sorted(pdg for pdg in final_state if abs(pdg) == _TOP)
    w_bosons = sum(abs(pdg) == _W for pdg in final_state)
    if tops and w_bosons and (used.tops, used.w) != ("inclusive", "inclusive"):
        raise ConfigError(
            f"simulation.decays: the process has {len(tops)} t and {w_bosons} W, whose W bosons can only be forced "
            f"together (tops: {used.tops}, w: {used.w}): the branching fraction is not known. Use inclusive for both"
        )
    others = used.higgs_fraction ** final_state.count(_HIGGS) * used.w_fraction**w_bosons
    return others * used.z_fraction ** final_state.count(_Z) * _top_fraction(used, tops)


def _top_fraction(decays: DecayConfig, tops: Sequence[int]) -> float:
    if decays.tops == "inclusive":
        return 1.0
    if tops == [-_TOP, _TOP] and decays.tops in PAIR_DECAYS:
        return decays.top_pair_fraction
    if len(tops) == 1 and decays.tops in SINGLE_TOP_DECAYS:
        return decays.single_top_fraction
    needed = "one top pair" if decays.tops in PAIR_DECAYS else "exactly one top"
    raise ConfigError(
        f"simulation.decays.tops: {decays.tops} needs {needed}, but the process has t and t̄ {tops}: the branching "
        f"fraction is not known. Use {', '.join(SINGLE_TOP_DECAYS if len(tops) == 1 else PAIR_DECAYS)} for one top or "
        "a pair, and inclusive otherwise"
    )


class WDecays:
    """The switch of Pythia's W decay channels."""

    def __init__(self, pythia: Any, config: DecayConfig) -> None:
        """Take hold of the W channels of an initialised Pythia; `config` are the decays in use."""
        entry = pythia.particleData.findParticle(24)
        self._channels = [entry.channel(index) for index in range(entry.sizeChannels())]
        self._kind = config.w if config.tops == "inclusive" else config.tops
        wanted = {_LEPTON_PDG[name] for name in config.leptons}
        products = [
            {abs(channel.product(index)) for index in range(channel.multiplicity())} for channel in self._channels
        ]
        self._leptonic = [bool(of_channel & wanted) for of_channel in products]
        self._hadronic = [max(of_channel) <= 5 for of_channel in products]
        self._modes: tuple[int, int] | None = None

    def draw(self, events: int, generator: np.random.Generator) -> Bool[np.ndarray, " events"]:
        """Draw for each event whether the W⁺ is the leptonic one (in the semileptonic case)."""
        return generator.random(events) < 0.5

    def choose(self, leptonic_plus: bool) -> None:
        """Set the channels for the next event."""
        modes = {
            "semileptonic": (_PARTICLE, _ANTIPARTICLE) if leptonic_plus else (_ANTIPARTICLE, _PARTICLE),
            "dilepton": (_ON, _OFF),
            "leptonic": (_ON, _OFF),
            "all_hadronic": (_OFF, _ON),
            "hadronic": (_OFF, _ON),
            "inclusive": None,
        }[self._kind]
        if modes is None or modes == self._modes:
            return
        self._modes = modes
        for channel, leptonic, hadronic in zip(self._channels, self._leptonic, self._hadronic, strict=True):
            channel.onMode(modes[0] if leptonic else modes[1] if hadronic else _OFF)
