"""`partonic sample`."""

from pathlib import Path
from typing import Any

import click

from partonic.cli.options import execute, execute_alone, force_option, given_options, json_option

__all__ = ["sample"]

_ONLY_WITH_STORE = ("model", "view", "samples", "precision", "seed", "max_events", "workers", "device")


@click.command()
@click.argument("analysis", required=False, type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="Folder of the results of ANALYSIS [key: output]; with --store: the file of samples.",
)
@force_option
@json_option
@click.option("--store", type=click.Path(dir_okay=False, path_type=Path), help="Event store, in place of ANALYSIS.")
@click.option(
    "--model",
    default="pretrained",
    show_default=True,
    help="`pretrained`, or a folder written by `partonic train`.",
)
@click.option("--view", type=click.Choice(["hard", "with_isr"]), help="Which partons [default: the first there is].")
@click.option("--samples", type=click.IntRange(1), default=100, show_default=True, help="Sets of partons per event.")
@click.option("--precision", type=click.Choice(["float32", "bfloat16"]), default="float32", show_default=True)
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True)
@click.option("--max-events", type=click.IntRange(1), help="Only the first so many selected events.")
@click.option("--workers", type=click.IntRange(1), default=1, show_default=True, help="Worker processes.")
@click.option("--device", type=click.Choice(["cpu", "cuda"]), default="cpu", show_default=True)
@click.pass_context
def sample(
    ctx: click.Context, /, analysis: Path | None, output: Path | None, force: bool, store: Path | None, **options: Any
) -> None:
    """Sample parton-level events for reconstructed ones.

    Either for the selected events of an ANALYSIS, whose section `unfolding` has all settings, or for those of any
    event store:

    \b
    partonic sample --store events.parquet --output samples.parquet --samples 100
    """  # noqa: D301 - \b keeps click from joining the lines
    if analysis is not None:
        if names := given_options(ctx, ("store", *_ONLY_WITH_STORE)):
            raise click.UsageError(f"{names}: the analysis file has these settings, in its section `unfolding`")
        execute(analysis, output, ["sample"], force, as_json=options["as_json"])
    elif store is None or output is None:
        message = "give an ANALYSIS, or --store with an event store and --output with a file of samples"
        raise click.UsageError(message)
    else:
        _sample_store(store, output, force, options)


def _sample_store(store: Path, output: Path, force: bool, options: dict[str, Any]) -> None:
    from partonic.cli.progress import TerminalProgress
    from partonic.config.unfolding import SamplingConfig
    from partonic.unfolding.sample_events import sample_events

    config = SamplingConfig(
        samples_per_event=options["samples"],
        **{name: options[name] for name in ("precision", "max_events", "workers", "device")},
    )

    def work() -> object:
        return sample_events(
            store, output, options["model"], options["view"], config, options["seed"], force=force,
            progress=TerminalProgress(),
        )  # fmt: skip

    execute_alone("sample", [output], work, options["as_json"])
