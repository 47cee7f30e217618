"""A study of toy coverage in a process of its own, to be killed: its folder is the argument."""

import sys
from pathlib import Path

from tests.inference.line_toy import grid, pool_of, setup

from partonic.inference.experiments.study import Plan
from partonic.inference.experiments.toy_coverage import ToyCoverage, toy_coverage

DATA, TOYS = 3, 30


def study(folder: Path) -> ToyCoverage:
    """Return the coverage of 3 data sets with 30 toys each, in chunks of 25."""
    return toy_coverage(setup(), pool_of(grid(400)), "a", {"b": 0.8}, Plan(DATA, folder / "data"), TOYS)


if __name__ == "__main__":
    study(Path(sys.argv[1]))
