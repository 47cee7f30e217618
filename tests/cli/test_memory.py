import subprocess
import sys

import pytest

from partonic.cli import memory
from partonic.cli.memory import MemoryWatch, memory_bytes


def test_memory_counts_worker_processes() -> None:
    before = memory_bytes()
    command = [sys.executable, "-c", "block = bytearray(200_000_000); print(len(block), flush=True); input()"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        assert memory_bytes() - before > 150e6
        child.communicate(b"\n")
    assert abs(memory_bytes() - before) < 150e6


def test_memory_in_words_is_looked_up_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    now, used = 0.0, 1.5e9
    monkeypatch.setattr(memory.time, "monotonic", lambda: now)
    monkeypatch.setattr(memory, "memory_bytes", lambda: used)
    watch = MemoryWatch()
    assert watch.text() == "1.50 GB"
    now, used = 1.9, 3e9
    assert watch.text() == "1.50 GB"
    now = 2.0
    assert watch.text() == "3.00 GB"


def test_process_that_has_ended_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    class Gone:
        def memory_info(self) -> object:
            raise memory.psutil.NoSuchProcess(1)

    class Own:
        def memory_info(self) -> object:
            return type("Info", (), {"rss": 7})

        def children(self, recursive: bool) -> list[Gone]:
            return [Gone()]

    monkeypatch.setattr(memory.psutil, "Process", Own)
    assert memory_bytes() == 7
