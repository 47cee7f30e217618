"""`partonic check`."""

from pathlib import Path

import click

from partonic.cli.options import analysis_argument, output_option

__all__ = ["check"]


@click.command()
@analysis_argument
@output_option
@click.pass_context
def check(ctx: click.Context, analysis: Path, output: Path | None) -> None:
    """Validate an analysis and all that it needs."""
    from partonic.config import load_analysis
    from partonic.workflow import check_analysis

    failed = False
    for finding in check_analysis(load_analysis(analysis, output)):
        click.echo(str(finding), err=not finding.passed)
        failed |= not finding.passed
    ctx.exit(1 if failed else 0)
