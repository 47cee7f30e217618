import dataclasses
import re
from pathlib import Path

import pytest

from partonic.errors import ModelError
from partonic.workflow.doctor import Diagnosis, Part, diagnosis, examine
from partonic.workflow.doctor.extras import Extra
from partonic.workflow.doctor.machine import Machine
from partonic.workflow.doctor.self_test import TestResult


def found(folder: Path) -> dict[str, Part]:
    return {part.subject: part for part in examine(folder, self_test=False)}


def test_installation_of_the_tests_is_sound(tmp_path: Path) -> None:
    parts = found(tmp_path / "runs" / "new")
    assert list(parts) == ["packages", "extras", "machine", "PDF sets", "pretrained models"]
    assert {part.condition for part in parts.values()} == {"ok"}
    assert Diagnosis(list(parts.values())).passed
    assert "torch" in parts["packages"].facts["versions"]
    assert "NNPDF31_lo_as_0130" in parts["PDF sets"].facts["pdf_sets"]
    assert parts["machine"].facts["folder"] == str(tmp_path)
    assert parts["machine"].facts["cores"] >= 1
    assert 0 < parts["machine"].facts["memory_available"] <= parts["machine"].facts["memory"]
    assert not (tmp_path / "runs").exists()


def test_package_that_is_needed_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(diagnosis, "missing_dependencies", lambda: ("pyarrow",))
    part = found(tmp_path)["packages"]
    assert part.condition == "FAILED"
    assert "not installed: pyarrow" in part.detail
    assert not Diagnosis([part]).passed


def test_what_only_developers_use_may_be_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(diagnosis, "installed_extras", lambda: (Extra("benchmarks", "peers", ("nosuchpeer",)),))
    assert "extra benchmarks" not in found(tmp_path)


def test_missing_extra_is_told_with_its_purpose(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    extras = (Extra("report", "the page", ()), Extra("ufo", "matrix elements", ("pyamplicol",)))
    monkeypatch.setattr(diagnosis, "installed_extras", lambda: extras)
    parts = found(tmp_path)
    assert parts["extras"].detail == "installed: report"
    missing = parts["extra ufo"]
    assert missing.condition == "missing"
    assert missing.detail == "matrix elements; lacks pyamplicol: pip install 'partonic[ufo]'"
    assert Diagnosis(list(parts.values())).passed


@pytest.mark.parametrize(
    ("change", "problem"),
    [({"writable": False}, "no file can be made there"), ({"free": 10**9}, "1.0 GB free in .*: less than the 2 GB")],
)
def test_machine_that_does_not_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: dict[str, object], problem: str
) -> None:
    machine = dataclasses.replace(Machine.of(tmp_path), **change)
    monkeypatch.setattr(diagnosis.Machine, "of", lambda folder: machine)
    part = found(tmp_path)["machine"]
    assert part.condition == "FAILED"
    assert re.search(problem, part.detail)


def test_file_in_the_place_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("")
    assert found(tmp_path / "runs")["machine"].condition == "FAILED"


@pytest.mark.parametrize(
    ("versions", "condition", "remedy"),
    [
        ({"pythia8mc": "8"}, "FAILED", "install pythia8mc anew"),
        ({}, "missing", "it ships with Pythia 8: pip install 'partonic[simulation]'"),
    ],
)
def test_default_pdf_set_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, versions: dict[str, str], condition: str, remedy: str
) -> None:
    monkeypatch.setattr(diagnosis, "search_folders", lambda: [tmp_path])
    monkeypatch.setattr(diagnosis, "package_versions", lambda names: versions)
    part = found(tmp_path)["PDF sets"]
    assert part.condition == condition
    assert f"NNPDF31_lo_as_0130 is not there ({remedy}); found: none (in {tmp_path})" in part.detail


def test_damaged_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def damaged() -> tuple[str, ...]:
        message = "trained models that are damaged: x"
        raise ModelError(message)

    monkeypatch.setattr(diagnosis, "check_pretrained_models", damaged)
    part = found(tmp_path)["pretrained models"]
    assert (part.condition, part.detail) == ("FAILED", "trained models that are damaged: x")


def test_self_test_is_part_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    results = [TestResult("mem", "FAILED", "no event", 2.0), TestResult("infer", "skipped", "not reached")]
    monkeypatch.setattr(diagnosis, "run_self_test", lambda: iter(results))
    last = list(examine(tmp_path))[-2:]
    assert last == [
        Part("self-test, mem", "FAILED", "no event", {}, 2.0),
        Part("self-test, infer", "skipped", "not reached", {}, 0.0),
    ]
