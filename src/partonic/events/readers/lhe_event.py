"""One LHE event as a row of the store: hard partons, decay products and momentum fractions."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa

from partonic.errors import EventFileError
from partonic.events.readers.source import fixed_lists
from partonic.events.readers.theta_solver import CoefficientSolver
from partonic.events.schema import ProcessInfo

__all__ = ["PartonRow", "event_columns"]

_RESONANCES = (25, 6, -6)
_INCOMING = -1
_FINAL = 1
_DECAYED = 2


@dataclass(frozen=True)
class PartonRow:
    """What the store keeps of an LHE event.

    Attributes:
        weight: XWGTUP, in the units of the file.
        process_number: IDPRUP.
        channel: index of the partonic channel if the file is ours, else None.
        scale, alpha_s: SCALUP in GeV and AQCDUP, None where the file has none (≤ 0).
        initial: PDG ids of the incoming partons along +z and −z.
        fractions: their momentum fractions x1, x2.
        partons: momenta (E, px, py, pz) of the final-state partons of the process, flattened, GeV.
        decays: momenta, PDG ids and resonances of the decay products.
        hadronic_top: ±6, or 0.
        theta_weights, extra_weights: further weights, in the units of the file.
    """

    weight: float
    process_number: int
    channel: int | None
    scale: float | None
    alpha_s: float | None
    initial: tuple[int, int]
    fractions: tuple[float, float]
    partons: tuple[float, ...]
    decays: tuple[tuple[float, ...], tuple[int, ...], tuple[int, ...]]
    hadronic_top: int
    theta_weights: tuple[float, ...] = ()
    extra_weights: tuple[float, ...] = ()

    @classmethod
    def of(cls, event: Any, where: str, process: ProcessInfo, beams: Any, own: bool) -> "PartonRow":
        """Convert an event of `pylhe`.

        Args:
            event: the event.
            where: file and number of the event, for messages.
            process: partons to look for.
            beams: first line of the <init> block.
            own: whether our own generator wrote the file, so that IDPRUP is 1 + channel.

        Raises:
            EventFileError: if the event is malformed, or its final state is not that of the process.
        """
        info, particles = event.eventinfo, event.particles
        _check_particles(info, particles, where)
        first, second = _incoming(particles, where)
        origins = [_origin(particles, index, where) for index in range(len(particles))]
        return cls(
            weight=info.weight,
            process_number=info.pid,
            channel=info.pid - 1 if own else None,
            scale=info.scale if info.scale > 0 else None,
            alpha_s=info.aqcd if info.aqcd > 0 else None,
            initial=(first.id, second.id),
            fractions=(
                (first.e + first.pz) / (2.0 * beams.energyA),
                (second.e - second.pz) / (2.0 * beams.energyB),
            ),
            partons=_partons(particles, process, where),
            decays=_decays(particles, origins, generic=not process.parton_pdg),
            hadronic_top=_hadronic_top(particles, origins),
        )

    def with_weights(self, theta: Sequence[float], extra: Sequence[float]) -> "PartonRow":
        """Return a copy that carries the weights at θ points and the extra weights."""
        return replace(self, theta_weights=tuple(theta), extra_weights=tuple(extra))


def from_lhe_order(particle: Any) -> tuple[float, float, float, float]:
    """Return (E, px, py, pz) of a particle; LHE files list (px, py, pz, E)."""
    return particle.e, particle.px, particle.py, particle.pz


def _check_particles(info: Any, particles: Sequence[Any], where: str) -> None:
    if info.nparticles != len(particles):
        raise EventFileError(
            f"{where} is malformed: it announces {info.nparticles} particles and lists {len(particles)}"
        )
    numbers = [value for particle in particles for value in from_lhe_order(particle)]
    if not all(math.isfinite(value) for value in (*numbers, info.weight, info.scale, info.aqcd)):
        raise EventFileError(f"{where} is malformed: a momentum, the weight, the scale or α_s is NaN or infinite")


def _incoming(particles: Sequence[Any], where: str) -> tuple[Any, Any]:
    incoming = [particle for particle in particles if particle.status == _INCOMING]
    if len(incoming) != 2:
        raise EventFileError(f"{where} is malformed: expected two incoming particles (status −1), got {len(incoming)}")
    first, second = incoming
    return (first, second) if first.pz >= second.pz else (second, first)


def _origin(particles: Sequence[Any], index: int, where: str) -> int:
    """Return the PDG id of the H, t or t̄ that a particle descends from, 0 if there is none."""
    seen = 0
    while (mother := particles[index].mother1) > 0 and particles[index].status != _INCOMING:
        seen += 1
        if mother > len(particles) or mother == index + 1 or seen > len(particles):
            raise EventFileError(f"{where} is malformed: the mothers of particle {index + 1} lead nowhere")
        index = mother - 1
        if particles[index].id in _RESONANCES:
            return int(particles[index].id)
    return 0


def _partons(particles: Sequence[Any], process: ProcessInfo, where: str) -> tuple[float, ...]:
    if not process.parton_pdg:
        return ()
    outgoing = [particle for particle in particles if particle.status in (_FINAL, _DECAYED)]
    momenta: list[float] = []
    for pdg in process.parton_pdg:
        match = next((particle for particle in outgoing if particle.id == pdg), None)
        if match is None:
            found = ", ".join(str(p.id) for p in particles if p.status == _FINAL)
            raise EventFileError(
                f"{where} has no outgoing particle with PDG id {pdg}; its final state is {found}. Set "
                "import.partons to the PDG ids that every event of this sample has, or to [] to keep any final state"
            )
        outgoing.remove(match)
        momenta.extend(from_lhe_order(match))
    return tuple(momenta)


def _decays(
    particles: Sequence[Any], origins: Sequence[int], generic: bool
) -> tuple[tuple[float, ...], tuple[int, ...], tuple[int, ...]]:
    kept = [
        (particle, origin)
        for particle, origin in zip(particles, origins, strict=True)
        if particle.status == _FINAL and (origin or generic)
    ]
    momenta = tuple(value for particle, _ in kept for value in from_lhe_order(particle))
    return momenta, tuple(particle.id for particle, _ in kept), tuple(origin for _, origin in kept)


def _hadronic_top(particles: Sequence[Any], origins: Sequence[int]) -> int:
    """Return the top with decay products but no lepton among them, if there is exactly one."""
    products: dict[int, list[int]] = {6: [], -6: []}
    for particle, origin in zip(particles, origins, strict=True):
        if particle.status == _FINAL and origin in products:
            products[origin].append(abs(particle.id))
    hadronic = [top for top, ids in products.items() if ids and not any(11 <= pdg <= 16 for pdg in ids)]
    return hadronic[0] if len(hadronic) == 1 else 0


def event_columns(
    rows: Sequence[PartonRow],
    first_id: int,
    solver: CoefficientSolver,
    factors: Mapping[int, float],
    weight_names: Sequence[str],
) -> pa.Table:
    """Return events as a table of the store, with weights in pb.

    Args:
        rows: the events.
        first_id: number of the first one.
        solver: gives them coefficients.
        factors: from the units of the file to pb, by process number.
        weight_names: names of the extra weights, in the order of `PartonRow.extra_weights`.
    """
    ids = np.arange(first_id, first_id + len(rows))
    factor = np.array([factors[row.process_number] for row in rows])
    weight = factor * np.array([row.weight for row in rows])
    values = np.array([row.theta_weights for row in rows], dtype=np.float64).reshape(len(rows), -1)
    coefficients = solver.solve(weight, values, factor, ids)
    extra = np.array([row.extra_weights for row in rows], dtype=np.float64).reshape(len(rows), -1)
    columns: dict[str, Any] = {
        "event_id": ids,
        "weight": weight,
        "coefficients": fixed_lists(coefficients, pa.float64()),
        "initial_pdg": fixed_lists(np.array([row.initial for row in rows]), pa.int32()),
        "channel": pa.array([row.channel for row in rows], pa.int16()),
        "scale": pa.array([row.scale for row in rows], pa.float64()),
        "alpha_s": pa.array([row.alpha_s for row in rows], pa.float64()),
        "x1": [row.fractions[0] for row in rows],
        "x2": [row.fractions[1] for row in rows],
        "partons": fixed_lists(np.array([row.partons for row in rows]).reshape(len(rows), -1), pa.float64()),
        "hadronic_top": pa.array([row.hadronic_top for row in rows], pa.int8()),
        "decay_partons": pa.array([row.decays[0] for row in rows], pa.list_(pa.float64())),
        "decay_pdg": pa.array([row.decays[1] for row in rows], pa.list_(pa.int32())),
        "decay_origin": pa.array([row.decays[2] for row in rows], pa.list_(pa.int8())),
    }
    for index, name in enumerate(weight_names):
        columns[f"weight_{name}"] = factor * extra[:, index]
    return pa.table(columns)
