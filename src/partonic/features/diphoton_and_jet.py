"""Observables of H → γγ beside a forward jet, as in tHq: pT of the photon pair, and how far forward the jet is.

The forward jet is the one of largest |η|: in the t-channel the light quark recoils little and keeps its direction.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from partonic.features.object_observables import Evaluated
    from partonic.features.objects import BatchObjects

__all__ = ["DIPHOTON_AND_JET"]

Array = NDArray[np.float64]


def _diphoton_pt(view: "BatchObjects") -> tuple[Array, NDArray[np.bool_]]:
    """Transverse momentum of the two hardest photons, GeV."""
    photons, mask = view.photons
    return np.hypot(*_pair(photons)[:2]), mask[:, 1]


def _forward_jet_eta(view: "BatchObjects") -> tuple[Array, NDArray[np.bool_]]:
    """|η| of the most forward jet."""
    eta, known = _most_forward(view)
    return np.abs(eta), known


def _delta_eta(view: "BatchObjects") -> tuple[Array, NDArray[np.bool_]]:
    """|Δη| of the most forward jet and the pair of photons."""
    photons, mask = view.photons
    px, py, pz = _pair(photons)
    eta, known = _most_forward(view)
    of_pair = np.arcsinh(pz / np.maximum(np.hypot(px, py), np.finfo(np.float64).tiny))
    return np.abs(eta - of_pair), known & mask[:, 1]


def _pair(photons: Array) -> tuple[Array, Array, Array]:
    """Return px, py and pz of the two hardest photons together."""
    pt, eta, phi = (photons[:, :2, column] for column in range(3))
    x, y, z = ((pt * part).sum(axis=1) for part in (np.cos(phi), np.sin(phi), np.sinh(eta)))
    return x, y, z


def _most_forward(view: "BatchObjects") -> tuple[Array, NDArray[np.bool_]]:
    """Return η of the jet of largest |η|, and whether there is a jet."""
    eta, mask = view.jet("eta").astype(np.float64), view.jet_mask
    chosen = np.argmax(np.where(mask, np.abs(eta), -1.0), axis=1)
    known: NDArray[np.bool_] = np.asarray(mask.any(axis=1))
    return eta[np.arange(len(eta)), chosen], known


DIPHOTON_AND_JET: Final[Mapping[str, "Evaluated"]] = {
    "diphoton_pt": _diphoton_pt,
    "forward_jet_eta": _forward_jet_eta,
    "delta_eta_forward_diphoton": _delta_eta,
}
"""All of them by name."""
