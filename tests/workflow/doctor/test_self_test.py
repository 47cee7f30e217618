"""The self-test passes here, says what failed where something is broken, and outlives the crash of a library."""

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from partonic.config import AnalysisConfig
from partonic.errors import InferenceError, ModelError, ProcessError, SimulationError
from partonic.events.reconstructed import count_selected
from partonic.workflow.doctor import self_test
from partonic.workflow.doctor.self_test import TestResult, run_self_test, self_test_config

PARTS = ["matrix element", "generate", "simulate", "sample", "mem", "infer", "report"]


@pytest.mark.slow
@pytest.mark.xdist_group("whole analysis")
def test_small_analysis_passes() -> None:
    results = list(run_self_test())
    assert [result.name for result in results] == PARTS
    assert {result.condition for result in results} == {"ok"}, results
    assert "independent program" in results[0].detail
    assert all("partonic-self-test" not in result.detail for result in results[:-1])


@pytest.fixture
def interpreter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Put a shell script in the place of the interpreter; $3 is the folder of the self-test."""

    def use(script: str) -> None:
        path = tmp_path / "python"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        monkeypatch.setattr(self_test.sys, "executable", str(path))

    return use


DONE = """echo '{"detail": "fine", "seconds": 1.5}' >> "$3/results.jsonl\""""


def test_crash_of_a_library(interpreter: Callable[[str], None]) -> None:
    interpreter(f"{DONE}\nulimit -c 0\nkill -SEGV $$")
    results = list(run_self_test())
    assert results[0] == TestResult("matrix element", "ok", "fine", 1.5)
    assert (results[1].name, results[1].condition) == ("generate", "FAILED")
    assert results[1].detail == "the process was ended by SIGSEGV: a library has crashed, or memory ran out"
    assert [(each.name, each.condition) for each in results[2:]] == [(name, "skipped") for name in PARTS[2:]]
    assert results[2].detail == "not reached, for 'generate' failed"


@pytest.mark.parametrize(
    ("script", "detail"),
    [("echo Traceback; echo 'partonic.errors.PdfError: no set' >&2; exit 1", "partonic.errors.PdfError: no set"),
     ("exit 3", "the process ended with status 3")],
)  # fmt: skip
def test_error_is_told_by_its_last_line(interpreter: Callable[[str], None], script: str, detail: str) -> None:
    interpreter(script)
    results = list(run_self_test())
    assert (results[0].condition, results[0].detail) == ("FAILED", detail)


def test_what_needs_a_missing_package_is_skipped(interpreter: Callable[[str], None]) -> None:
    interpreter(f"{DONE}\n{DONE}\n")
    results = list(run_self_test(missing=["fastjet", "iminuit"]))
    assert [(each.name, each.condition) for each in results] == [
        ("matrix element", "ok"), ("generate", "ok"), ("simulate", "skipped"), ("sample", "skipped"),
        ("mem", "skipped"), ("infer", "skipped"), ("report", "skipped"),
    ]  # fmt: skip
    assert results[2].detail == "needs fastjet: pip install 'partonic[simulation]'"
    assert results[3].detail == "needs what 'simulate' makes"
    assert results[5].detail == "needs iminuit: pip install 'partonic[inference]'"


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AnalysisConfig:
    """The analysis, whose steps do nothing."""
    monkeypatch.setattr(self_test, "_summary", lambda config, step: "done")
    return self_test_config(tmp_path)


def leave(path: Path, content: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))


def test_wrong_cross_section(config: AnalysisConfig) -> None:
    record = config.output / "generate" / "generation.json"
    leave(record, {"cross_section": {"value": 0.45, "error": 0.005}})
    assert self_test._generate(config) == "done"
    leave(record, {"cross_section": {"value": 0.60, "error": 0.005}})
    with pytest.raises(ProcessError, match=r"σ\(ttH\) = 0\.6000 ± 0\.0050 pb, expected 0\.4463 pb"):
        self_test._generate(config)


@pytest.mark.parametrize(("selected", "passes"), [(30, True), (2, False), (120, False)])
def test_wrong_number_of_selected_events(
    config: AnalysisConfig, monkeypatch: pytest.MonkeyPatch, selected: int, passes: bool
) -> None:
    class Store:
        num_events = 200

    monkeypatch.setattr("partonic.events.store.EventStore.open", lambda path: Store())
    monkeypatch.setattr(f"{count_selected.__module__}.count_selected", lambda store, purpose: selected)
    if passes:
        assert self_test._simulate(config) == "done"
    else:
        with pytest.raises(SimulationError, match=f"{selected} of 200 events are selected, expected about 15%"):
            self_test._simulate(config)


def test_nothing_unfolded_or_integrated(config: AnalysisConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    samples = SimpleNamespace(metadata=SimpleNamespace(counts={"failed": 5}))
    monkeypatch.setattr("partonic.unfolding.samples_file.SamplesFile.open", lambda path: samples)
    with pytest.raises(ModelError, match=r"no event could be unfolded: \{'failed': 5\}"):
        self_test._sample(config)
    coefficients = SimpleNamespace(usable=lambda: np.zeros(5, dtype=bool))
    monkeypatch.setattr(
        "partonic.inference.coefficients.coefficients_file.read_coefficients", lambda path: (coefficients, None)
    )
    with pytest.raises(ModelError, match="no event could be integrated"):
        self_test._mem(config)


@pytest.mark.parametrize(("value", "valid", "passes"), [(1e-8, True, True), (0.5, True, False), (0.0, False, False)])
def test_wrong_fit(config: AnalysisConfig, value: float, valid: bool, passes: bool) -> None:
    best = {"delta_kappa_t": {"value": value, "total": 0.1, "free": True}}
    content = {"best_fit": best, "valid": valid, "luminosity": 300.0, "data": {"events": 5.0}, "intervals": {}}
    leave(config.output / "infer" / "result.json", content)
    if passes:
        assert "delta_kappa_t = 1e-08" in self_test._infer(config)
    else:
        with pytest.raises(InferenceError, match="must give the truth, 0, but gives delta_kappa_t = "):
            self_test._infer(config)


def test_parts_leave_a_line_each(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(self_test, "_summary", lambda config, step: f"{step} done")
    self_test.work(str(tmp_path), ["matrix element", "report"])
    lines = [json.loads(line) for line in (tmp_path / "results.jsonl").read_text().splitlines()]
    assert "independent program" in lines[0]["detail"]
    assert lines[1]["detail"] == "report done"


def test_a_package_that_is_there_but_broken_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "broken_library.py").write_text("raise ImportError('libGL.so.1: cannot open')")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setitem(self_test._NEEDS, "report", ("broken_library",))
    with pytest.raises(ImportError, match="cannot open"):
        self_test.work(str(tmp_path), ["matrix element", "report"])
    assert len((tmp_path / "results.jsonl").read_text().splitlines()) == 1
