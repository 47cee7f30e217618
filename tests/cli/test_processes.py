"""`partonic processes` as a user meets it."""

import json

import pytest
from click.testing import CliRunner, Result

from partonic.cli import main
from partonic.process_registry import find_process, process_names


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["processes", *arguments])


def test_all_are_listed_with_their_parameters() -> None:
    found = run()
    assert found.exit_code == 0, found.stderr
    lines = found.stdout.splitlines()
    for name in process_names():
        line = next(line for line in lines if line.startswith(f"{name} "))
        assert find_process(name).title in line
    assert any("c_WWW" in line for line in lines)


@pytest.mark.parametrize("name", process_names())
def test_each_is_explained(name: str) -> None:
    found = run(name)
    assert found.exit_code == 0, found.stderr
    definition = find_process(name)
    text = found.stdout
    assert definition.summary in text
    for parameter in definition.parameters(definition.settings()):
        assert parameter.description.split()[0] in text
        if parameter.unit:
            assert parameter.unit in text
    for key in definition.settings.model_fields:
        assert key in ("name", "pdf") or f"  {key}: " in text
    for example in definition.examples:
        assert f"examples/{example}" in text


def test_decays_and_the_value_of_the_standard_model_are_told() -> None:
    text = run("wz").stdout
    assert "W → l_W, nu is part of the matrix element" in text
    assert "H is decayed by the shower (simulation.decays)" in run("tth").stdout
    assert "kappa_e: 1 in the Standard Model" in run("thq").stdout


def test_for_programs() -> None:
    content = json.loads(run("wz", "--json").stdout)["processes"][0]
    assert content["name"] == "wz"
    assert [each["name"] for each in content["parameters"]] == ["c_PhiWB", "c_WWW", "c_Phiq3"]
    assert len(content["monomials"]) == 10
    assert [each["name"] for each in json.loads(run("--json").stdout)["processes"]] == list(process_names())


def test_unknown_process() -> None:
    found = run("ttcc")
    assert found.exit_code == 1
    assert "there is no process 'ttcc'; known: external, " in found.stderr
