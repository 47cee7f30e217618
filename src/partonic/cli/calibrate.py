"""`partonic calibrate`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from partonic.cli.output import say

if TYPE_CHECKING:
    from partonic.inference.calibration.calibrate import Method

__all__ = ["calibrate"]

_FILE = click.Path(dir_okay=False, path_type=Path)

_EXACT = 1e-6
"""Errors below this are rounding: the ratio is a constant, or the truth."""


@click.command()
@click.argument("coefficients", type=_FILE)
@click.option("--store", type=_FILE, required=True, help="Event store of the simulated events that they are of.")
@click.option("-o", "--output", type=_FILE, required=True, help="The calibration, a JSON file.")
@click.option("--max-events", type=click.IntRange(1), help="Only the first so many events; keep others for tests.")
@click.option(
    "--method",
    type=click.Choice(["joint", "chosen", "none", "means", "slopes", "tails", "linear"]),
    default="joint",
    show_default=True,
    help="All ratios together; or the one of joint, tails, slopes, means and none that is best on events that it was "
    "not fitted to; or one of these; or a line for each ratio alone, whose errors no interval contains.",
)
def calibrate(coefficients: Path, store: Path, output: Path, max_events: int | None, method: "Method") -> None:
    """Calibrate coefficients of events against the truth of simulated ones.

    COEFFICIENTS is a file that `partonic mem` wrote for events that no network was trained on. The result is what
    `inference.calibration` takes:

    \b
    partonic calibrate runs/pool/mem/signal.parquet --store runs/pool/simulate/events.parquet -o calibration.json

    Slopes and R² are those of the truth on the ratios, over a density in which none is large; those after the
    calibration are of events that it was not fitted to. The sum rule compares the mean ratios before the calibration
    with the true ones, both with the weights of θ = 0.
    """  # noqa: D301 - \b keeps click from joining the lines
    from partonic.inference.calibration.calibrate import calibrate as fit
    from partonic.inference.calibration.joint_calibration import JointCalibration

    found = fit(coefficients, store, output, max_events, method)
    say(f"calibrate: {found.calibration.events} events, in {output}")
    if found.choice is not None:
        for tried in found.choice.tried:
            say(f"  {tried}{'  (taken)' if tried.name == found.choice.name else ''}")
    if isinstance(found.calibration, JointCalibration):
        points = len(found.calibration.theta)
        how = (
            f"the likelihood at {points} points of θ"
            if points
            else "least squares: densities are not known to be positive"
        )
        say(f"  by {how}")
    if isinstance(found.calibration, JointCalibration) and found.calibration.moved:
        say(f"  {found.calibration.moved} of them are moved towards the mean, to be positive at all θ")
    for each in found.held_out:
        say(
            f"  {each.name}: slope {each.slope:.3f} (noise of the integration is {each.noise_share:.1%} of the "
            f"variance; without it {each.slope_without_noise:.3f}), calibrated {each.calibrated_slope:.3f} ± "
            f"{each.calibrated_slope_error:.3f}; R² {each.explained:.3f}, calibrated {each.explained_calibrated:.3f}"
        )
    rule = found.sum_rule
    for a, name in enumerate(found.names):
        if rule.difference_error[a] > _EXACT:
            say(
                f"  sum rule of {name}: mean {rule.mean[a]:.4f}, true {rule.mean[a] - rule.difference[a]:.4f}, "
                f"difference {rule.difference[a]:+.4f} ± {rule.difference_error[a]:.4f}"
            )
