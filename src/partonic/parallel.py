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
from typing import Any, Protocol, TypeVar, runtime_checkable

import torch

from partonic.errors import DependencyError, PartonicError, SimulationError

__all__ = ["WorkerSettings", "number_of_workers", "run_tasks"]

Result = TypeVar("Result")
Task = tuple[Any, ...]

_PATIENCE = "30s"
"""How long to wait for the scheduler of the user."""

_AHEAD = 2
"""Tasks in flight per worker: one at work, one waiting. It bounds the memory of the calling process."""


@runtime_checkable
class WorkerSettings(Protocol):
    """Where work is done: a section of an analysis file with these keys."""

    @property
    def workers(self) -> int | None:
        """Number of worker processes; None: one for each core."""

    @property
    def scheduler(self) -> str | None:
        """Address of a running Dask scheduler; None: a local cluster."""


def run_tasks(
    function: Callable[..., Result],
    tasks: Iterable[Task],
    config: WorkerSettings,
    section: str = "simulation",
    error: type[PartonicError] = SimulationError,
) -> Generator[Result, None, None]:
    """Yield ``function(*task)`` for each task, in the order in which they finish.

    Args:
        function: importable function; its errors are raised here.
        tasks: arguments, taken one after another as workers become free.
        config: number of workers, or the address of a scheduler.
        section: name of the section with these settings, for messages.
        error: class of the error below.

    Raises:
        PartonicError: of the class `error`, if a worker dies again and again, or the scheduler cannot be reached.
    """
    if config.scheduler is None and number_of_workers(config) == 1:
        for task in tasks:
            threads = torch.get_num_threads()
            try:
                result = function(*task)
            finally:
                torch.set_num_threads(threads)  # a task takes one core; what comes after it in this process need not
            yield result
        return
    try:
        with _client(config, section) as client:
            yield from _run_on(client, function, tasks, section)
    except _WorkersError as failure:
        raise error(str(failure)) from failure


class _WorkersError(Exception):
    """Workers, or their scheduler, cannot be used."""


def number_of_workers(config: WorkerSettings) -> int:
    """Return the number of local worker processes: as configured, else one for each core that may be used."""
    return config.workers or len(os.sched_getaffinity(0))


def _run_on(client: Any, function: Callable[..., Result], tasks: Iterable[Task], section: str) -> Iterator[Result]:
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
        crash = "a crash in Pythia" if section == "simulation" else "a crash"
        raise _WorkersError(
            f"a worker process died again and again on the same chunk ({error}): out of memory, or {crash}. "
            f"Use fewer workers ({section}.workers), or workers: 1 to see the crash"
        ) from error
    finally:
        client.cancel(list(running.futures))


def _submit(client: Any, function: Callable[..., Result], waiting: Iterator[Task], running: Any) -> None:
    for task in waiting:
        running.add(client.submit(function, *task, pure=False))
        return


@contextlib.contextmanager
def _client(config: WorkerSettings, section: str) -> Iterator[Any]:
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
            raise _WorkersError(
                f"cannot reach the Dask scheduler '{config.scheduler}' ({section}.scheduler): {error}. Start it with "
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
            f"several workers need Dask: pip install 'partonic[simulation]', or set the key workers to 1 ({error})"
        ) from error
    return distributed
