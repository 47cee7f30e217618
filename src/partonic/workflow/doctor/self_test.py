"""A small analysis in a folder of its own, in a process of its own: does each step give what it must?

A crash of a foreign library ends that process and is told like any other failure.
"""

import importlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from partonic.config.analysis import AnalysisConfig
from partonic.errors import InferenceError, ModelError, ProcessError, SimulationError

__all__ = ["TestResult", "run_self_test", "work"]

_RESULTS = "results.jsonl"

_CROSS_SECTION = 0.4463
"""σ(pp → tt̄H) in pb at θ = 0 with the default settings: 3 million points of phase space give 0.44626 ± 0.00052."""

_NEEDS = {
    "generate": ("madnis",),
    "simulate": ("awkward", "dask", "distributed", "fastjet", "pythia8mc"),
    "sample": (),
    "mem": ("dask", "distributed"),
    "infer": ("dask", "distributed", "iminuit"),
    "report": ("jinja2", "matplotlib"),
}
_EXTRAS = {"generate": "generation", "simulate": "simulation", "mem": "mem", "infer": "inference", "report": "report"}


@dataclass(frozen=True)
class TestResult:
    """What became of one part of the self-test.

    Attributes:
        name: what was tried.
        condition: whether it gave what it must; skipped if an optional package is missing.
        detail: what came out.
        seconds: that it took.
    """

    __test__ = False  # no test of pytest

    name: str
    condition: Literal["ok", "FAILED", "skipped"]
    detail: str
    seconds: float = 0.0


def run_self_test(missing: Sequence[str] | None = None) -> Iterator[TestResult]:
    """Run the small analysis, and yield what became of each part of it, some ten seconds in all.

    Args:
        missing: packages that count as not installed; default those that are not.
    """
    absent = [name for names in _NEEDS.values() for name in names if find_spec(name) is None]
    todo, skipped = _possible(absent if missing is None else missing)
    with tempfile.TemporaryDirectory(prefix="partonic-self-test-") as name:
        folder = Path(name)
        code = "import sys; from partonic.workflow.doctor.self_test import work; work(sys.argv[1], sys.argv[2:])"
        command = [sys.executable, "-c", code, str(folder), *todo]
        with (folder / "output.txt").open("w+b") as said:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=said, stderr=said)
            try:
                yield from _results_so_far(folder, process, todo)
            finally:
                process.kill()
                process.wait()
    yield from skipped


def work(folder: str, names: Sequence[str]) -> None:
    """Do parts of the self-test in order, and leave a line on each in the folder; an error ends the process.

    Args:
        folder: for all files.
        names: the parts.
    """
    config = self_test_config(Path(folder))
    for name in names:
        began = time.monotonic()
        for package in _NEEDS.get(name, ()):  # one that is there but broken is named here, and not where it is used
            importlib.import_module(package)
        detail = _part(name)(config)
        line = json.dumps({"detail": detail, "seconds": round(time.monotonic() - began, 2)})
        with (Path(folder) / _RESULTS).open("a", encoding="utf-8") as results:
            results.write(f"{line}\n")


def self_test_config(folder: Path) -> AnalysisConfig:
    """Return the analysis: 200 events of tt̄H, of which five are unfolded and integrated, and a fit to all."""
    sampler = {
        "vegas_iterations": 2, "vegas_points": 2_000, "vegas_bins": 16, "bins": 4, "units": 8, "rounds": 2,
        "points_per_round": 2_000, "steps_per_round": 5, "batch_size": 256,
    }  # fmt: skip
    return AnalysisConfig.model_validate(
        {
            "name": "self_test",
            "output": folder / "run",
            "generation": {
                "events": 200, "sampler": sampler, "pilot_points": 5_000, "chunk_points": 2_000,
                "overweight_limit": 0.1,
            },
            "simulation": {"workers": 1, "chunk_events": 200},
            "unfolding": {
                "model": "pretrained", "views": ["hard"], "sampling": {"samples_per_event": 10, "max_events": 5},
            },
            "mem": {"model": "pretrained", "points": {"first": 64, "maximum": 64}, "max_events": 5, "workers": 1},
            "inference": {
                "source": "truth", "data": "asimov", "parameters": ["delta_kappa_t"], "workers": 1, "expected": [],
            },
            "report": {"sections": ["summary"], "formats": ["png"]},
        }
    )  # fmt: skip


