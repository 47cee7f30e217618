"""Notebooks as pages of the documentation, executed when it is built.

Each ``*.ipynb`` in ``tutorials/`` is run from its first cell to its last in one namespace, in an empty folder, and
written as a page of Markdown beside it, with what every cell printed, the value of its last expression, and figures.
A cell that fails fails the build. No kernel is started, so nothing needs to be installed for it; lines that begin with
``%`` are for notebooks only and are left out.
"""

import ast
import base64
import contextlib
import io
import json
import os
import tempfile
from pathlib import Path
from typing import Any

__all__ = ["write_notebook_pages"]

NOTE = "<!-- Made from {name} when the documentation is built; edit the notebook. -->\n"


def write_notebook_pages(folder: Path) -> list[Path]:
    """Execute all notebooks of `folder` and write their pages; return these."""
    return [_write(path) for path in sorted(folder.glob("*.ipynb"))]


def _write(path: Path) -> Path:
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    page = path.with_suffix(".md")
    with tempfile.TemporaryDirectory() as scratch:
        text = [NOTE.format(name=path.name), *_pages(cells, path.name, Path(scratch))]
    page.write_text("\n".join(text), encoding="utf-8")
    return page


def _pages(cells: list[dict[str, Any]], name: str, scratch: Path) -> list[str]:
    namespace: dict[str, Any] = {"__name__": "__main__"}
    parts: list[str] = []
    with contextlib.chdir(scratch):
        for number, cell in enumerate(cells):
            source = "".join(cell["source"])
            if cell["cell_type"] == "markdown":
                parts += [source, ""]
                continue
            code = "\n".join(line for line in source.splitlines() if not line.startswith("%"))
            parts += ["```python", source, "```", "", *executed(code, namespace, f"{name}, cell {number}"), ""]
    return parts


def executed(code: str, namespace: dict[str, Any], where: str) -> list[str]:
    """Run a cell and return what it shows, as lines of Markdown.

    Args:
        code: of the cell.
        namespace: of the notebook; changed by the cell.
        where: name of the cell, for tracebacks.
    """
    tree = ast.parse(code, where)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(io.StringIO()):
        exec(compile(tree, where, "exec"), namespace)  # noqa: S102 (the notebooks of this documentation)
        value = None if last is None else eval(compile(ast.Expression(last.value), where, "eval"), namespace)  # noqa: S307
    lines = ["```text", printed.getvalue().rstrip(), "```"] if printed.getvalue().strip() else []
    return lines + shown(value)


def shown(value: object) -> list[str]:
    """Return a value as a notebook shows it: a figure, a table of HTML, or text."""
    if value is None:
        return []
    if hasattr(value, "savefig"):
        image = io.BytesIO()
        value.savefig(image, format="png", dpi=80)
        return [f'<img alt="figure" src="data:image/png;base64,{base64.b64encode(image.getvalue()).decode()}">']
    if hasattr(value, "_repr_html_"):
        return [str(value._repr_html_())]
    return ["```text", repr(value), "```"]


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    write_notebook_pages(Path(__file__).parent / "tutorials")
