"""One LHE event as a row of the store: hard partons, decay products and momentum fractions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from partonic.errors import EventFileError
from partonic.events.readers.hard_process import check_partons
from partonic.events.readers.slots import assign_slots, candidates_of, has_one_final_state
from partonic.events.readers.source import fixed_lists
from partonic.events.readers.theta_solver import CoefficientSolver
from partonic.events.schema import ProcessInfo
from partonic.events.text.lhe_header import LheHeader
from partonic.events.text.lhe_numbers import COLUMNS, FACTS, event_numbers
from partonic.processes.decay_tree import DecayTree

__all__ = ["PartonRow", "event_columns"]

_WEAK_BOSONS = (23, 24, -24)
_INCOMING = -1
_FINAL = 1
_DECAYED = 2
_LARGEST_FRACTION = 1.001
"""Largest momentum fraction that rounding of momenta and beam energies explains."""

_LARGEST_WHOLE = 2**31
_MOST_CHANNELS = 2**15


class _Particle(NamedTuple):
    """One particle of an event, as the file lists it. Momenta in GeV."""

    id: int
    status: int
    mother1: int
    mother2: int
    color1: int
    color2: int
    px: float
    py: float
    pz: float
    e: float


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
        parton_pdg: their PDG ids.
        decays: momenta, PDG ids and resonances of the decay products.
        hadronic_top: ±6, or 0.
        where: file and number of the event, for messages.
        number: number of the event in the sample.
        unit: factor of all its weights, before that of its process.
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
    parton_pdg: tuple[int, ...]
    decays: tuple[tuple[float, ...], tuple[int, ...], tuple[int, ...]]
    hadronic_top: int
    where: str
    number: int = 0
    unit: float = 1.0
    theta_weights: Sequence[float] = ()
    extra_weights: Sequence[float] = ()

    @classmethod
    def of(cls, text: bytes, where: str, process: ProcessInfo, header: LheHeader) -> "PartonRow":
        """Read an event.

        Args:
            text: its text.
            where: file and number of the event, for messages.
            process: partons to look for.
            header: of its document: beam energies, and whether our own generator wrote it, so that IDPRUP is
                1 + channel.

        Raises:
            ValueError: if a number of the event is missing or none.
            EventFileError: if the event is malformed, or its final state is not that of the process.
        """
        numbers = event_numbers(text)
        _, process_number, weight, scale, _, alpha_s = numbers[:FACTS]
        particles = _particles(numbers)
        first, second = _incoming(particles, where)
        tree = process.decay_tree
        origins = [_origin(particles, index, where, tree) for index in range(len(particles))]
        partons = _partons(particles, process, where)
        _complete_origins(origins, particles, partons, tree)
        channel = int(process_number) - 1 if header.record is not None else None
        if channel is not None and not 0 <= channel < _MOST_CHANNELS:
            raise ValueError(f"its process IDPRUP is {process_number:g}, but in our own files it is 1 + channel")
        return cls(
            weight=weight,
            process_number=int(process_number),
            channel=channel,
            scale=scale if scale > 0 else None,
            alpha_s=alpha_s if alpha_s > 0 else None,
            initial=(first.id, second.id),
            fractions=_fractions(first, second, header.energies, where),
            partons=tuple(value for particle in partons for value in from_lhe_order(particle)),
            parton_pdg=tuple(particle.id for particle in partons),
            decays=_decays(particles, origins, generic=not process.parton_pdg),
            hadronic_top=_hadronic_top(particles, origins),
            where=where,
        )

    def with_weights(self, number: int, unit: float, theta: Sequence[float], extra: Sequence[float]) -> "PartonRow":
        """Return a copy that has a number, the unit of its weights, and those at θ points and the extra ones."""
        return replace(self, number=number, unit=unit, theta_weights=theta, extra_weights=extra)


def _particles(numbers: Sequence[float]) -> list[_Particle]:
    particles = []
    for start in range(FACTS, len(numbers), COLUMNS):
        words = numbers[start : start + COLUMNS]
        if not all(map(float.is_integer, words[:6])) or not all(abs(word) < _LARGEST_WHOLE for word in words[:6]):
            number = (start - FACTS) // COLUMNS + 1
            message = (
                f"particle {number} begins with {words[:6]}, expected six whole numbers of at most 32 bits (id, "
                "status, ...)"
            )
            raise ValueError(message)
        particles.append(_Particle(*map(int, words[:6]), *words[6:10]))
    return particles


def from_lhe_order(particle: _Particle) -> tuple[float, float, float, float]:
    """Return (E, px, py, pz) of a particle; LHE files list (px, py, pz, E)."""
    return particle.e, particle.px, particle.py, particle.pz


def _fractions(first: _Particle, second: _Particle, energies: tuple[float, float], where: str) -> tuple[float, float]:
    """Return x1 and x2 of the incoming partons."""
    x1, x2 = (first.e + first.pz) / (2.0 * energies[0]), (second.e - second.pz) / (2.0 * energies[1])
    if not (0.0 <= x1 <= _LARGEST_FRACTION and 0.0 <= x2 <= _LARGEST_FRACTION):
        raise EventFileError(
            f"{where}: its incoming partons have the momentum fractions {x1:.6g} and {x2:.6g} of beams with "
            f"{energies[0]:g} and {energies[1]:g} GeV, expected numbers from 0 to 1. Are its momenta in GeV?"
        )
    return x1, x2


def _incoming(particles: Sequence[_Particle], where: str) -> tuple[_Particle, _Particle]:
    incoming = [particle for particle in particles if particle.status == _INCOMING]
    if len(incoming) != 2:
        raise EventFileError(f"{where} is malformed: expected two incoming particles (status −1), got {len(incoming)}")
    first, second = incoming
    return (first, second) if first.pz >= second.pz else (second, first)


def _origin(particles: Sequence[_Particle], index: int, where: str, tree: DecayTree) -> int:
    """Return the PDG id of the outermost resonance (H, t, t̄) that a particle descends from, 0 if there is none."""
    seen = origin = 0
    while (mother := particles[index].mother1) > 0 and particles[index].status != _INCOMING:
        seen += 1
        if mother > len(particles) or mother == index + 1 or seen > len(particles):
            raise EventFileError(f"{where} is malformed: the mothers of particle {index + 1} lead nowhere")
        index = mother - 1
        if particles[index].id in tree.origins:
            origin = particles[index].id
            if origin not in _WEAK_BOSONS:  # W and Z may come from others
                return origin
    return origin


def _complete_origins(
    origins: list[int], particles: Sequence[_Particle], partons: Sequence[_Particle], tree: DecayTree
) -> None:
    """Fill in what partons come from where the file leaves out a resonance that the matrix element decays."""
    final = [particle.id for particle in partons]
    for resonance in tree.outermost:
        for slot in resonance.slots if resonance.decayed_by == "matrix element" else ():
            row = next(row for row, particle in enumerate(particles) if particle is partons[slot])
            origins[row] = origins[row] or resonance.pdg_among(final)


def _partons(particles: Sequence[_Particle], process: ProcessInfo, where: str) -> list[_Particle]:
    if not has_one_final_state(process):
        return _partons_in_slots(particles, process, where)
    outgoing = [particle for particle in particles if particle.status in (_FINAL, _DECAYED)]
    found: list[_Particle] = []
    for pdg in process.parton_pdg:
        match = next((particle for particle in outgoing if particle.id == pdg), None)
        if match is None:
            final = ", ".join(str(p.id) for p in particles if p.status == _FINAL)
            raise EventFileError(
                f"{where} has no outgoing particle with PDG id {pdg}; its final state is {final}. Set "
                "import.partons to the PDG ids that every event of this sample has, or to [] to keep any final state"
            )
        outgoing.remove(match)
        found.append(match)
    return found


def _partons_in_slots(particles: Sequence[_Particle], process: ProcessInfo, where: str) -> list[_Particle]:
    """Return the partons of an event of one of the final states of the process."""
    outgoing = [row for row, particle in enumerate(particles) if particle.status in (_FINAL, _DECAYED)]
    pdg, mother = [particle.id for particle in particles], [particle.mother1 - 1 for particle in particles]
    momenta = [from_lhe_order(particle) for particle in particles]
    found = assign_slots(candidates_of(pdg, mother, momenta, outgoing), process)
    if found is None:
        final = ", ".join(str(p.id) for p in particles if p.status == _FINAL)
        known = "; ".join(", ".join(map(str, state)) for state in process.final_states[:6])
        raise EventFileError(
            f"{where} has the final state {final}, expected one of the process '{process.name}': {known}"
            f"{'; …' if len(process.final_states) > 6 else ''}. Set import.partons to the PDG ids that every event of "
            "this sample has, or to [] to keep any final state"
        )
    return [particles[row] for row in found.rows]


def _decays(
    particles: Sequence[_Particle], origins: Sequence[int], generic: bool
) -> tuple[tuple[float, ...], tuple[int, ...], tuple[int, ...]]:
    kept = [
        (particle, origin)
        for particle, origin in zip(particles, origins, strict=True)
        if particle.status == _FINAL and (origin or generic)
    ]
    momenta = tuple(value for particle, _ in kept for value in from_lhe_order(particle))
    return momenta, tuple(particle.id for particle, _ in kept), tuple(origin for _, origin in kept)


def _hadronic_top(particles: Sequence[_Particle], origins: Sequence[int]) -> int:
    """Return the top with decay products but no lepton among them, if there is exactly one."""
    products: dict[int, list[int]] = {6: [], -6: []}
    for particle, origin in zip(particles, origins, strict=True):
        if particle.status == _FINAL and origin in products:
            products[origin].append(abs(particle.id))
    hadronic = [top for top, ids in products.items() if ids and not any(11 <= pdg <= 16 for pdg in ids)]
    return hadronic[0] if len(hadronic) == 1 else 0


def event_columns(
    rows: Sequence[PartonRow],
    solver: CoefficientSolver,
    factors: Mapping[int, float],
    weight_names: Sequence[str],
) -> pa.Table:
    """Return events as a table of the store, with weights in pb.

    Args:
        rows: the events.
        solver: gives them coefficients.
        factors: from the units of the file to pb, by process number.
        weight_names: names of the extra weights, in the order of `PartonRow.extra_weights`.
    """
    ids = np.array([row.number for row in rows], dtype=np.int64)
    factor = np.array([row.unit * factors[row.process_number] for row in rows])
    weight = factor * np.array([row.weight for row in rows])
    values = np.array([row.theta_weights for row in rows], dtype=np.float64).reshape(len(rows), -1)
    coefficients = solver.solve(weight, values, factor, ids)
    partons = np.array([row.partons for row in rows], dtype=np.float64).reshape(len(rows), -1)
    check_partons(partons, solver.process.parton_names, lambda row: rows[row].where)
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
        "partons": fixed_lists(partons, pa.float64()),
        "hadronic_top": pa.array([row.hadronic_top for row in rows], pa.int8()),
        "decay_partons": pa.array([row.decays[0] for row in rows], pa.list_(pa.float64())),
        "decay_pdg": pa.array([row.decays[1] for row in rows], pa.list_(pa.int32())),
        "decay_origin": pa.array([row.decays[2] for row in rows], pa.list_(pa.int8())),
    }
    if len(solver.process.final_states) > 1:
        columns["parton_pdg"] = fixed_lists(np.array([row.parton_pdg for row in rows], dtype=np.int32), pa.int32())
    for index, name in enumerate(weight_names):
        columns[f"weight_{name}"] = factor * extra[:, index]
    return pa.table(columns)
