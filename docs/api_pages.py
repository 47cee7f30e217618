"""The reference pages: one per room of the package, with the documentation of all its modules."""

import re
from pathlib import Path

import partonic

SOURCE = Path(partonic.__file__).parent
BOTTOM = "bottom"
TITLES = {
    "cli": "Command line",
    "workflow": "Workflow",
    "config": "Configuration",
    "physics": "Physics",
    "generation": "Generation",
    "simulation": "Simulation",
    "events": "Events",
    "nn": "Networks",
    "unfolding": "Unfolding",
    "mem": "Matrix element method",
    "inference": "Inference",
    "trees": "Boosted information trees",
    "pretrained": "Pretrained models",
    "plots": "Plots",
    "report": "Report",
    BOTTOM: "Polynomials, files, units, errors",
}


def write_api_pages(folder: Path) -> None:
    """Write the pages into `folder`, leaving alone those that are as they should be."""
    folder.mkdir(exist_ok=True)
    rooms: dict[str, list[str]] = {}
    for path in sorted(SOURCE.rglob("*.py")):
        parts = ("partonic", *path.relative_to(SOURCE).with_suffix("").parts)
        module = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        if module != "partonic" and not any(part.startswith("_") for part in module.split(".")):
            room = parts[1] if (SOURCE / parts[1]).is_dir() else BOTTOM
            rooms.setdefault(room, []).append(module)
    for room, modules in rooms.items():
        _write(folder / f"{room}.rst", _page(TITLES.get(room, room.capitalize()), modules))
    for stale in set(folder.glob("*.rst")) - {folder / f"{room}.rst" for room in rooms}:
        stale.unlink()


class PlainDocstrings:
    """Docstrings as they are written: prose with signs such as | and *, and constants described in one sentence."""

    def __init__(self) -> None:
        self._kept: dict[str, list[str]] = {}

    def keep(self, app: object, what: str, name: str, target: object, options: object, lines: list[str]) -> None:
        """Remember the description of a constant; Napoleon would take what stands before a colon for its type."""
        if what in {"attribute", "data"}:
            self._kept[name] = list(lines)

    def escape_signs(
        self, app: object, what: str, name: str, target: object, options: object, lines: list[str]
    ) -> None:
        """Take ``|`` and ``*`` in prose as signs and not as markup, in place. Code is left as it is."""
        lines[:] = self._kept.pop(name, lines)
        block: int | None = None
        for number, line in enumerate(lines):
            indent = len(line) - len(line.lstrip())
            if block is not None and line.strip() and indent <= block:
                block = None
            if block is None:
                lines[number] = _escaped(line)
                if line.rstrip().endswith("::"):
                    block = indent


def _escaped(line: str) -> str:
    pieces = re.split(r"(``.*?``|`[^`]*`)", line)
    return "".join(piece if piece.startswith("`") else re.sub(r"([|*])", r"\\\1", piece) for piece in pieces)


def _page(title: str, modules: list[str]) -> str:
    return "\n".join([title, "=" * len(title), "", *map(_section, modules)])


def _section(module: str) -> str:
    """Document a module with its members; a package only names those of its modules."""
    option = "   :no-members:\n" if (SOURCE.parent / Path(*module.split("."))).is_dir() else ""
    return f"{module}\n{'-' * len(module)}\n\n.. automodule:: {module}\n{option}"


def _write(path: Path, text: str) -> None:
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")
