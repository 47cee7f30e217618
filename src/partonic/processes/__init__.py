"""Hard processes, a folder each: everything that is said about one process, and nowhere else.

A folder's ``__init__`` names its `definition` (see `partonic.processes.definition`). Importing it loads nothing heavy.
"""

from typing import Final

__all__ = ["DEFAULT"]

DEFAULT: Final = "tth"
"""The process of an analysis file that names none."""
