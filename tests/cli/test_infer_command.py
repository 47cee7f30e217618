"""`partonic infer` as a user meets it."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from tests.inference.line_toy import coefficients, grid, rate, write_store
from tests.inference.test_samples import write

from partonic.cli import main


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture
def files(tmp_path: Path) -> list[object]:
    x = grid(100)
    store = write_store(tmp_path / "events.parquet", x).path
    signal = write(tmp_path / "signal.parquet", coefficients(x), rate().record())
    return ["--coefficients", signal, "--store", store, "--output", tmp_path / "out", "--luminosity", 30]


def test_file_of_coefficients(files: list[object], tmp_path: Path) -> None:
    found = run("infer", *files, "--theta", "b=0.9", "--data", "asimov")
    assert found.exit_code == 0, found.output
    assert "  b: 68% " in found.output
    assert "truth 0.9" in found.output
    result = json.loads((tmp_path / "out" / "result.json").read_text())
    assert (result["luminosity"], result["data"]["kind"]) == (30.0, "asimov")


def test_mistakes_are_one_message(files: list[object], tmp_path: Path) -> None:
    assert "give an ANALYSIS, or --coefficients" in run("infer").output
    assert "--theta expects NAME=VALUE" in run("infer", *files, "--theta", "b").output
    assert "unknown parameter 'c'" in run("infer", *files, "--theta", "c=1").output
    (tmp_path / "analysis.yaml").write_text("name: toy\ninference: {}\n")
    both = run("infer", tmp_path / "analysis.yaml", "--luminosity", 3)
    assert "--luminosity: the analysis file has these settings, in its section `inference`" in both.output
    assert both.exit_code == 2
