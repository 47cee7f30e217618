"""`partonic report`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from partonic.cli.options import analysis_argument, execute, force_option, json_option, output_option

if TYPE_CHECKING:
    from partonic.config.analysis import AnalysisConfig

__all__ = ["report"]


@click.command()
@analysis_argument
@output_option
@force_option
@json_option
@click.option(
    "--unfolding", is_flag=True, help="Judge the unfolding models on the events [key: report.unfolding.show]."
)
def report(analysis: Path, output: Path | None, force: bool, as_json: bool, unfolding: bool) -> None:
    """Write the HTML report and its plots.

    With --unfolding, the models of the section `unfolding`, or those that ship with partonic, are judged on the
    selected events of the analysis: regression, samples, calibration and coverage.
    """
    execute(analysis, output, ["report"], force, with_unfolding if unfolding else None, as_json=as_json)


def with_unfolding(config: "AnalysisConfig") -> "AnalysisConfig":
    """Return the analysis with the sections on unfolding in its report."""
    section = config.report.unfolding.model_copy(update={"show": True})
    return config.model_copy(update={"report": config.report.model_copy(update={"unfolding": section})})
