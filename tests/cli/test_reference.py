"""The reference page of the command line has every command and option, and completion works as it says."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import click
import pytest

from partonic.cli import main


@pytest.fixture(scope="module")
def writer(repository: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("write_command_line", repository / "docs" / "write_command_line.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def page(writer: ModuleType) -> str:
    return writer.PAGE.read_text(encoding="utf-8")


def test_page_is_up_to_date(writer: ModuleType, page: str) -> None:
    assert writer.page(page) == page, "run python docs/write_command_line.py"


def commands(group: click.Group, before: str = "") -> dict[str, click.Command]:
    """All commands by their whole names, those of groups within the group among them."""
    found: dict[str, click.Command] = {}
    for name, command in group.commands.items():
        inner = commands(command, f"{before}{name} ") if isinstance(command, click.Group) else {before + name: command}
        found |= inner
    return found


COMMANDS = commands(main)


@pytest.mark.parametrize("name", list(COMMANDS))
def test_every_command_is_on_it(page: str, name: str) -> None:
    section = page.partition(f"### `partonic {name}")[2].partition("###")[0]
    assert section
    for option in COMMANDS[name].params:
        if isinstance(option, click.Option):
            assert all(f"`{spelt}" in section for spelt in option.opts)


def test_it_is_linked(repository: Path) -> None:
    assert "(reference/command_line.md)" in (repository / "docs" / "index.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("status", [0, 1, 2, 130, 143])
def test_exit_status_is_on_it(page: str, status: int) -> None:
    """The statuses themselves are tested with the commands."""
    assert f"\n| {status} | " in page


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(page: str, shell: str) -> None:
    assert f"_PARTONIC_COMPLETE={shell}_source partonic" in page
    script = completing({"_PARTONIC_COMPLETE": f"{shell}_source"})
    assert f"_PARTONIC_COMPLETE={shell}_complete" in script


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("partonic st", ["status"]),
        ("partonic new tt", ["ttbb", "tth"]),
        ("partonic new tth --decay-channel d", ["dilepton"]),
        ("partonic new tth --from h", ["hepmc"]),
        ("partonic mem --base f", ["fitted"]),
    ],
)
def test_words_are_completed(words: str, found: list[str]) -> None:
    position = str(len(words.split()) - 1)
    answer = completing({"_PARTONIC_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": position})
    assert [line.split(",")[1] for line in answer.splitlines()] == found


def completing(variables: dict[str, str]) -> str:
    """What `partonic` writes when a shell asks it for completions; click wants bash for its version only."""
    script = Path(sys.executable).parent / "partonic"
    return subprocess.run([script], env=os.environ | variables, capture_output=True, text=True, check=True).stdout
