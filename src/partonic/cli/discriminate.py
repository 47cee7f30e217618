"""`partonic discriminate`."""

from pathlib import Path

import click

from partonic.cli.options import execute_alone, json_option

__all__ = ["discriminate"]

_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.option("--signal", type=_FILE, required=True, help="Event store of the signal.")
@click.option("--background", type=_FILE, required=True, help="Event store of the background.")
@click.option(
    "--signal-coefficients",
    type=(_FILE, _FILE),
    required=True,
    metavar="SIGNAL BACKGROUND",
    help="Coefficients of the signal's events under both hypotheses.",
)
@click.option(
    "--background-coefficients",
    type=(_FILE, _FILE),
    required=True,
    metavar="SIGNAL BACKGROUND",
    help="Coefficients of the background's events under both hypotheses.",
)
@click.option("-o", "--output", type=_FILE, required=True, help="The ROC curves, a JSON file.")
@click.option("--trees", is_flag=True, help="Compare with boosted trees on high-level features.")
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True)
@json_option
def discriminate(
    signal: Path,
    background: Path,
    signal_coefficients: tuple[Path, Path],
    background_coefficients: tuple[Path, Path],
    output: Path,
    trees: bool,
    seed: int,
    as_json: bool,
) -> None:
    """Tell signal from background: the ROC curve of P_sig/(P_sig + k P_bkg), with the area under it.

    All coefficients are files that `partonic mem` wrote. The report of an analysis shows the curves if they are in its
    output folder as mem/discriminant.json; those of `inference.backgrounds` it makes itself.
    """

    def work() -> str:
        from partonic.classify.roc_file import write_discrimination
        from partonic.classify.separate import SampleFiles, separate

        found = separate(
            SampleFiles(signal, *signal_coefficients), SampleFiles(background, *background_coefficients), seed, trees
        )
        write_discrimination(output, found)
        areas = "".join(f"\n  {each.name}: area {each.auc}" for each in found.curves)
        return (
            f"{found.events[0]} events of {found.signal}, {found.events[1]} of {found.background}, in {output}{areas}"
        )

    execute_alone("discriminate", [output], work, as_json)
