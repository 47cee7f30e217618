"""`partonic new`."""

from pathlib import Path

import click

from partonic.cli.output import say

__all__ = ["new"]


def _processes(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """Return the processes that complete a word, for the shell."""
    from partonic.config.template import processes

    return [name for name in processes() if name.startswith(incomplete)]


def _channels(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """Return the decay channels that complete a word, for the shell."""
    from partonic.config.template import channels

    return [name for name in channels() if name.startswith(incomplete)]


def _sources(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """Return the formats of files that complete a word, for the shell."""
    from partonic.config.template import sources

    return [name for name in sources() if name.startswith(incomplete)]


@click.command()
@click.argument("process", shell_complete=_processes)
@click.option(
    "--channel",
    default="semileptonic",
    show_default=True,
    shell_complete=_channels,
    help="Decays of the top pair: semileptonic, dilepton, all_hadronic, inclusive.",
)
@click.option(
    "--from",
    "source",
    metavar="FORMAT",
    shell_complete=_sources,
    help="Import files: lhe, nanoaod, delphes, hepmc [default: generate and simulate events].",
)
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="The file [default: the name, .yaml]."
)
@click.option("--force", is_flag=True, help="Replace a file that is there.")
def new(process: str, channel: str, source: str | None, output: Path | None, force: bool) -> None:
    """Write a commented analysis file to begin with.

    PROCESS is tth or ttbb:

    \b
    partonic new tth --channel dilepton -o dilepton.yaml
    partonic new tth --from nanoaod
    """  # noqa: D301 - \b keeps click from joining the lines
    from partonic.config.template import OWN_EVENTS, analysis_template
    from partonic.errors import OutputError
    from partonic.files import write_text

    template = analysis_template(process, channel, source or OWN_EVENTS)
    path = output or Path(f"{template.name}.yaml")
    if path.exists() and not force:
        raise OutputError(f"{path} is there already; name another file with --output, or replace it with --force")
    write_text(path, template.text)
    say(f"wrote {path}")
    for each in template.to_fill_in:
        say(f"  fill in {each}")
    say(f"next: partonic check {path}")
