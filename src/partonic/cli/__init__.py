"""The command line: `partonic new | run | generate | simulate | import | train | sample | mem | ... | status | doctor`.

Each command parses, calls one library function and says where its result is. Whatever is heavy is imported by the
command that needs it, so that ``partonic --help`` answers at once.
"""

from partonic.cli.group import main

__all__ = ["main"]