def _possible(missing: Sequence[str]) -> tuple[list[str], list[TestResult]]:
    """Return the parts that can be done, and the results of those that cannot."""
    todo, skipped = ["matrix element"], []
    for name, packages in _NEEDS.items():
        if lacking := [each for each in packages if each in missing]:
            detail = f"needs {', '.join(lacking)}: pip install 'partonic[{_EXTRAS[name]}]'"
            skipped.append(TestResult(name, "skipped", detail))
        elif name != "generate" and any(each.name in ("generate", "simulate") for each in skipped):
            skipped.append(TestResult(name, "skipped", f"needs what '{skipped[0].name}' makes"))
        else:
            todo.append(name)
    return todo, skipped


def _results_so_far(folder: Path, process: "subprocess.Popen[bytes]", names: Sequence[str]) -> Iterator[TestResult]:
    """Yield the results in the order in which they come; the last one may be how the process failed."""
    done, began = 0, time.monotonic()
    while True:
        ended = process.poll() is not None
        path = folder / _RESULTS
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True) if path.is_file() else []
        for line in [each for each in lines if each.endswith("\n")][done:]:
            found = json.loads(line)
            yield TestResult(names[done], "ok", found["detail"], found["seconds"])
            done, began = done + 1, time.monotonic()
        if ended:
            break
        time.sleep(0.05)
    if process.returncode:
        yield TestResult(names[done], "FAILED", _cause(folder, process.returncode), time.monotonic() - began)
        for name in names[done + 1 :]:
            yield TestResult(name, "skipped", f"not reached, for '{names[done]}' failed")


def _cause(folder: Path, status: int) -> str:
    """Return why the process ended: the signal that killed it, or the last line that it wrote."""
    if status < 0:
        return f"the process was ended by {signal.Signals(-status).name}: a library has crashed, or memory ran out"
    lines = (folder / "output.txt").read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return lines[-1] if lines else f"the process ended with status {status}"


def _part(name: str) -> Callable[[AnalysisConfig], str]:
    return {"matrix element": _matrix_element, "generate": _generate, "simulate": _simulate, "sample": _sample,
            "mem": _mem, "infer": _infer, "report": _report}[name]  # fmt: skip


def _matrix_element(config: AnalysisConfig) -> str:
    from partonic.workflow.physics_check import matrix_element_agrees

    return matrix_element_agrees(config)


def _summary(config: AnalysisConfig, step: str) -> str:
    """Run a step; return the first line of its summary without the path."""
    from partonic.workflow.runner import run_analysis

    line = run_analysis(config, steps=[step])[-1].summary.splitlines()[0]
    return line.replace(f"{config.output}{os.sep}", "")


def _generate(config: AnalysisConfig) -> str:
    from partonic.workflow.places import generation_record

    summary = _summary(config, "generate")
    record = json.loads(generation_record(config).read_text(encoding="utf-8"))
    found, error = record["cross_section"]["value"], record["cross_section"]["error"]
    if not abs(found - _CROSS_SECTION) < 5.0 * error:
        raise ProcessError(f"σ(ttH) = {found:.4f} ± {error:.4f} pb, expected {_CROSS_SECTION} pb")
    return summary


def _simulate(config: AnalysisConfig) -> str:
    from partonic.events.reconstructed import count_selected
    from partonic.events.store import EventStore
    from partonic.workflow.places import event_store

    summary = _summary(config, "simulate")
    store = EventStore.open(event_store(config))
    selected = count_selected(store, "test")
    if not 0.05 < selected / store.num_events < 0.25:  # 15% of such events are selected
        raise SimulationError(f"{selected} of {store.num_events} events are selected, expected about 15%")
    return summary


def _sample(config: AnalysisConfig) -> str:
    from partonic.event_status import OK
    from partonic.unfolding.samples_file import SamplesFile
    from partonic.workflow.places import samples_file

    summary = _summary(config, "sample")
    counts = SamplesFile.open(samples_file(config, "hard")).metadata.counts
    if not counts.get(OK):
        raise ModelError(f"no event could be unfolded: {counts}")
    return summary


def _mem(config: AnalysisConfig) -> str:
    from partonic.inference.coefficients.coefficients_file import read_coefficients
    from partonic.workflow.places import coefficients_file

    summary = _summary(config, "mem")
    coefficients, _ = read_coefficients(coefficients_file(config))
    if not coefficients.usable().any():
        raise ModelError(f"no event could be integrated: {summary}")
    return summary


def _infer(config: AnalysisConfig) -> str:
    from partonic.workflow.inference_result import inference_result, result_line

    _summary(config, "infer")
    result = inference_result(config.output / "infer" / "result.json") or {}
    value = result["best_fit"]["delta_kappa_t"]["value"]
    if not (result["valid"] and abs(value) < 1e-3):
        raise InferenceError(f"the fit to the expected numbers must give the truth, 0, but gives {result_line(result)}")
    return result_line(result)


def _report(config: AnalysisConfig) -> str:
    return _summary(config, "report")
