"""`partonic mem`."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from partonic.cli.options import execute, execute_alone, force_option, given_options, json_option

if TYPE_CHECKING:
    from partonic.config.process import ProcessConfig

__all__ = ["mem"]

_ONLY_WITH_STORE = (
    "model", "proposal", "proposal_model", "base", "points", "relative_error", "normalisation_store", "seed",
    "max_events", "workers", "device",
)  # fmt: skip


@click.command()
@click.argument("analysis", required=False, type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="Folder of the results of ANALYSIS [key: output]; with --store: the file of coefficients.",
)
@force_option
@json_option
@click.option("--store", type=click.Path(dir_okay=False, path_type=Path), help="Event store, in place of ANALYSIS.")
@click.option(
    "--model", default="pretrained", show_default=True, help="`pretrained`, or a folder with transfer and acceptance."
)
@click.option(
    "--proposal", type=click.Choice(["auto", "network", "unfolding", "uniform"]), default="auto", show_default=True
)
@click.option("--proposal-model", help="Its model [default: pretrained; of a network: that of --model].")
@click.option(
    "--base",
    type=click.Choice(["gaussian", "defensive", "fitted", "sobol", "vegas"]),
    default="fitted",
    show_default=True,
    help="Base numbers of the proposal.",
)
@click.option(
    "--points", type=click.IntRange(16), default=10_000, show_default=True, help="Points of an event at most."
)
@click.option(
    "--relative-error",
    type=click.FloatRange(0.0, min_open=True),
    help="Error of P_0 at which an event is done [default: use all points].",
)
@click.option(
    "--normalisation-store",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Simulated store whose accepted events give the fiducial cross section [default: --store].",
)
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True)
@click.option("--max-events", type=click.IntRange(1), help="Only the first so many selected events.")
@click.option("--workers", type=click.IntRange(1), help="Worker processes [default: one for each core].")
@click.option("--device", type=click.Choice(["auto", "cpu", "cuda"]), default="cpu", show_default=True)
@click.pass_context
def mem(
    ctx: click.Context, /, analysis: Path | None, output: Path | None, force: bool, store: Path | None, **options: Any
) -> None:
    """Integrate reconstructed events over partons: the matrix element method.

    Gives every selected event the coefficients of its probability as a polynomial in the theory parameters, with
    errors. Either for an ANALYSIS, whose section `mem` has all settings, or for any event store:

    \b
    partonic mem --store events.parquet --output coefficients.parquet --max-events 100
    """  # noqa: D301 - \b keeps click from joining the lines
    if analysis is not None:
        if names := given_options(ctx, ("store", *_ONLY_WITH_STORE)):
            raise click.UsageError(f"{names}: the analysis file has these settings, in its section `mem`")
        execute(analysis, output, ["mem"], force, as_json=options["as_json"])
    elif store is None or output is None:
        message = "give an ANALYSIS, or --store with an event store and --output with a file of coefficients"
        raise click.UsageError(message)
    else:
        _integrate_store(store, output, force, options)


def _integrate_store(store: Path, output: Path, force: bool, options: dict[str, Any]) -> None:
    from partonic.cli.progress import TerminalProgress
    from partonic.config.mem import MemConfig
    from partonic.events.store import EventStore
    from partonic.mem.integral.integrate_events import hypothesis_of_store, integrate_events

    points, seed = options["points"], options["seed"]
    config = MemConfig.model_validate(
        {
            "model": options["model"],
            "proposal": {"kind": options["proposal"], "model": options["proposal_model"]},
            "base": {"kind": options["base"]},
            "points": {
                "first": min(1000, points), "maximum": points, "relative_error": options["relative_error"]
            },
            "normalisation": {"store": options["normalisation_store"]},
            **{name: options[name] for name in ("max_events", "workers", "device")},
        }
    )  # fmt: skip
    metadata = EventStore.open(store).metadata
    process = _process_of(store, metadata.process, metadata.collider_energy)
    hypothesis = hypothesis_of_store(metadata, process)

    def work() -> object:
        return integrate_events(store, output, hypothesis, config, seed, force=force, progress=TerminalProgress())

    execute_alone("mem", [output], work, options["as_json"])


def _process_of(store: Path, name: str, collider_energy: float) -> "ProcessConfig":
    """Return the hard process of the events of a store.

    Raises:
        ConfigError: if there is no matrix element for it here.
    """
    from partonic.errors import ConfigError
    from partonic.process_registry import find_process, process_names

    known = [each for each in process_names() if find_process(each).has_matrix_element]
    if name not in known:
        raise ConfigError(
            f"{store} holds events of '{name}', for which there is no matrix element here (there is one for: "
            f"{', '.join(known)}). To integrate these events under the hypothesis of such a process, write an "
            f"analysis with it in `process`, `mem.store: {store}`, and the cross section of the process from "
            "mem.normalisation"
        )
    settings: ProcessConfig = find_process(name).settings(collider_energy=collider_energy)
    return settings
