"""Many pseudo-experiments at several points, on worker processes, in chunks that an interrupted run finds again."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from partonic.errors import InferenceError
from partonic.files import output_folder
from partonic.inference.experiments.pool import Pool
from partonic.inference.experiments.pseudo_experiments import Outcomes, Setup, run_experiments
from partonic.inference.likelihood.mixture import Mixture
from partonic.parallel import run_tasks
from partonic.parts import parts_folder
from partonic.progress import SILENT, Progress
from partonic.provenance import content_hash, file_digest

__all__ = ["CHUNK", "Plan", "Workers", "run_study"]

Array = NDArray[np.float64]

CHUNK = 25
"""Experiments of a chunk: a few seconds of work."""

_VERSION = 4
"""Of the results: raised when the same settings give others."""


@dataclass(frozen=True)
class Workers:
    """Where the experiments run.

    Attributes:
        workers: local worker processes; None for one a core. 1 runs in this process.
        scheduler: address of a Dask scheduler to use instead; its workers must see the output folder.
    """

    workers: int | None = 1
    scheduler: str | None = None


@dataclass(frozen=True)
class Plan:
    """How many experiments are run, where, and what is told of them.

    Attributes:
        experiments: number at each point.
        output: the file that the results are for; finished chunks are kept in ``<output>.parts`` until `remove_parts`.
        workers: where they run; by default in this process.
        progress: told of experiments done.
    """

    experiments: int
    output: Path
    workers: Workers = Workers()
    progress: Progress = SILENT


def run_study(setup: Setup, pool: Pool, points: Sequence[Array], plan: Plan) -> list[Outcomes]:
    """Run pseudo-experiments at each of the points.

    Args:
        setup: what they have in common.
        pool: events to draw from.
        points: true φ, each `(P,)`.
        plan: how many, and where.

    Returns:
        the outcomes at each point. They do not depend on the workers, nor on interruptions.
    """
    scratch = output_folder(plan.output.parent) / f".{plan.output.name}.pool.safetensors"
    pool.save(scratch)
    try:
        folder = parts_folder(plan.output, _digest(setup, file_digest(scratch), points))
        return _run_all(setup, scratch, folder, points, plan)
    finally:
        scratch.unlink(missing_ok=True)


def _run_all(setup: Setup, pool: Path, folder: Path, points: Sequence[Array], plan: Plan) -> list[Outcomes]:
    parts = [
        [(folder / f"{i:03d}-{start:06d}-{stop:06d}.parquet", start, stop) for start, stop in _chunks(plan.experiments)]
        for i in range(len(points))
    ]
    tasks: list[tuple[Any, ...]] = [
        (setup, str(pool.resolve()), points[i], i, start, stop, str(path.resolve()))
        for i, chunks in enumerate(parts)
        for path, start, stop in chunks
        if not path.exists()
    ]
    total = len(points) * plan.experiments
    left = sum(stop - start for *_, start, stop, _ in tasks)
    plan.progress.start("pseudo-experiments", total, "fits", done=total - left)
    if tasks:
        for done in run_tasks(_chunk, tasks, plan.workers, section="inference", error=InferenceError):
            plan.progress.advance(done)
    plan.progress.finish()
    return [Outcomes.concatenate([Outcomes.load(path) for path, *_ in chunks]) for chunks in parts]


def _chunk(setup: Setup, pool: str, truth: Array, point: int, start: int, stop: int, path: str) -> int:
    """Run some experiments and write them; return their number."""
    outcomes = run_experiments(setup, _load_pool(pool, Path(pool).stat().st_mtime_ns), truth, ("pseudo", point),
                               range(start, stop))  # fmt: skip
    outcomes.save(Path(path))
    return stop - start


@lru_cache(maxsize=1)
def _load_pool(path: str, _modified: int) -> Pool:
    return Pool.load(Path(path))


def _chunks(experiments: int) -> list[tuple[int, int]]:
    return [(start, min(start + CHUNK, experiments)) for start in range(0, experiments, CHUNK)]


def _digest(setup: Setup, pool: str, points: Sequence[Array]) -> str:
    return content_hash(
        {
            "version": _VERSION,
            "mixture": _plain(setup.mixture),
            "interest": setup.interest,
            "shape": [setup.shape_only, None if setup.shape_norm is None else setup.shape_norm.tolist()],
            "seed": setup.seed,
            "pool": pool,
            "points": [point.tolist() for point in points],
        }
    )


def _plain(mixture: Mixture) -> list[object]:
    return [
        mixture.names,
        mixture.free.tolist(),
        mixture.stacked_rate.tolist(),
        mixture.stacked_covariance.tolist(),
        [repr(value) for value in mixture.constraints.reshape(-1).tolist()],
        [each.monomials.names for each in mixture.mapped],
        [repr(each.mapping) for each in mixture.mapped],
        mixture.luminosity,
        mixture.point().tolist(),
    ]
