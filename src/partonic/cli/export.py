"""`partonic export`: `network` and `likelihood`."""

from pathlib import Path

import click

from partonic.cli.options import execute, execute_alone, force_option, json_option

__all__ = ["export"]

_FILE = click.Path(dir_okay=False, path_type=Path)
_FOLDER = click.Path(file_okay=False, path_type=Path)


@click.group()
def export() -> None:
    """Write networks and likelihoods so that others can use them without partonic.

    \b
    partonic export network runs/x/train_sbi --output ratios.onnx
    partonic export likelihood x.yaml --output bundle
    """  # noqa: D301 - \b keeps click from joining the lines


@export.command("network")
@click.argument("model", type=_FOLDER)
@click.option("-o", "--output", type=_FILE, required=True, help="The ONNX file.")
@click.option("--store", type=_FILE, help="Event store to compare with torch on, in place of random events.")
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True, help="Of the random events.")
@json_option
def network(model: Path, output: Path, store: Path | None, seed: int, as_json: bool) -> None:
    """Write a trained network as an ONNX file, compared with torch on 1000 events.

    MODEL is a model folder: networks or trees of simulation-based inference (<output>/train_sbi), boosted trees, or the
    acceptance of the matrix element method (<output>/train_mem/acceptance). Names, units and axes of what goes in and
    comes out are in the metadata of the file. A file that deviates is not written.
    """

    def work() -> object:
        from partonic.export.networks import export_network

        return export_network(model, output, store, seed)

    execute_alone("export network", [output], work, as_json)


@export.command("likelihood")
@click.argument("analysis", required=False, type=_FILE)
@click.option(
    "--result", type=click.Path(path_type=Path), help="Folder that `partonic infer` wrote, in place of ANALYSIS."
)
@click.option(
    "-o", "--output", type=_FOLDER, required=True, help="Folder of the bundle; one that is there is replaced."
)
@force_option
@json_option
def likelihood(analysis: Path | None, result: Path | None, output: Path, force: bool, as_json: bool) -> None:
    """Write the likelihood of a fit as a bundle: JSON, Parquet and checksums.

    The likelihood is that of the step `infer` of an ANALYSIS, which is done first if it is not done yet, or of a result
    that is there (--result). examples/read_likelihood.py reads the bundle without partonic.
    """
    if (analysis is None) == (result is None):
        message = "give an ANALYSIS, or --result with a folder that `partonic infer` wrote, and not both"
        raise click.UsageError(message)

    def work() -> object:
        from partonic.export.likelihood_bundle import export_likelihood

        return export_likelihood(_result_of(analysis, force) if result is None else result, output)

    execute_alone("export likelihood", [output], work, as_json)


def _result_of(analysis: Path | None, force: bool) -> Path:
    """Do the step `infer` if need be, and return its folder."""
    from partonic.config import load_analysis

    if analysis is None:
        message = "expected an analysis file"
        raise click.UsageError(message)
    execute(analysis, None, ["infer"], force)
    return load_analysis(analysis, None).output / "infer"
