"""Chunks of events until there are enough, in the calling process or on Dask workers, resumed after an interruption.

Each chunk has random numbers of its own, so that it does not matter where it is made. The events are those of the first
chunks that hold enough of them: chunks that workers made beyond these are left out, and the result is that of one
process. A process with its parton densities cannot be sent to a worker; workers build it, and read the trained sampler
from the folder in which the calling process left it.
"""

from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import torch

from partonic.config.generation import GenerationConfig
from partonic.errors import GenerationError, WorkflowError
from partonic.generation.chunks import ChunkFolder, EventChunk, Target, generate_chunk
from partonic.generation.prepare import prepare_generation
from partonic.generation.threads import one_thread
from partonic.parallel import number_of_workers, run_tasks
from partonic.physics.process import Process
from partonic.progress import SILENT, Progress
from partonic.rng import torch_generator

__all__ = ["WorkerJob", "make_chunks"]


@dataclass(frozen=True)
class WorkerJob:
    """What a worker needs to make chunks.

    Attributes:
        identity: hash of all that sampler and maximum weight depend on; jobs of the same one are the same.
        seed: root seed.
        work: absolute path of the folder with the trained sampler and the maximum weight.
        config: how events are generated.
        build: importable function that builds the process.
    """

    identity: str
    seed: int
    work: Path
    config: GenerationConfig = field(compare=False)
    build: Callable[[], Process] = field(compare=False)


def make_chunks(
    folder: ChunkFolder,
    target: Target,
    config: GenerationConfig,
    seed: int,
    progress: Progress = SILENT,
    job: WorkerJob | None = None,
) -> int:
    """Make chunks until they hold the events asked for, and return their number.

    Args:
        folder: of the finished chunks; those that are there are not made again.
        target: what is sampled, and how.
        config: number of events, size of chunks, and how the work is shared out.
        seed: root seed.
        progress: told of the events of each chunk.
        job: for worker processes; None to work in the calling process, whatever `config` says.

    Raises:
        GenerationError: if `max_points` do not suffice.
        NonFiniteError: if dσ/du is NaN or infinite; the message names the point.
        WorkflowError: if workers die, or the scheduler cannot be reached.
        OutputError: if a chunk cannot be written.
    """
    at_hand = min(folder.events_at_hand(), config.events)
    progress.start("generating", config.events, "events", done=at_hand)
    number = events = 0
    with closing(_made(folder, target, config, seed, job)) as chunks:
        while events < config.events:
            chunk = folder.existing(number)
            while chunk is None:
                _require_points(number, events, config)
                found, new = next(chunks)
                folder.save(found, new)
                chunk = new if found == number else None
            if events >= at_hand:
                counted = min(len(chunk.events), config.events - events)
                progress.advance(counted, efficiency=round(chunk.tally.efficiency, 3))
            events += len(chunk.events)
            number += 1
    progress.finish()
    return number


def _require_points(chunks: int, events: int, config: GenerationConfig) -> None:
    if (chunks + 1) * config.chunk_points > config.max_points:
        raise GenerationError(
            f"{chunks * config.chunk_points:,} points gave {events:,} of the {config.events:,} events asked for, and "
            f"generation.max_points = {config.max_points:,} allows no more: raise it, or train the sampler longer"
        )


def _made(
    folder: ChunkFolder, target: Target, config: GenerationConfig, seed: int, job: WorkerJob | None
) -> Generator[tuple[int, EventChunk], None, None]:
    """Yield number and chunk of those that are missing, without an end but that of `max_points`."""
    numbers = range(config.max_points // config.chunk_points)
    missing = (number for number in numbers if folder.existing(number) is None)
    if job is None or (config.scheduler is None and number_of_workers(config) == 1):
        for number in missing:
            yield number, generate_chunk(target, config.chunk_points, _generator(seed, number))
        return
    tasks = ((job, number) for number in missing)
    yield from run_tasks(_chunk_of_worker, tasks, config, "generation", WorkflowError)


def _generator(seed: int, number: int) -> torch.Generator:
    return torch_generator(seed, "generation", "chunk", number)


def _chunk_of_worker(job: WorkerJob, number: int) -> tuple[int, EventChunk]:
    """Make a chunk on a worker, which keeps what it prepared."""
    with one_thread():
        target = _prepared(job)
        return number, generate_chunk(target, job.config.chunk_points, _generator(job.seed, number))


@lru_cache(maxsize=2)
def _prepared(job: WorkerJob) -> Target:
    return prepare_generation(job.build(), job.config, job.seed, job.work, SILENT).target
