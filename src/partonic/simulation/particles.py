"""Particles of many events in flat arrays.

The particles of all events stand one after another; `offsets` says where each event begins. All work of detector, jets
and selection is done on such tables at once, without a loop over events.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

__all__ = ["ParticleTable", "azimuth", "delta_phi", "event_offsets", "pairs_within_events", "pseudorapidity"]


@dataclass(frozen=True)
class ParticleTable:
    """Particles of N events, M in all.

    Attributes:
        pdg: PDG identifiers, `(M,)`.
        momenta: four-vectors (E, px, py, pz) in GeV, `(M, 4)`.
        offsets: event i has the particles ``offsets[i]:offsets[i + 1]``, `(N + 1,)`.
    """

    pdg: Int[np.ndarray, " particles"]
    momenta: Float[np.ndarray, "particles 4"]
    offsets: Int[np.ndarray, " bounds"]

    @property
    def num_events(self) -> int:
        """Number N of events."""
        return len(self.offsets) - 1

    @property
    def counts(self) -> Int[np.ndarray, " events"]:
        """Number of particles of each event."""
        return np.diff(self.offsets)

    @property
    def event(self) -> Int[np.ndarray, " particles"]:
        """Index of the event of each particle."""
        return np.repeat(np.arange(self.num_events), self.counts)

    @property
    def pt(self) -> Float[np.ndarray, " particles"]:
        """Transverse momenta in GeV."""
        result: Float[np.ndarray, " particles"] = np.hypot(self.momenta[:, 1], self.momenta[:, 2])
        return result

    @property
    def eta(self) -> Float[np.ndarray, " particles"]:
        """Pseudorapidities; ±inf along the beam."""
        return pseudorapidity(self.momenta)

    @property
    def phi(self) -> Float[np.ndarray, " particles"]:
        """Azimuths in (−π, π]."""
        return azimuth(self.momenta)

    def select(self, mask: Bool[np.ndarray, " particles"]) -> "ParticleTable":
        """Return the particles for which `mask` is True; the events stay, possibly empty."""
        kept = np.concatenate([[0], np.cumsum(mask)])
        return ParticleTable(self.pdg[mask], self.momenta[mask], kept[self.offsets])

    def select_events(self, mask: Bool[np.ndarray, " events"]) -> "ParticleTable":
        """Return the events for which `mask` is True."""
        of_kept = np.repeat(mask, self.counts)
        return ParticleTable(self.pdg[of_kept], self.momenta[of_kept], event_offsets(self.counts[mask]))

    def scaled(self, factor: Float[np.ndarray, " particles"]) -> "ParticleTable":
        """Return the table with each four-vector multiplied by its `factor`; directions stay."""
        return ParticleTable(self.pdg, self.momenta * factor[:, None], self.offsets)

    def slice(self, start: int, stop: int) -> "ParticleTable":
        """Return the events from `start` to before `stop`."""
        first, last = self.offsets[start], self.offsets[stop]
        return ParticleTable(self.pdg[first:last], self.momenta[first:last], self.offsets[start : stop + 1] - first)


def event_offsets(counts: Int[np.ndarray, " events"]) -> Int[np.ndarray, " bounds"]:
    """Return where the objects of each event begin, given how many each event has, `(N + 1,)`."""
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)


def pseudorapidity(momenta: Float[np.ndarray, "*batch 4"]) -> Float[np.ndarray, "*batch"]:
    """Return η = arsinh(pz / pT) of momenta (E, px, py, pz); ±inf along the beam, 0 for a particle at rest."""
    pt = np.hypot(momenta[..., 1], momenta[..., 2])
    pz = momenta[..., 3]
    along_beam = np.where(pz == 0.0, 0.0, np.copysign(np.inf, pz))
    return np.where(pt > 0.0, np.arcsinh(pz / np.where(pt > 0.0, pt, 1.0)), along_beam)


def azimuth(momenta: Float[np.ndarray, "*batch 4"]) -> Float[np.ndarray, "*batch"]:
    """Return φ in (−π, π] of momenta (E, px, py, pz)."""
    phi = np.arctan2(momenta[..., 2], momenta[..., 1])
    return np.where(phi == -np.pi, np.pi, phi)


def delta_phi(first: Float[np.ndarray, "*a"], second: Float[np.ndarray, "*b"]) -> Float[np.ndarray, "*c"]:
    """Return φ₁ − φ₂ reduced to [−π, π]."""
    difference = first - second
    result: Float[np.ndarray, "*c"] = difference - 2.0 * np.pi * np.round(difference / (2.0 * np.pi))
    return result


def pairs_within_events(
    first_offsets: Int[np.ndarray, " bounds"], second_offsets: Int[np.ndarray, " bounds"]
) -> tuple[Int[np.ndarray, " pairs"], Int[np.ndarray, " pairs"]]:
    """Return all pairs (i, j) of an object i of one table and an object j of another in the same event.

    Pairs are ordered by i, then j.

    Args:
        first_offsets: offsets of the first table, `(N + 1,)`.
        second_offsets: offsets of the second table, `(N + 1,)`.
    """
    event_of_first = np.repeat(np.arange(len(first_offsets) - 1), np.diff(first_offsets))
    partners = np.diff(second_offsets)[event_of_first]
    first = np.repeat(np.arange(len(event_of_first)), partners)
    within = np.arange(len(first)) - np.repeat(np.cumsum(partners) - partners, partners)
    return first, second_offsets[:-1][event_of_first[first]] + within
