"""What a command says: text for people, or one JSON object for programs, on stdout."""

import contextlib
import ctypes
import json
import os
import sys
from collections.abc import Iterator, Mapping
from typing import Any

import click

from partonic.parameter_names import encoding_has_symbols, with_symbols
from partonic.plain_text import in_encoding

__all__ = ["JSON_ASKED", "json_option", "print_json", "results_only_on_stdout", "say"]

JSON_ASKED = "partonic.json"
"""Key of `click.Context.meta` that is set when a command was given ``--json``."""


def _note(ctx: click.Context, _: click.Parameter, value: bool) -> bool:
    ctx.meta[JSON_ASKED] = value
    return value


json_option = click.option(
    "--json", "as_json", is_flag=True, callback=_note, help="Print one JSON object on stdout, and all else on stderr."
)


def say(text: str, err: bool = False) -> None:
    """Print a text, with theory parameters as physicists write them where the stream can show that.

    Other letters that its encoding lacks are written out, e.g. ``sigma`` for σ.
    """
    stream = sys.stderr if err else sys.stdout
    encoding = getattr(stream, "encoding", None) or "ascii"
    written = with_symbols(text, encoding_has_symbols(encoding))
    click.echo(in_encoding(written, encoding), err=err)


def print_json(content: Mapping[str, Any]) -> None:
    """Print one JSON object on stdout. Other letters than ASCII are escaped, so that any encoding will do."""
    click.echo(json.dumps(content, indent=2, allow_nan=False))


@contextlib.contextmanager
def results_only_on_stdout(wanted: bool) -> Iterator[None]:
    """While the block runs, send to stderr whatever is written to stdout, by libraries and by worker processes, too.

    Args:
        wanted: False changes nothing.
    """
    if not wanted:
        yield
        return
    with contextlib.redirect_stdout(sys.stderr), _descriptor_to_stderr():
        yield


@contextlib.contextmanager
def _descriptor_to_stderr() -> Iterator[None]:
    try:
        kept = os.dup(1)
    except OSError:  # stdout is closed: nothing can get there
        yield
        return
    try:
        os.dup2(2, 1)
        yield
    finally:
        ctypes.CDLL(None).fflush(None)  # what C++ libraries have written, but hold back
        os.dup2(kept, 1)
        os.close(kept)
