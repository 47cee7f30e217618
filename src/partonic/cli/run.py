"""`partonic run`."""

from pathlib import Path

import click

from partonic.cli.options import analysis_argument, execute, force_option, output_option

__all__ = ["run"]


@click.command()
@analysis_argument
@output_option
@force_option
def run(analysis: Path, output: Path | None, force: bool) -> None:
    """Run all steps whose inputs changed."""
    execute(analysis, output, None, force)
