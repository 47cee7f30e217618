"""The group of commands, and what happens when one of them fails."""

import logging
import sys
from pathlib import Path

import click

from partonic.cli.calibrate import calibrate
from partonic.cli.check import check
from partonic.cli.discriminate import discriminate
from partonic.cli.doctor import doctor
from partonic.cli.event_steps import generate, import_events, simulate
from partonic.cli.export import export
from partonic.cli.infer import infer
from partonic.cli.mem import mem
from partonic.cli.new import new
from partonic.cli.options import KEPT
from partonic.cli.output import JSON_ASKED, print_json
from partonic.cli.processes import processes
from partonic.cli.report import report
from partonic.cli.reweight import reweight
from partonic.cli.run import run
from partonic.cli.sample import sample
from partonic.cli.sbi import sbi
from partonic.cli.status import status
from partonic.cli.stopping import Stop, how_to_go_on, stop_signals
from partonic.cli.train import train
from partonic.errors import PartonicError

__all__ = ["main"]

_ARGUMENTS = "partonic.arguments"
"""Key of `click.Context.meta` with the command line."""


class AnalysisCommands(click.Group):
    """A group that turns the package's own errors into one message and a non-zero exit status.

    An error that is not a `PartonicError` is a bug and keeps its traceback.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Keep the command line, to say how to go on with it."""
        ctx.meta[_ARGUMENTS] = list(args)
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> object:
        """Run the command that was asked for."""
        with stop_signals() as stop:
            try:
                return super().invoke(ctx)
            except PartonicError as error:
                if ctx.meta.get(JSON_ASKED):
                    print_json({"error": {"kind": type(error).__name__, "message": str(error)}})
                raise click.ClickException(str(error)) from error
            except KeyboardInterrupt as error:
                _stopped(ctx, error, stop)
                return None

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands in the order in which they are used."""
        return list(self.commands)


def _stopped(ctx: click.Context, error: KeyboardInterrupt, stop: Stop) -> None:
    """Say what was stopped, what of it is kept and how to go on, and leave with the status of the signal."""
    from partonic.progress import duration_text
    from partonic.workflow.interruption import StepInterrupted, kept_work

    place, kept = "", "what was finished is kept"
    content: dict[str, object] = {"kind": "Interrupted"}
    if isinstance(error, StepInterrupted):
        worked = "" if error.seconds is None else f", after {duration_text(error.seconds)} of work"
        place, kept = f" in the step '{error.step}'{worked}", kept_work(error.step, error.folder)
        content["step"] = error.step
    elif folders := [each for each in ctx.meta.get(KEPT, []) if Path(each).is_dir()]:
        kept = f"kept: what was finished, in {', '.join(folders)}; the same command goes on from there"
    message = f"interrupted{place}\n{kept}\n{how_to_go_on(ctx.meta[_ARGUMENTS])}"
    if ctx.meta.get(JSON_ASKED):
        print_json({"error": {**content, "message": message}})
    if sys.stderr.isatty():
        click.echo(err=True)  # the bar stands on this line
    click.echo(message, err=True)
    ctx.exit(stop.exit_status)


@click.group(cls=AnalysisCommands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="partonic", prog_name="partonic")
@click.option("-v", "--verbose", is_flag=True, help="Show what the steps say while they work.")
def main(verbose: bool) -> None:
    """From the matrix element to reconstructed events, and from events to theory parameters.

    ANALYSIS is a YAML file, e.g. examples/tth_quick.yaml. Every command can be stopped at any moment; the same
    command goes on where it was.
    """
    handler = logging.StreamHandler()
    # On the handler: other packages give their loggers levels of their own.
    handler.setLevel(logging.INFO if verbose else logging.WARNING)
    logging.basicConfig(level=logging.INFO, format="%(name)s: %(message)s", handlers=[handler])


for command in (
    new, processes, run, generate, simulate, import_events, reweight, train, sample, mem, sbi, calibrate, infer,
    discriminate, report, export, check, status, doctor,
):  # fmt: skip
    main.add_command(command)
