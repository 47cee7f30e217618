"""`partonic train`."""

from pathlib import Path

import click

from partonic.cli.options import analysis_argument, execute, force_option, json_option, output_option

__all__ = ["train"]


@click.command()
@analysis_argument
@output_option
@force_option
@json_option
def train(analysis: Path, output: Path | None, force: bool, as_json: bool) -> None:
    """Train the networks of unfolding, the matrix element method, a learned detector and simulation-based inference.

    Of unfolding, if the analysis has a section `unfolding` that names no `model`: a folder for each parton view, in
    <output>/train, which `partonic sample --model <output>/train` takes. Of the matrix element method, if it has a
    section `mem_training`: a folder for each part, in <output>/train_mem, which `mem.model` takes. Of a learned
    detector, if it has a section `surrogate_training`: in <output>/train_surrogate, which
    `simulation.surrogate.model` takes, with its closure. Of simulation-based inference, if it has a section `sbi`: in
    <output>/train_sbi, and of each variant in `sbi.also` in <output>/train_sbi.<name>, which `sbi.model` and
    `partonic sbi --model` take.
    """
    execute(
        analysis, output, ["train", "train_mem", "train_surrogate", "train_sbi"], force, any_of=True, as_json=as_json
    )
