"""`partonic simulate`."""

from pathlib import Path

import click

from partonic.cli.options import analysis_argument, execute, force_option, json_option, output_option

__all__ = ["simulate"]


@click.command()
@analysis_argument
@output_option
@force_option
@json_option
def simulate(analysis: Path, output: Path | None, force: bool, as_json: bool) -> None:
    """Shower, measure and select the generated events."""
    execute(analysis, output, ["simulate"], force, as_json=as_json)
