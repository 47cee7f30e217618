"""The result in a box, printed when the report has been written."""

import json
import sys
from pathlib import Path
from typing import Any, Final

import click

from partonic.parameter_names import encoding_has_symbols

__all__ = ["print_result_box"]

_STEP: Final = "report"


def print_result_box(output: Path) -> None:
    """Print the box of the report in the output folder of an analysis; nothing if the report has none.

    Symbols are written where the terminal can show them, ASCII elsewhere.
    """
    path = output / _STEP / "report.json"
    try:
        content: Any = json.loads(path.read_text(encoding="utf-8"))
        text = content["result_box"]["text"]
    except (OSError, ValueError, KeyError, TypeError):
        return  # a report of an older version has no box, and that the step has ended well was said already
    symbols = encoding_has_symbols(sys.stdout.encoding)
    click.echo(f"\n{text['unicode' if symbols else 'ascii']}\n\nThe whole report: {path.with_name('index.html')}")
