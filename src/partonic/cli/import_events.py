"""`partonic import`."""

from pathlib import Path

import click

from partonic.cli.options import analysis_argument, execute, force_option, json_option, output_option

__all__ = ["import_events"]


@click.command("import")
@analysis_argument
@output_option
@force_option
@json_option
def import_events(analysis: Path, output: Path | None, force: bool, as_json: bool) -> None:
    """Import events of other programs or experiments."""
    execute(analysis, output, ["import"], force, as_json=as_json)
