"""`partonic calibrate`."""

from pathlib import Path

import click

__all__ = ["calibrate"]

_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.argument("coefficients", type=_FILE)
@click.option("--store", type=_FILE, required=True, help="Event store of the simulated events that they are of.")
@click.option("-o", "--output", type=_FILE, required=True, help="The calibration, a JSON file.")
@click.option("--max-events", type=click.IntRange(1), help="Only the first so many events; keep others for tests.")
def calibrate(coefficients: Path, store: Path, output: Path, max_events: int | None) -> None:
    """Calibrate coefficients of events against the truth of simulated ones.

    COEFFICIENTS is a file that `partonic mem` wrote for events that no network was trained on. The result is what
    `inference.calibration` takes:

    \b
    partonic calibrate runs/pool/mem/tth.parquet --store runs/pool/simulate/events.parquet -o calibration.json
    """  # noqa: D301 - \b keeps click from joining the lines
    from partonic.inference.calibrate import calibrate as fit

    found = fit(coefficients, store, output, max_events)
    click.echo(f"calibrate: {found.events} events, in {output}")
    rows = zip(found.monomials.names, found.slope, found.slope_error, found.estimate, found.truth, strict=True)
    for name, slope, error, estimate, truth in rows:
        if error > 0:
            click.echo(f"  {name}: slope {slope:.3f} ± {error:.3f}, mean {estimate:.4f}, truth {truth:.4f}")
