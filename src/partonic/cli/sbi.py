"""`partonic sbi`."""

from pathlib import Path
from typing import Any

import click

from partonic.cli.options import execute, execute_alone, force_option, given_options, json_option

__all__ = ["sbi"]

_FILE = click.Path(dir_okay=False, path_type=Path)
_ONLY_WITH_STORE = ("model", "coefficients", "max_events", "workers", "device")


@click.command()
@click.argument("analysis", required=False, type=_FILE)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="Folder of the results of ANALYSIS [key: output]; with --store: the file of coefficients.",
)
@force_option
@json_option
@click.option("--store", type=_FILE, help="Event store, in place of ANALYSIS.")
@click.option(
    "--model", type=click.Path(file_okay=False, path_type=Path), help="Model folder, e.g. <output>/train_sbi."
)
@click.option(
    "--coefficients",
    multiple=True,
    metavar="NAME=FILE",
    help="File of coefficients of another estimator that are features of the model; may be repeated.",
)
@click.option("--max-events", type=click.IntRange(1), help="Only the first so many selected events.")
@click.option("--workers", type=click.IntRange(1), default=1, show_default=True, help="Worker processes.")
@click.option("--device", type=click.Choice(["auto", "cpu", "cuda"]), default="cpu", show_default=True)
@click.pass_context
def sbi(
    ctx: click.Context, /, analysis: Path | None, output: Path | None, force: bool, store: Path | None, **options: Any
) -> None:
    """Give events coefficients by networks that learned likelihood ratios: simulation-based inference.

    Either for an ANALYSIS, whose section `sbi` says what is learned (its networks, and those of its variants in
    `sbi.also`, are trained first), or for any event store with a trained model. Of a store that the model was trained
    on, only events that it has not seen are given:

    \b
    partonic sbi --store events.parquet --model runs/x/train_sbi --output coefficients.parquet
    """  # noqa: D301 - \b keeps click from joining the lines
    if analysis is not None:
        if names := given_options(ctx, ("store", *_ONLY_WITH_STORE)):
            raise click.UsageError(f"{names}: the analysis file has these settings, in its section `sbi`")
        execute(analysis, output, ["sbi", "train_sbi"], force, any_of=True, as_json=options["as_json"])
    elif store is None or output is None or options["model"] is None:
        message = "give an ANALYSIS, or --store with an event store, --model with a model and --output with a file"
        raise click.UsageError(message)
    else:
        _estimate_store(store, output, force, options)


def _feature_files(named: tuple[str, ...]) -> dict[str, tuple[Path, ...]]:
    """Return the files of coefficients by name.

    Raises:
        UsageError: if one is not NAME=FILE.
    """
    found: dict[str, tuple[Path, ...]] = {}
    for text in named:
        name, equals, path = text.partition("=")
        if not (name and equals and path):
            raise click.UsageError(f"--coefficients: expected NAME=FILE, e.g. mem=mem/coefficients.parquet, got {text}")
        found[name] = (*found.get(name, ()), Path(path))
    return found


def _estimate_store(store: Path, output: Path, force: bool, options: dict[str, Any]) -> None:
    from partonic.cli.progress import TerminalProgress
    from partonic.config.sbi import SbiConfig
    from partonic.parts import remove_parts
    from partonic.sbi.run import coefficients_of_store

    features = _feature_files(options["coefficients"])
    config = SbiConfig.model_validate({name: options[name] for name in ("max_events", "workers", "device")})

    def work() -> object:
        if force and output.resolve() != store.resolve():
            remove_parts(output)
            output.unlink(missing_ok=True)
        return coefficients_of_store(store, options["model"], config, output, TerminalProgress(), features)

    execute_alone("sbi", [output], work, options["as_json"])
