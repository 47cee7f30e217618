"""The group of commands, and what happens when one of them fails."""

import logging

import click

from partonic.cli.calibrate import calibrate
from partonic.cli.check import check
from partonic.cli.generate import generate
from partonic.cli.import_events import import_events
from partonic.cli.infer import infer
from partonic.cli.mem import mem
from partonic.cli.report import report
from partonic.cli.run import run
from partonic.cli.sample import sample
from partonic.cli.simulate import simulate
from partonic.cli.train import train
from partonic.errors import PartonicError

__all__ = ["main"]

INTERRUPTED = 130
"""Exit status of a command stopped by Ctrl-C, as shells have it (128 + SIGINT)."""


class AnalysisCommands(click.Group):
    """A group that turns the package's own errors into one message and a non-zero exit status.

    An error that is not a `PartonicError` is a bug and keeps its traceback.
    """

    def invoke(self, ctx: click.Context) -> object:
        """Run the command that was asked for."""
        try:
            return super().invoke(ctx)
        except PartonicError as error:
            raise click.ClickException(str(error)) from error
        except KeyboardInterrupt:
            click.echo("\ninterrupted; run the same command to continue", err=True)
            ctx.exit(INTERRUPTED)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands in the order in which they are used."""
        return list(self.commands)


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


for command in (run, generate, simulate, import_events, train, sample, mem, calibrate, infer, report, check):
    main.add_command(command)
