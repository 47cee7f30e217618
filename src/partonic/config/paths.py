"""Paths in an analysis file: relative to where the command is run, with ``~`` and ``$VARIABLES`` as in a shell."""

import os
import re
from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import AfterValidator

__all__ = ["LocalPath", "NameOrPath", "expanded"]

_VARIABLE = re.compile(r"\$(?:\w+|\{[^}]*\})")

Text = TypeVar("Text", str, Path)


def expanded(path: Text) -> Text:
    """Return a path with ``~`` and environment variables replaced by what they stand for.

    Raises:
        ValueError: if a variable is not set.
    """
    text = os.path.expandvars(os.path.expanduser(str(path)))
    if unset := _VARIABLE.search(text):
        raise ValueError(f"the environment variable {unset[0]} is not set")
    return type(path)(text)


LocalPath = Annotated[Path, AfterValidator(expanded)]
"""A path of an analysis file."""

NameOrPath = Annotated[str | Path, AfterValidator(expanded)]
"""A name such as ``pretrained``, or a path."""
