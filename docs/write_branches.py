"""Write the tables of reference/branches.md from the names in the code.

Run it after a change of a name: ``python docs/write_branches.py``. A test sees to it.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from partonic.events.readers.root import delphes_branches, nanoaod_branches
from partonic.events.readers.root.generator_sums import COUNTS, SUMS

PAGE = Path(__file__).parent / "reference" / "branches.md"
BEGIN = "<!-- written by docs/write_branches.py -->"
END = "<!-- end -->"

Candidates = Mapping[str, Sequence[str]]


def tables() -> str:
    """Return the quantities of NanoAOD and Delphes as Markdown."""
    nano = {**nanoaod_branches.OPTIONAL, **nanoaod_branches.OPTIONAL_SIMULATED}
    runs = {"sum_of_weights": SUMS, "generated_events": COUNTS}
    return "\n".join(
        [
            "## NanoAOD\n",
            *_collections(nanoaod_branches.COLLECTIONS),
            *_table(nanoaod_branches.NEEDED, "in every file"),
            *_table(nanoaod_branches.NEEDED_SIMULATED, "in every simulated file"),
            *_table(nano, "where they are"),
            *_table(runs, "in the tree `Runs`, or `LuminosityBlocks`"),
            "## Delphes\n",
            *_collections(delphes_branches.COLLECTIONS),
            *_table(delphes_branches.NEEDED, "in every file"),
            *_table(delphes_branches.OPTIONAL, "where they are"),
        ]
    )


def _collections(collections: Mapping[str, str]) -> list[str]:
    names = ", ".join(f"`{name}` (`{beginning}...`)" for name, beginning in collections.items())
    return [f"Collections, and how their quantities begin: {names}.\n"]


def _table(candidates: Candidates, when: str) -> list[str]:
    rows = [f"| `{quantity}` | {', '.join(f'`{name}`' for name in names)} |" for quantity, names in candidates.items()]
    return [f"| quantity, {when} | names that are tried |", "|---|---|", *rows, ""]


def page(text: str) -> str:
    """Return the page with its tables renewed."""
    before, _, rest = text.partition(BEGIN)
    return f"{before}{BEGIN}\n\n{tables()}\n{END}{rest.partition(END)[2]}"


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
