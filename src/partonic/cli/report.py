"""`partonic report`."""

from pathlib import Path

import click

from partonic.cli.options import analysis_argument, execute, force_option, output_option

__all__ = ["report"]


@click.command()
@analysis_argument
@output_option
@force_option
def report(analysis: Path, output: Path | None, force: bool) -> None:
    """Write the HTML report and its plots."""
    execute(analysis, output, ["report"], force)
