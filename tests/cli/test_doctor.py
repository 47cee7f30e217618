"""`partonic doctor` as a user meets it."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import partonic.workflow.doctor
from partonic.cli import main
from partonic.workflow.doctor import Part


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["doctor", *map(str, arguments)])


@pytest.mark.parametrize(
    ("condition", "status", "verdict"),
    [("ok", 0, "nothing that is needed is broken"), ("missing", 0, "nothing that is needed is broken"),
     ("FAILED", 1, "something that is needed is broken, see FAILED above")],
)  # fmt: skip
def test_findings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, condition: str, status: int, verdict: str) -> None:
    parts = [
        Part("machine", "ok", "2 cores", {"cores": 2}),
        Part("self-test, mem", condition, "kappa_tilde_t", {}, 1.5),
    ]
    asked = []

    def examine(folder: Path, self_test: bool) -> list[Part]:
        asked.append((folder, self_test))
        return parts

    monkeypatch.setattr(partonic.workflow.doctor, "examine", examine)
    found = run("-o", tmp_path)
    assert found.exit_code == status
    assert found.stdout.splitlines() == [
        "ok      machine: 2 cores",
        f"{condition:7} self-test, mem: κ̃_t (1.5 s)",
        verdict,
    ]
    told = run("--json", "--no-self-test")
    assert told.exit_code == status
    assert json.loads(told.stdout) == {
        "passed": status == 0,
        "findings": [
            {"subject": "machine", "condition": "ok", "detail": "2 cores", "seconds": None},
            {"subject": "self-test, mem", "condition": condition, "detail": "kappa_tilde_t", "seconds": 1.5},
        ],
        "cores": 2,
    }
    assert asked == [(tmp_path, True), (Path("runs"), False)]


def test_real_installation() -> None:
    found = run("--no-self-test", "--json")
    assert found.exit_code == 0, found.output
    content = json.loads(found.stdout)
    assert content["passed"]
    assert content["versions"]["partonic"] == partonic.__version__
    assert content["extras"]["report"]["missing"] == []
