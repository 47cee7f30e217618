"""`partonic check`."""

from pathlib import Path

import click

from partonic.cli.options import analysis_argument, output_option
from partonic.cli.output import json_option, print_json, results_only_on_stdout, say

__all__ = ["check"]


@click.command()
@analysis_argument
@output_option
@json_option
@click.pass_context
def check(ctx: click.Context, analysis: Path, output: Path | None, as_json: bool) -> None:
    """Validate an analysis and all that it needs."""
    from partonic.config import load_analysis
    from partonic.workflow import check_analysis

    config = load_analysis(analysis, output)
    findings = []
    with results_only_on_stdout(as_json):
        for finding in check_analysis(config):
            findings.append(finding)
            if not as_json:
                say(str(finding), err=not finding.passed)
    passed = all(finding.passed for finding in findings)
    if as_json:
        listed = [{"subject": each.subject, "passed": each.passed, "detail": each.detail} for each in findings]
        print_json({"analysis": config.name, "passed": passed, "findings": listed})
    ctx.exit(0 if passed else 1)
