"""A sample of another process: what the file says of it, and what cannot be done with it."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from partonic.cli import main
from partonic.config import load_analysis
from partonic.errors import ConfigError, ProcessError
from partonic.events.schema import ProcessInfo
from partonic.process_registry import find_process
from partonic.processes.definition import build_process


def load(tmp_path: Path, text: str):
    path = tmp_path / "a.yaml"
    path.write_text("name: a\n" + text, encoding="utf-8")
    return load_analysis(path)


IMPORT = "import: {format: lhe, files: [x.lhe]}\n"


def test_parameters_are_a_list_or_say_more(tmp_path: Path) -> None:
    short = load(tmp_path, IMPORT + "process: {name: external, parameters: [a, b], degree: 3}\n").process
    assert ProcessInfo.of_config(short).monomials.parameters == ("a", "b")
    assert len(ProcessInfo.of_config(short).monomials) == 10
    text = "process: {name: external, parameters: {a: {label: $a$, unit: TeV⁻², standard_model: 1.0}, b: }}\n"
    found = find_process("external").parameters(load(tmp_path, IMPORT + text).process)
    assert [(each.name, each.label, each.unit, each.standard_model) for each in found] == [
        ("a", "$a$", "TeV⁻²", 1.0), ("b", "b", "", 0.0),
    ]  # fmt: skip


def test_partons_are_slots_with_the_resonances_among_them(tmp_path: Path) -> None:
    text = "process: {name: external, parameters: [a], partons: {H: 25, gamma: 22}}\n"
    info = ProcessInfo.of_config(load(tmp_path, IMPORT + text).process)
    assert info.parton_names == ("H", "gamma")
    assert [resonance.name for resonance in info.decay_tree.resonances] == ["H"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "process: {name: external, parameters: [a]}\n",
            "process.name: the process 'external' has no matrix",
        ),
        (
            IMPORT + "process: {name: external, parameters: [a]}\nmem: {}\n",
            "mem: needs the matrix element of",
        ),
        (
            IMPORT + "process: {name: external, parameters: [a, a]}\n",
            "process.parameters: a parameter is listed twice",
        ),
        (IMPORT + "process: {name: external, parameters: ['a-b']}\n", "the name of a parameter is made of letters"),
        (
            IMPORT + "process: {name: external, parameters: [a]}\ninference: {source: truth, truth: {c: 1}}\n",
            "the process 'external' has no theory parameter 'c'",
        ),
    ],
)
def test_what_cannot_be_is_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(message)):
        load(tmp_path, text)


def test_there_is_no_matrix_element(tmp_path: Path) -> None:
    with pytest.raises(ProcessError, match="has no matrix element"):
        build_process(load(tmp_path, IMPORT + "process: {name: external, parameters: [a]}\n").process)


@pytest.fixture(scope="module")
def tutorial(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tutorial, its commands run one after another."""
    folder = tmp_path_factory.mktemp("tutorial")
    page = (repository / "docs" / "tutorials" / "your_own_sample.md").read_text(encoding="utf-8")
    script = repository / "docs" / "tutorials" / "make_your_own_sample.py"
    subprocess.run([sys.executable, str(script), "hgamma.lhe"], cwd=folder, check=True)
    analysis = re.search(r"```yaml\n(name: my_sample.*?)```", page, re.DOTALL)
    assert analysis is not None
    assert len(analysis[1].splitlines()) <= 15
    (folder / "my_sample.yaml").write_text(analysis[1], encoding="utf-8")
    return folder


def test_tutorial_goes_from_the_file_to_the_report(tutorial: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tutorial)
    found = CliRunner().invoke(main, ["run", "my_sample.yaml"])
    assert found.exit_code == 0, found.output
    assert (tutorial / "runs" / "my_sample" / "report" / "index.html").is_file()
    result = json.loads((tutorial / "runs" / "my_sample" / "infer" / "result.json").read_text(encoding="utf-8"))
    for name, truth in (("cHW", 0.3), ("cHB", 0.0)):
        found = result["best_fit"][name]
        assert abs(found["value"] - truth) < 3.0 * found["total"] < 1.0


def test_points_that_do_not_determine_the_polynomial_are_refused(
    tutorial: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tutorial)
    text = (tutorial / "my_sample.yaml").read_text().replace("[cHW, cHB]", "[cHW, cHB]\n  degree: 3")
    (tmp_path / "cubic.yaml").write_text(text, encoding="utf-8")
    found = CliRunner().invoke(main, ["run", str(tmp_path / "cubic.yaml"), "--output", str(tmp_path / "run")])
    assert found.exit_code == 1
    assert "10" in found.output
    assert "6" in found.output
