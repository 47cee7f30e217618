import platform
import subprocess
import sys

import pytest

from partonic.nn import allocation
from partonic.nn.allocation import keep_freed_memory

FAULTS = """
import resource, sys, torch
from partonic.nn.allocation import keep_freed_memory
if sys.argv[1] == "keep":
    assert keep_freed_memory()
def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
torch.zeros(12_000_000) + 1.0
before = faults()
for _ in range(20):
    torch.zeros(12_000_000) + 1.0
print(faults() - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries cannot be told")
def test_freed_memory_is_used_again() -> None:
    """Twenty times two tensors of 48 MB have 480,000 pages of 4 kB, few of which are new if they are kept."""
    found = {}
    for word in ("keep", "leave"):
        done = subprocess.run([sys.executable, "-c", FAULTS, word], check=True, capture_output=True, text=True)
        found[word] = int(done.stdout)
    assert found["keep"] < 0.3 * found["leave"]


def test_other_systems_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert not keep_freed_memory()
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(allocation.ctypes, "CDLL", lambda _: object())  # musl
    assert not keep_freed_memory()
