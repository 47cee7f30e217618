"""Processes are found by their names: those of the package, of other packages, and of the session."""

import subprocess
import sys
from pathlib import Path

import pytest

from partonic.errors import ProcessError
from partonic.process_registry import find_process, process_names, register_process


def test_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(ProcessError, match=r"there is no process 'ttcc'; known: .*ttbb.*tth"):
        find_process("ttcc")


def test_name_can_be_taken_once() -> None:
    with pytest.raises(ProcessError, match="already a process 'tth'"):
        register_process(find_process("tth"))
    assert list(process_names()).count("tth") == 1


def run_with_package(tmp_path: Path, entry: str, source: str, code: str) -> subprocess.CompletedProcess[str]:
    """Run code with an installed package that brings a process."""
    (tmp_path / "brought.py").write_text(source, encoding="utf-8")
    info = tmp_path / "brought-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: brought\nVersion: 1.0\n", encoding="utf-8")
    (info / "entry_points.txt").write_text(f"[partonic.processes]\n{entry}\n", encoding="utf-8")
    run = f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n{code}"
    return subprocess.run([sys.executable, "-c", run], capture_output=True, text=True, check=False)


SOURCE = """
from typing import Literal
from partonic.config.process import ProcessConfig
from partonic.processes.definition import ProcessDefinition

class Settings(ProcessConfig):
    name: Literal["brought"] = "brought"
    coupling: float = 2.0

definition = ProcessDefinition(name="brought", title="a b", summary="none", settings=Settings)
"""


def test_package_brings_a_process(tmp_path: Path) -> None:
    code = (
        "from partonic.config import AnalysisConfig\n"
        "config = AnalysisConfig.model_validate({'name': 'a', 'process': {'name': 'brought', 'coupling': 3}})\n"
        "print(type(config.process).__name__, config.process.coupling)"
    )
    done = run_with_package(tmp_path, "brought = brought:definition", SOURCE, code)
    assert done.stdout.split() == ["Settings", "3.0"], done.stderr


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("brought = brought:nothing", "the process 'brought' of the package brought cannot be loaded"),
        ("other = brought:definition", "must name the definition of a process 'other'"),
    ],
)
def test_package_that_is_broken_is_named(tmp_path: Path, entry: str, message: str) -> None:
    name = entry.split(maxsplit=1)[0]
    code = f"from partonic.process_registry import find_process\nfind_process({name!r})"
    done = run_with_package(tmp_path, entry, SOURCE, code)
    assert done.returncode != 0
    assert message in done.stderr
