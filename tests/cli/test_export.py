"""`partonic export` as a user meets it."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from tests.export.bundles import of_signal, reader

from partonic.cli import main
from partonic.pretrained import pretrained_folder


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["export", *map(str, arguments)])


def test_a_result_becomes_a_bundle(tmp_path: Path) -> None:
    result = of_signal(tmp_path)
    found = run("likelihood", "--result", result, "-o", tmp_path / "bundle")
    assert found.exit_code == 0, found.output
    assert "export likelihood: likelihood of " in found.output
    assert reader().Likelihood(tmp_path / "bundle").names[:2] == ["a", "b"]
    again = run("likelihood", "--result", result / "result.json", "-o", tmp_path / "bundle", "--json")
    content = json.loads(again.stdout)
    assert content["steps"][0]["files"] == [str(tmp_path / "bundle")]
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("mine")
    refused = run("likelihood", "--result", result, "-o", tmp_path / "mine")
    assert refused.exit_code == 1
    assert "nothing is written over them" in refused.output


def test_mistakes_are_one_message(tmp_path: Path) -> None:
    assert run("likelihood", "-o", tmp_path / "bundle").exit_code == 2
    both = run("likelihood", "x.yaml", "--result", tmp_path, "-o", tmp_path / "bundle")
    assert "give an ANALYSIS, or --result" in both.output
    nothing = run("likelihood", "--result", tmp_path, "-o", tmp_path / "bundle")
    assert nothing.exit_code == 1
    assert "cannot read the result of the inference" in nothing.output
    sampler = run("network", pretrained_folder("tth") / "hard", "-o", tmp_path / "x.onnx")
    assert sampler.exit_code == 1
    assert "a model of unfolding, which is a sampler" in sampler.output
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_the_acceptance_that_ships_becomes_a_file(tmp_path: Path) -> None:
    found = run("network", pretrained_folder("tth") / "mem" / "acceptance", "-o", tmp_path / "acceptance.onnx")
    assert found.exit_code == 0, found.output
    assert "ONNX Runtime and torch differ by " in found.output
    assert "on 1000 random events" in found.output
    assert [each.name for each in tmp_path.iterdir()] == ["acceptance.onnx"]
