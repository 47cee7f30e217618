"""`partonic generate`, `partonic simulate` and `partonic import`: the steps of an analysis that make events."""

from pathlib import Path

import click

from partonic.cli.options import analysis_argument, execute, force_option, json_option, output_option

__all__ = ["generate", "import_events", "simulate"]


@click.command()
@analysis_argument
@output_option
@force_option
@json_option
def generate(analysis: Path, output: Path | None, force: bool, as_json: bool) -> None:
    """Generate parton events from the matrix element."""
    execute(analysis, output, ["generate"], force, as_json=as_json)


@click.command()
@analysis_argument
@output_option
@force_option
@json_option
def simulate(analysis: Path, output: Path | None, force: bool, as_json: bool) -> None:
    """Shower, measure and select the generated events."""
    execute(analysis, output, ["simulate"], force, as_json=as_json)


@click.command("import")
@analysis_argument
@output_option
@force_option
@json_option
def import_events(analysis: Path, output: Path | None, force: bool, as_json: bool) -> None:
    """Import events of other programs or experiments."""
    execute(analysis, output, ["import"], force, as_json=as_json)
