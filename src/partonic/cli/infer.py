"""`partonic infer`."""

from pathlib import Path
from typing import Any

import click

from partonic.cli.options import execute, execute_alone, force_option, given_options, json_option

__all__ = ["infer"]

_ONLY_WITH_COEFFICIENTS = ("store", "luminosity", "data", "theta", "seed", "shape_only")


@click.command()
@click.argument("analysis", required=False, type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "-o",
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of the results of ANALYSIS [key: output]; with --coefficients: of result.json and curves.parquet.",
)
@force_option
@json_option
@click.option(
    "--coefficients",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File of coefficients of events, in place of ANALYSIS.",
)
@click.option(
    "--store",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Event store that they are of; pseudo-data need it.",
)
@click.option(
    "--luminosity", type=click.FloatRange(0, min_open=True), default=300.0, show_default=True, help="In fb⁻¹."
)
@click.option(
    "--data",
    type=click.Choice(["pseudo", "asimov", "events"]),
    default="pseudo",
    show_default=True,
    help="Pseudo-experiment, expected numbers, or the events as they are.",
)
@click.option("--theta", multiple=True, metavar="NAME=VALUE", help="θ of the pseudo-data [default: as generated].")
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True)
@click.option("--shape-only", is_flag=True, help="Leave the number of events out.")
@click.pass_context
def infer(
    ctx: click.Context,
    /,
    analysis: Path | None,
    output: Path | None,
    force: bool,
    coefficients: Path | None,
    **options: Any,
) -> None:
    """Fit theory parameters: best fit, intervals, contours, expected limits, coverage.

    Either the events of an ANALYSIS, whose section `inference` has all settings, or any file of coefficients:

    \b
    partonic infer --coefficients signal.parquet --store events.parquet --output limits
    """  # noqa: D301 - \b keeps click from joining the lines
    if analysis is not None:
        if names := given_options(ctx, ("coefficients", *_ONLY_WITH_COEFFICIENTS)):
            raise click.UsageError(f"{names}: the analysis file has these settings, in its section `inference`")
        execute(analysis, output, ["infer"], force, as_json=options["as_json"])
    elif coefficients is None or output is None:
        message = "give an ANALYSIS, or --coefficients with a file of coefficients and --output with a folder"
        raise click.UsageError(message)
    else:
        _infer_file(coefficients, output, options)


def _infer_file(coefficients: Path, output: Path, options: dict[str, Any]) -> None:
    from partonic.cli.progress import TerminalProgress
    from partonic.inference.coefficients.coefficients_file import read_metadata
    from partonic.inference.infer import infer as run
    from partonic.inference.samples import Files
    from partonic.inference.sources import settings_for

    truth = dict(_assignment(text) for text in options["theta"])
    settings = {"luminosity": options["luminosity"], "data": options["data"], "shape_only": options["shape_only"]}

    def work() -> object:
        config = settings_for(read_metadata(coefficients).source, settings | {"truth": truth or None})
        files = Files(options["store"], coefficients, {})
        return run(files, config, options["seed"], output, TerminalProgress())

    execute_alone("infer", [output / "result.json", output / "curves.parquet"], work, options["as_json"])


def _assignment(text: str) -> tuple[str, float]:
    name, _, value = text.partition("=")
    try:
        return name.strip(), float(value)
    except ValueError as error:
        message = f"--theta expects NAME=VALUE, e.g. --theta kappa_tilde_t=0.5, got '{text}'"
        raise click.UsageError(message) from error
