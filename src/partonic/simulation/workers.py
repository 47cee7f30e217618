"""Chunks of events on worker processes: in this process, on a local Dask cluster, or on the cluster of the user.

The results of chunks do not depend on where, in which order or how often they run, so Dask may run a chunk again when
a worker is lost.
"""

import contextlib
import logging
import os
import signal
import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from typing import Any, TypeVar

from partonic.config.simulation import SimulationConfig
from partonic.errors import DependencyError, SimulationError

__all__ = ["run_tasks"]

Result = TypeVar("Result")
Task = tuple[Any, ...]

_PATIENCE = "30s"
"""How long to wait for the scheduler of the user."""

_AHEAD = 2
"""Tasks in flight per worker: one at work, one waiting. It bounds the memory of the calling process."""


def run_tasks(
    function: Callable[..., Result], tasks: Iterable[Task], config: SimulationConfig
) -> Generator[Result, None, None]:
    """Yield ``function(*task)`` for each task, in the order in which they finish.

    Args:
        function: importable function; its errors are raised here.
        tasks: arguments, taken one after another as workers become free.
        config: number of workers, or the address of a scheduler.

    Raises:
        SimulationError: if a worker dies again and again, or the scheduler cannot be reached.
    """
    if config.scheduler is None and number_of_workers(config) == 1:
        yield from (function(*task) for task in tasks)
        return
    with _client(config) as client:
        yield from _run_on(client, function, tasks)


def number_of_workers(config: SimulationConfig) -> int:
    """Return the number of local worker processes: as configured, else one for each core that may be used."""
    return config.workers or len(os.sched_getaffinity(0))


def _run_on(client: Any, function: Callable[..., Result], tasks: Iterable[Task]) -> Iterator[Result]:
    distributed = _distributed()

    waiting = iter(tasks)
    running = distributed.as_completed()
    ahead = _AHEAD * max(1, sum(client.nthreads().values()))
    try:
        for _ in range(ahead):
            _submit(client, function, waiting, running)
        for future in running:
            result = future.result()
            _submit(client, function, waiting, running)
            yield result
    except distributed.KilledWorker as error:
        raise SimulationError(
            f"a worker process died again and again on the same chunk ({error}): out of memory, or a crash in Pythia. "
            "Use fewer workers (simulation.workers), or workers: 1 to see the crash"
        ) from error
    finally:
        client.cancel(list(running.futures))


def _submit(client: Any, function: Callable[..., Result], waiting: Iterator[Task], running: Any) -> None:
    for task in waiting:
        running.add(client.submit(function, *task, pure=False))
        return


@contextlib.contextmanager
def _client(config: SimulationConfig) -> Iterator[Any]:
    distributed = _distributed()
    with contextlib.ExitStack() as stack:
        if config.scheduler is None:
            with _interrupts_deferred():
                cluster = stack.enter_context(
                    distributed.LocalCluster(
                        n_workers=number_of_workers(config), threads_per_worker=1, dashboard_address="127.0.0.1:0",
                        memory_limit=0, silence_logs=logging.CRITICAL,
                    )
                )  # fmt: skip
                client = stack.enter_context(distributed.Client(cluster))
                client.run(_ignore_interrupts)
            yield client
            return
        try:
            client = stack.enter_context(distributed.Client(config.scheduler, timeout=_PATIENCE))
        except (OSError, TimeoutError, ValueError) as error:
            raise SimulationError(
                f"cannot reach the Dask scheduler '{config.scheduler}' (simulation.scheduler): {error}. Start it with "
                "`dask scheduler`, or leave the key out for a local cluster"
            ) from error
        yield client


def _ignore_interrupts() -> None:
    """Leave Ctrl-C, which a terminal sends to all processes, to the calling process: it stops the workers."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


@contextlib.contextmanager
def _interrupts_deferred() -> Iterator[None]:
    """Let Ctrl-C wait until the block has ended: a cluster that is interrupted while it starts cannot be closed."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    waiting: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _: waiting.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if waiting:
        raise KeyboardInterrupt


def _distributed() -> Any:
    try:
        import distributed
    except ImportError as error:
        raise DependencyError(
            f"several workers need Dask: pip install 'partonic[simulation]', or set simulation.workers to 1 ({error})"
        ) from error
    return distributed
