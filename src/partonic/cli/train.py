"""`partonic train`."""

from pathlib import Path

import click

from partonic.cli.options import analysis_argument, execute, force_option, output_option

__all__ = ["train"]


@click.command()
@analysis_argument
@output_option
@force_option
def train(analysis: Path, output: Path | None, force: bool) -> None:
    """Train the networks of unfolding.

    The analysis needs a section `unfolding` that names no `model`. The result is a folder for each parton view, in
    <output>/train, which `partonic sample --model <output>/train` takes.
    """
    execute(analysis, output, ["train"], force)
