"""Write the list of commands of reference/command_line.md from the command line itself.

Run it after a change of a command: ``python docs/write_command_line.py``. A test sees to it.
"""

from collections.abc import Iterator
from pathlib import Path

import click

from partonic.cli import main

PAGE = Path(__file__).parent / "reference" / "command_line.md"
BEGIN = "<!-- written by docs/write_command_line.py -->"
END = "<!-- end -->"


def commands() -> str:
    """Return all commands with their options as Markdown."""
    return "\n".join(line for name, command in _all(main) for line in _command(name, command))


def _all(group: click.Group, before: str = "") -> Iterator[tuple[str, click.Command]]:
    """Yield the commands of a group, those of groups within it by their whole names."""
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from _all(command, f"{before}{name} ")
        else:
            yield f"{before}{name}", command


def _command(name: str, command: click.Command) -> Iterator[str]:
    arguments = [parameter for parameter in command.params if isinstance(parameter, click.Argument)]
    usage = " ".join([f"partonic {name}", *(_argument(argument) for argument in arguments)])
    first = (command.help or "").split("\n\n", maxsplit=1)[0]
    yield f"### `{usage}`\n"
    yield " ".join(first.split()) + "\n"
    yield "| option | meaning |"
    yield "|---|---|"
    for option in command.params:
        if isinstance(option, click.Option):
            yield f"| {_spelt(option)} | {_meaning(option)} |"
    yield ""


def _argument(argument: click.Argument) -> str:
    name = argument.metavar or (argument.name or "").upper()
    return name if argument.required else f"[{name}]"


def _spelt(option: click.Option) -> str:
    value = "" if option.is_flag else f" {option.metavar or _kind(option.type)}"
    return ", ".join(f"`{each}{value}`" for each in option.opts)


def _kind(kind: click.ParamType) -> str:
    if isinstance(kind, click.Choice):
        return "/".join(kind.choices)
    if isinstance(kind, click.Path):
        return "FILE" if not kind.dir_okay else "FOLDER" if not kind.file_okay else "PATH"
    return "NUMBER" if isinstance(kind, click.IntRange | click.FloatRange) else "TEXT"


def _meaning(option: click.Option) -> str:
    default = f" [default: {option.default}]" if option.show_default else ""
    return " ".join(f"{option.help or ''}{default}".split()).replace("|", "\\|")


def page(text: str) -> str:
    """Return the page with its list renewed."""
    before, _, rest = text.partition(BEGIN)
    return f"{before}{BEGIN}\n\n{commands()}\n{END}{rest.partition(END)[2]}"


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
