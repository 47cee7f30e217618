"""`partonic run`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from partonic.cli.options import analysis_argument, execute, force_option, output_option
from partonic.cli.output import json_option, print_json, say
from partonic.progress import duration_text

if TYPE_CHECKING:
    from partonic.workflow import PlannedStep

__all__ = ["run"]

_SAID = {"up to date": "up to date", "run": "would run", "go on": "would go on", "cannot run": "cannot run"}


@click.command()
@analysis_argument
@output_option
@force_option
@json_option
@click.option("--dry-run", is_flag=True, help="Say which steps would run, why, and for how long; do nothing.")
@click.pass_context
def run(ctx: click.Context, analysis: Path, output: Path | None, force: bool, as_json: bool, dry_run: bool) -> None:
    """Run all steps whose inputs changed."""
    if not dry_run:
        execute(analysis, output, None, force, as_json=as_json)
        return
    from partonic.config import load_analysis
    from partonic.workflow import plan_analysis

    config = load_analysis(analysis, output)
    plan = plan_analysis(config, force=force)
    if as_json:
        print_json({"analysis": config.name, "output": str(config.output), "steps": [_as_json(each) for each in plan]})
    else:
        _tell(plan)
    ctx.exit(1 if any(each.action == "cannot run" for each in plan) else 0)


def _tell(plan: "list[PlannedStep]") -> None:
    for planned in plan:
        estimate = f", {planned.estimate}" if planned.estimate else ""
        say(f"{planned.step}: {_SAID[planned.action]}{estimate}")
        for reason in planned.reasons:
            say(f"    {reason}")
    estimates = [each.estimate for each in plan if each.estimate]
    known = [each.seconds for each in estimates if each.seconds is not None]
    if known:
        unknown = len(estimates) - len(known)
        rest = f", and {unknown} step{'s' * (unknown != 1)} whose time is unknown" if unknown else ""
        say(f"in all about {duration_text(sum(known))}{rest}")
    say("nothing was done (--dry-run)")


def _as_json(planned: "PlannedStep") -> dict[str, object]:
    estimate = planned.estimate
    return {
        "name": planned.step,
        "action": planned.action,
        "reasons": list(planned.reasons),
        "seconds": estimate.seconds if estimate else None,
        "seconds_basis": estimate.basis if estimate else None,
    }
