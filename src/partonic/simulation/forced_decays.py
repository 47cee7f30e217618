"""Choosing the decays of the two W bosons of a top pair, event by event.

Pythia's decay channels have a mode: on, off, or on for the particle or the antiparticle only. In the semileptonic case
the modes of the W channels are swapped between "W⁺ → ℓν, W⁻ → qq̄'" and its mirror image for each event by a recorded
generator, so that both are equally frequent; the factor of two for the mirror image is in the branching fraction.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Bool

from partonic.config.simulation import DecayConfig
from partonic.errors import ConfigError

__all__ = ["WDecays", "branching_fraction", "forced_resonances"]

_OFF, _ON, _PARTICLE, _ANTIPARTICLE = 0, 1, 2, 3
_LEPTON_PDG = {"e": 11, "mu": 13, "tau": 15}
_HIGGS, _TOP, _W = 25, 6, 24


def forced_resonances(decays: DecayConfig) -> tuple[int, ...]:
    """Return the PDG identifiers of the resonances whose decays are forced."""
    higgs = () if decays.higgs == "inclusive" else (_HIGGS,)
    tops = () if decays.tops == "inclusive" else (_TOP, -_TOP, _W, -_W)
    return higgs + tops


def branching_fraction(decays: DecayConfig, final_state: Sequence[int]) -> float:
    """Return the fraction of the decays of a hard process that is forced; only what the process contains counts.

    Args:
        decays: decays asked for.
        final_state: PDG identifiers of the final state of the hard process, tops and H undecayed.

    Raises:
        ConfigError: if decays of W bosons are forced and those of the process are not just the ones of a top pair.
    """
    higgs = decays.higgs_fraction ** final_state.count(_HIGGS)
    sources = sorted(pdg for pdg in final_state if abs(pdg) in (_TOP, _W))
    if decays.tops == "inclusive" or not sources:
        return higgs
    if sources != [-_TOP, _TOP]:
        raise ConfigError(
            f"simulation.decays.tops: {decays.tops} needs one top pair, but the process has t and W {sources}: the "
            "branching fraction is not known. Use tops: inclusive"
        )
    return higgs * decays.top_pair_fraction


class WDecays:
    """The switch of Pythia's W decay channels."""

    def __init__(self, pythia: Any, config: DecayConfig) -> None:
        """Take hold of the W channels of an initialised Pythia."""
        entry = pythia.particleData.findParticle(24)
        self._channels = [entry.channel(index) for index in range(entry.sizeChannels())]
        self._kind = config.tops
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
            "all_hadronic": (_OFF, _ON),
            "inclusive": None,
        }[self._kind]
        if modes is None or modes == self._modes:
            return
        self._modes = modes
        for channel, leptonic, hadronic in zip(self._channels, self._leptonic, self._hadronic, strict=True):
            channel.onMode(modes[0] if leptonic else modes[1] if hadronic else _OFF)
