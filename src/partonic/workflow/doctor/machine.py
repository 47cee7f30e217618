"""The machine: cores, memory, and room on the disk where results go."""

import os
import platform
import shutil
from dataclasses import dataclass
from pathlib import Path

__all__ = ["ROOM_NEEDED", "Machine"]

ROOM_NEEDED = 2_000_000_000
"""Bytes on the disk below which an analysis of usual size does not fit."""


@dataclass(frozen=True)
class Machine:
    """What this process may use.

    Attributes:
        system: operating system and architecture.
        cores: that this process may run on.
        memory: of the machine, in bytes.
        available: of it, not in use.
        folder: whose disk is looked at.
        free: bytes free there.
        writable: whether files can be made there.
        gpus: names of the CUDA devices.
    """

    system: str
    cores: int
    memory: int
    available: int
    folder: Path
    free: int
    writable: bool
    gpus: tuple[str, ...]

    @classmethod
    def of(cls, folder: Path) -> "Machine":
        """Look at this machine.

        Args:
            folder: where results will go; it need not exist yet.
        """
        import psutil
        import torch

        there = next(path for path in (folder.resolve(), *folder.resolve().parents) if path.exists())
        memory = psutil.virtual_memory()
        devices = range(torch.cuda.device_count()) if torch.cuda.is_available() else ()
        return cls(
            system=f"{platform.system()} {platform.machine()}",
            cores=len(os.sched_getaffinity(0)),
            memory=memory.total,
            available=memory.available,
            folder=there,
            free=shutil.disk_usage(there).free,
            writable=there.is_dir() and os.access(there, os.W_OK),
            gpus=tuple(torch.cuda.get_device_name(number) for number in devices),
        )
