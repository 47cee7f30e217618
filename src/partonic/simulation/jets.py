"""Anti-kT jets (arXiv:0802.1189) of many events at once, with FastJet (arXiv:1111.6097)."""

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int

from partonic.errors import DependencyError
from partonic.simulation.particles import ParticleTable, azimuth, event_offsets, pseudorapidity

__all__ = ["JetTable", "cluster", "energy_scale", "uncorrected_pt"]


@dataclass(frozen=True)
class JetTable:
    """Jets of N events, descending in pT within an event.

    Attributes:
        momenta: four-vectors (E, px, py, pz) in GeV, `(J, 4)`.
        offsets: event i has the jets ``offsets[i]:offsets[i + 1]``, `(N + 1,)`.
    """

    momenta: Float[np.ndarray, "jets 4"]
    offsets: Int[np.ndarray, " bounds"]

    @property
    def counts(self) -> Int[np.ndarray, " events"]:
        """Number of jets of each event."""
        return np.diff(self.offsets)

    @property
    def event(self) -> Int[np.ndarray, " jets"]:
        """Index of the event of each jet."""
        return np.repeat(np.arange(len(self.offsets) - 1), self.counts)

    @property
    def pt(self) -> Float[np.ndarray, " jets"]:
        """Transverse momenta in GeV."""
        result: Float[np.ndarray, " jets"] = np.hypot(self.momenta[:, 1], self.momenta[:, 2])
        return result

    @property
    def eta(self) -> Float[np.ndarray, " jets"]:
        """Pseudorapidities."""
        return pseudorapidity(self.momenta)

    @property
    def phi(self) -> Float[np.ndarray, " jets"]:
        """Azimuths in (−π, π]."""
        return azimuth(self.momenta)

    @property
    def mass(self) -> Float[np.ndarray, " jets"]:
        """Masses in GeV; rounding below the light cone gives 0."""
        squares = self.momenta**2
        result: Float[np.ndarray, " jets"] = np.sqrt(np.maximum(squares[:, 0] - squares[:, 1:].sum(axis=1), 0.0))
        return result

    def select(self, mask: Bool[np.ndarray, " jets"]) -> "JetTable":
        """Return the jets for which `mask` is True; the events stay."""
        return JetTable(self.momenta[mask], np.concatenate([[0], np.cumsum(mask)])[self.offsets])

    def select_events(self, mask: Bool[np.ndarray, " events"]) -> "JetTable":
        """Return the events for which `mask` is True."""
        return JetTable(self.momenta[np.repeat(mask, self.counts)], event_offsets(self.counts[mask]))

    def leading(self, number: int) -> "JetTable":
        """Return at most `number` jets of each event, those of largest pT."""
        rank = np.arange(len(self.momenta)) - np.repeat(self.offsets[:-1], self.counts)
        return self.select(rank < number)

    def scaled(self, factor: Float[np.ndarray, " jets"]) -> "JetTable":
        """Return the jets with each four-vector multiplied by its factor, sorted again."""
        return _sorted(self.momenta * factor[:, None], self.event, len(self.offsets) - 1)


def cluster(particles: ParticleTable, radius: float, pt_min: float) -> JetTable:
    """Return the anti-kT jets with pT > `pt_min` (GeV) of all events."""
    fastjet, awkward = _libraries()
    energy, px, py, pz = (np.ascontiguousarray(component) for component in particles.momenta.T)
    contents = awkward.contents
    records = contents.RecordArray(
        [contents.NumpyArray(component) for component in (px, py, pz, energy)],
        ["px", "py", "pz", "E"],
        parameters={"__record__": "Momentum4D"},
    )
    offsets = awkward.index.Index64(np.ascontiguousarray(particles.offsets, dtype=np.int64))
    inputs = awkward.Array(contents.ListOffsetArray(offsets, records))
    definition = fastjet.JetDefinition(fastjet.antikt_algorithm, radius)
    jets = fastjet.ClusterSequence(inputs, definition).inclusive_jets(min_pt=pt_min)
    counts = awkward.to_numpy(awkward.num(jets, axis=1))
    flat = awkward.flatten(jets, axis=1)
    momenta = np.stack([awkward.to_numpy(flat[name]) for name in ("E", "px", "py", "pz")], axis=-1)
    return _sorted(momenta, np.repeat(np.arange(len(counts)), counts), len(counts))


def _sorted(momenta: Float[np.ndarray, "jets 4"], event: Int[np.ndarray, " jets"], events: int) -> JetTable:
    order = np.lexsort((-np.hypot(momenta[:, 1], momenta[:, 2]), event))
    return JetTable(momenta[order], event_offsets(np.bincount(event, minlength=events)))


@cache
def _libraries() -> tuple[Any, Any]:
    try:
        import awkward
        import fastjet
        from fastjet import _swig
    except ImportError as error:
        raise DependencyError(f"jets need FastJet: pip install 'partonic[simulation]' ({error})") from error
    _swig.ClusterSequence.set_fastjet_banner_stream(None)  # a library prints nothing; the citation is in the docs
    return fastjet, awkward


def energy_scale(
    pt: Float[np.ndarray, " jets"], eta: Float[np.ndarray, " jets"], constant: float, slope: float
) -> Float[np.ndarray, " jets"]:
    """Return the factor √((constant − slope |η|)² / pT + 1) that corrects the momentum of a jet, pT in GeV."""
    result: Float[np.ndarray, " jets"] = np.sqrt((constant - slope * np.abs(eta)) ** 2 / pt + 1.0)
    return result


def uncorrected_pt(corrected: float, constant: float) -> float:
    """Return the smallest pT that `energy_scale` can bring to `corrected` (GeV): the inverse of it at η = 0."""
    half = 0.5 * constant**2
    return float(np.sqrt(half**2 + corrected**2) - half)
