"""`partonic new` as a user meets it."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from partonic.cli import main
from partonic.config import load_analysis


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def test_new_file(tmp_path: Path) -> None:
    path = tmp_path / "my.yaml"
    found = run("new", "tth", "--decay-channel", "dilepton", "-o", path)
    assert found.exit_code == 0, found.stderr
    assert found.stdout == f"wrote {path}\nnext: partonic check {path}\n"
    assert load_analysis(path).simulation.decays.tops == "dilepton"


def test_name_of_the_file_is_that_of_the_analysis(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    found = run("new", "tth", "--from", "nanoaod")
    assert found.exit_code == 0, found.stderr
    assert "  fill in import.cross_section: of your sample in pb" in found.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["tth_semileptonic_nanoaod.yaml"]


def test_file_that_is_there_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "my.yaml"
    path.write_text("precious")
    found = run("new", "tth", "-o", path)
    assert found.exit_code == 1
    assert f"{path} is there already; name another file with --output, or replace it with --force" in found.stderr
    assert path.read_text() == "precious"
    assert run("new", "tth", "-o", path, "--force").exit_code == 0
    assert load_analysis(path).name == "tth_semileptonic"


@pytest.mark.parametrize(
    ("arguments", "known"),
    [
        (["ttX"], "did you mean 'tth'? Known: external, thq, ttbb, tth"),
        (["tth", "--channel", "leptons"], "Known: all_hadronic, dilepton, inclusive, semileptonic"),
        (["tth", "--from", "root"], "Known: delphes, generation, hepmc, lhe, nanoaod"),
    ],
)
def test_unknown_name_lists_what_there_is(tmp_path: Path, arguments: list[str], known: str) -> None:
    found = run("new", *arguments, "-o", tmp_path / "a.yaml")
    assert found.exit_code == 1
    assert known in found.stderr
    assert not list(tmp_path.iterdir())


def test_help_names_what_there_is() -> None:
    """The choices are written out, so that the help need not load the sections of the configuration."""
    from partonic.config.template import OWN_EVENTS, sources

    text = " ".join(run("new", "--help").stdout.split())
    for name in (each for each in sources() if each != OWN_EVENTS):
        assert name in text
