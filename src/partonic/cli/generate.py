"""`partonic generate`."""

from pathlib import Path

import click

from partonic.cli.options import analysis_argument, execute, force_option, json_option, output_option

__all__ = ["generate"]


@click.command()
@analysis_argument
@output_option
@force_option
@json_option
def generate(analysis: Path, output: Path | None, force: bool, as_json: bool) -> None:
    """Generate parton events from the matrix element."""
    execute(analysis, output, ["generate"], force, as_json=as_json)
