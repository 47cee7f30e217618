"""Cuts on lepton pairs, photons and missing transverse momentum, each with the name of its step in the cut flow."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int, Shaped

from partonic.config.selection import SelectionConfig

__all__ = ["Z_MASS", "Candidates", "CutObjects", "ObjectCut", "best_pair", "object_cuts", "pair_mass"]

Z_MASS = 91.1876
"""GeV (Review of Particle Physics 2024); the pair of leptons whose mass is nearest to it is that of the Z."""

_WIDTH = 4
"""Objects of an event that cuts look at, the hardest: as many leptons as can be asked for; two photons are enough."""


@dataclass(frozen=True)
class Candidates:
    """Leptons or photons of events, one after another, in any order.

    Attributes:
        pt: transverse momenta in GeV, `(K,)`.
        eta: pseudorapidities.
        phi: azimuths.
        pdg: PDG ids.
        event: index of the event of each.
    """

    pt: Float[np.ndarray, " objects"]
    eta: Float[np.ndarray, " objects"]
    phi: Float[np.ndarray, " objects"]
    pdg: Int[np.ndarray, " objects"]
    event: Int[np.ndarray, " objects"]

    @classmethod
    def none(cls) -> "Candidates":
        """Return no object at all."""
        nothing, none = np.zeros(0), np.zeros(0, dtype=np.int64)
        return cls(nothing, nothing, nothing, none, none)

    def select(self, mask: Bool[np.ndarray, " objects"]) -> "Candidates":
        """Return those for which `mask` is True."""
        return Candidates(**{name: values[mask] for name, values in vars(self).items()})

    def padded(self, events: int) -> Float[np.ndarray, "events slots 4"]:
        """Return pt, eta, phi and pdg of the hardest objects of each event, descending in pT, padded with zeros."""
        order = np.lexsort((-self.pt, self.event))
        event = self.event[order]
        begin = np.searchsorted(event, np.arange(events))
        rank = np.arange(len(event)) - begin[event]
        kept = rank < _WIDTH
        result = np.zeros((events, _WIDTH, 4))
        features = np.stack([self.pt, self.eta, self.phi, self.pdg], axis=-1)[order]
        result[event[kept], rank[kept]] = features[kept]
        return result


@dataclass(frozen=True)
class CutObjects:
    """What the cuts see of N events.

    Attributes:
        leptons: pt, eta, phi and pdg of the leptons that count, padded with zeros, descending in pT.
        photons: the same of the photons that count.
        photon_counts: how many there are.
        met: size and azimuth of the missing transverse momentum.
    """

    leptons: Float[np.ndarray, "events slots 4"]
    photons: Float[np.ndarray, "events slots 4"]
    photon_counts: Int[np.ndarray, " events"]
    met: Float[np.ndarray, "events 2"]

    @classmethod
    def of(cls, leptons: Candidates, photons: Candidates, met: Float[np.ndarray, "events 2"]) -> "CutObjects":
        """Return the objects of as many events as there are missing momenta."""
        counts = np.bincount(photons.event, minlength=len(met))
        return cls(leptons.padded(len(met)), photons.padded(len(met)), counts, met)


ObjectCut = tuple[str, Callable[[CutObjects], Bool[np.ndarray, " events"]]]
"""Name of the step, and which events fail it."""


def object_cuts(selection: SelectionConfig) -> tuple[ObjectCut, ...]:
    """Return the cuts between those on the number of leptons and those on jets that `selection` asks for, in order."""
    return (*_lepton_cuts(selection), *_photon_cuts(selection), *_missing_momentum_cuts(selection))


def _lepton_cuts(selection: SelectionConfig) -> list[ObjectCut]:
    cuts: list[ObjectCut] = []
    if (window := selection.lepton_pair_mass) is not None:
        name = f"pair of leptons with m in {window[0]:g}–{window[1]:g} GeV"
        cuts.append((name, lambda objects: _outside(best_pair(objects.leptons)[0], window)))
    if (least := selection.remaining_lepton_pt_min) > 0.0:
        cuts.append((f"lepton outside the pair with pT > {least:g} GeV", lambda x: ~(_remaining(x)[:, 0] > least)))
    return cuts


def _photon_cuts(selection: SelectionConfig) -> list[ObjectCut]:
    cuts: list[ObjectCut] = []
    number, leading, least = selection.photons, selection.leading_photon_pt_min, selection.photons_min
    if selection.wants_photons:
        name = f"≥ {least}" if number is None else f"{number}"
        name += f" photons with pT > {selection.photon_pt_min:g} GeV"
        if leading > selection.photon_pt_min:
            name += f", the hardest > {leading:g} GeV"

        def too_few(objects: CutObjects) -> Bool[np.ndarray, " events"]:
            wrong = objects.photon_counts < least if number is None else objects.photon_counts != number
            if leading > selection.photon_pt_min:
                wrong = wrong | (objects.photons[:, 0, 0] <= leading)
            result: Bool[np.ndarray, " events"] = wrong
            return result

        cuts.append((name, too_few))
    if (window := selection.photon_pair_mass) is not None:
        name = f"photon pair with m in {window[0]:g}–{window[1]:g} GeV"
        cuts.append((name, lambda x: _outside(pair_mass(x.photons[:, 0], x.photons[:, 1]), window)))
    return cuts


def _missing_momentum_cuts(selection: SelectionConfig) -> list[ObjectCut]:
    cuts: list[ObjectCut] = []
    if (least := selection.met_min) > 0.0:
        cuts.append((f"pT(miss) > {least:g} GeV", lambda objects: objects.met[:, 0] <= least))
    if (smallest := selection.transverse_mass_min) > 0.0:
        paired = selection.lepton_pair_mass is not None

        def too_light(objects: CutObjects) -> Bool[np.ndarray, " events"]:
            lepton = _remaining(objects) if paired else objects.leptons[:, 0]
            angle = lepton[:, 2] - objects.met[:, 1]
            square = 2.0 * lepton[:, 0] * objects.met[:, 0] * (1.0 - np.cos(angle))
            result: Bool[np.ndarray, " events"] = ~(square > smallest**2)
            return result

        cuts.append((f"transverse mass of lepton and pT(miss) > {smallest:g} GeV", too_light))
    return cuts


def pair_mass(
    first: Float[np.ndarray, "events 4"], second: Float[np.ndarray, "events 4"]
) -> Float[np.ndarray, " events"]:
    """Return the masses in GeV of pairs of massless particles with pt, eta, phi in the first columns."""
    square = 2.0 * first[:, 0] * second[:, 0]
    square = square * (np.cosh(first[:, 1] - second[:, 1]) - np.cos(first[:, 2] - second[:, 2]))
    result: Float[np.ndarray, " events"] = np.sqrt(np.maximum(square, 0.0))
    return result


def best_pair(
    leptons: Float[np.ndarray, "events slots 4"],
) -> tuple[Float[np.ndarray, " events"], Bool[np.ndarray, "events slots"]]:
    """Find the pair of leptons of the same flavour and opposite charges whose mass is nearest to m_Z.

    Args:
        leptons: pt, eta, phi and pdg; padding has pdg 0.

    Returns:
        its mass in GeV, NaN without such a pair; and which leptons are in it, none without one.
    """
    events, slots = leptons.shape[:2]
    best = np.full(events, np.nan)
    members = np.zeros((events, slots), dtype=bool)
    distance = np.full(events, np.inf)
    for i in range(slots):
        for j in range(i + 1, slots):
            pdg = leptons[:, i, 3]
            mass = pair_mass(leptons[:, i], leptons[:, j])
            nearer = (pdg != 0.0) & (pdg == -leptons[:, j, 3]) & (np.abs(mass - Z_MASS) < distance)
            best[nearer], distance[nearer] = mass[nearer], np.abs(mass - Z_MASS)[nearer]
            members[nearer] = np.isin(np.arange(slots), (i, j))
    return best, members


def _remaining(objects: CutObjects) -> Float[np.ndarray, "events 4"]:
    """Return the hardest lepton that is not in the pair; zeros where there is none."""
    _, members = best_pair(objects.leptons)
    free = (objects.leptons[..., 3] != 0.0) & ~members
    first = np.argmax(free, axis=1)
    found = objects.leptons[np.arange(len(first)), first]
    result: Float[np.ndarray, "events 4"] = np.where(free.any(axis=1)[:, None], found, 0.0)
    return result


def _outside(values: Shaped[np.ndarray, " events"], window: tuple[float, float]) -> Bool[np.ndarray, " events"]:
    result: Bool[np.ndarray, " events"] = ~((values >= window[0]) & (values <= window[1]))
    return result
