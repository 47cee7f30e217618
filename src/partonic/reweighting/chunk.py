"""One chunk of events, as a worker does it: each event by the matrix element of its subprocess."""

import threading
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from partonic.config.reweighting import ReweightConfig
from partonic.errors import EventFileError, ProcessError
from partonic.events.batch import EventBatch
from partonic.physics.process import PartonEvents
from partonic.reweighting.basis import Basis
from partonic.reweighting.engine import Engine, open_engine
from partonic.reweighting.kinematics import momenta_on_shell
from partonic.reweighting.solver import Solution, SubprocessSolver
from partonic.reweighting.subprocess import canonical, order_of, particles_of, subprocess_text

__all__ = ["ReweightedChunk", "ReweightingJob", "reweight_chunk", "solver_of"]

Array = NDArray[np.float64]

_BUILDING = threading.Lock()  # workers of a user's own scheduler may have several threads
_SOLVERS: dict[str, tuple[Engine, dict[tuple[int, ...], SubprocessSolver]]] = {}
"""The engine and the solvers of the job at work in this process, by the key of the job."""


@dataclass(frozen=True)
class ReweightingJob:
    """What a worker needs to know.

    Attributes:
        key: hash of all that the coefficients depend on.
        config: settings.
        basis: what is solved for.
        where: name of the store, for messages.
    """

    key: str
    config: ReweightConfig
    basis: Basis
    where: str


@dataclass(frozen=True)
class ReweightedChunk:
    """What became of N events.

    Attributes:
        coefficients: in pb, `(N, A)`; 0 for events of which |M(θ_gen)|² vanishes.
        residual: see `Solution`, `(N,)`.
        vanishing: events of which |M(θ_gen)|² vanishes, `(N,)`.
        without_alpha_s: number of events without α_s, for which it cancels.
    """

    coefficients: Array
    residual: Array
    vanishing: NDArray[np.bool_]
    without_alpha_s: int


def reweight_chunk(job: ReweightingJob, number: int, batch: EventBatch) -> tuple[int, ReweightedChunk]:
    """Return the number of a chunk and the coefficients of its events.

    Raises:
        EventFileError: if momenta are off shell or out of balance, or α_s is needed and missing.
        ProcessError: if the model does not contain a subprocess, or |M|² is not as the settings say.
    """
    torch.set_num_threads(1)
    particles = particles_of(batch)
    coefficients = np.zeros((len(batch), len(job.basis.monomials)))
    residual, vanishing = np.zeros(len(batch)), np.zeros(len(batch), dtype=np.bool_)
    alpha_s = _alpha_s(batch)
    for found in np.unique(particles, axis=0):
        rows = np.flatnonzero((particles == found).all(axis=1))
        solution = _solve(job, batch, tuple(found.tolist()), rows, alpha_s)
        coefficients[rows] = batch.weight[rows, None] * solution.ratios
        residual[rows], vanishing[rows] = solution.residual, solution.vanishing
    return number, ReweightedChunk(coefficients, residual, vanishing, int(np.isnan(alpha_s).sum()))


def _solve(
    job: ReweightingJob, batch: EventBatch, particles: tuple[int, ...], rows: NDArray[np.int64], alpha_s: Array
) -> Solution:
    """Return the coefficients of the events that have their `particles` in one order."""
    ids = np.asarray(batch.column("event_id"))[rows]

    def where(row: int) -> str:
        return f"{job.where}, event {ids[row]}"

    solver = solver_of(job, canonical(particles))
    order = order_of(particles, solver.particles)
    masses = np.zeros(len(particles))
    masses[list(order)] = solver.masses
    if masses[:2].any():
        raise ProcessError(
            f"the incoming partons of {subprocess_text(particles)} have the masses {masses[:2].tolist()} GeV in the "
            "model: set them to 0 (`values`, or a restriction card)"
        )
    partons = batch.partons()
    momenta = momenta_on_shell(
        PartonEvents(partons.momenta[rows], partons.x1[rows], partons.x2[rows]),
        torch.from_numpy(masses[2:]),
        batch.metadata.collider_energy,
        job.config.momentum_tolerance,
        where,
    )
    solution = solver.solve(momenta[:, list(order)], torch.from_numpy(alpha_s[rows]))
    if solution.needs_alpha_s and np.isnan(alpha_s[rows]).any():
        lacking = np.flatnonzero(np.isnan(alpha_s[rows]))
        raise EventFileError(
            f"{where(int(lacking[0]))}: its α_s is not known ({len(lacking)} of {len(rows)} events), and the terms of "
            f"|M|^2 of {subprocess_text(particles)} have different powers of it: give the value with `alpha_s`"
        )
    return solution


def _alpha_s(batch: EventBatch) -> Array:
    """Return α_s of the events, NaN where the store does not know it."""
    values = batch.table.column("alpha_s").to_numpy(zero_copy_only=False) if len(batch) else np.zeros(0)
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)


def solver_of(job: ReweightingJob, particles: tuple[int, ...]) -> SubprocessSolver:
    """Return the solver of a subprocess, built once in this process; `particles` in the order of `canonical`."""
    with _BUILDING:
        if job.key not in _SOLVERS:
            _SOLVERS.clear()
            _SOLVERS[job.key] = (open_engine(job.config), {})
        engine, solvers = _SOLVERS[job.key]
        if particles not in solvers:
            solvers[particles] = SubprocessSolver(engine.build(particles), job.config, job.basis)
        return solvers[particles]
