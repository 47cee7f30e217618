"""One run at a time in one output folder."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from partonic.errors import OutputError, WorkflowError
from partonic.files import output_folder

__all__ = ["folder_lock", "is_locked"]


@contextlib.contextmanager
def folder_lock(folder: Path) -> Iterator[None]:
    """Hold `folder` for this process; the operating system frees it when the process ends, however it ends.

    Raises:
        WorkflowError: if another process holds it.
        OutputError: if the folder cannot be created or written.
    """
    import filelock

    output_folder(folder)
    lock = filelock.FileLock(folder / ".lock")
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout as error:
        raise WorkflowError(
            f"another partonic is at work in {folder}; wait until it has ended, or choose another folder with --output"
        ) from error
    except OSError as error:
        raise OutputError(
            f"cannot write in {folder}: {error.strerror or error}. Choose another folder with the key `output` or "
            "with --output"
        ) from error
    try:
        yield
    finally:
        lock.release()


def is_locked(folder: Path) -> bool:
    """Whether a process holds `folder` now. Nothing is created; a lock that may not be opened counts as free."""
    import filelock

    path = folder / ".lock"
    if not path.is_file():
        return False
    lock = filelock.FileLock(path)
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        return True
    except OSError:
        return False
    lock.release()
    return False
