"""`partonic new`."""

from pathlib import Path

import click

from partonic.cli.output import say

__all__ = ["new"]


def _processes(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """Return the processes that complete a word, for the shell."""
    from partonic.process_registry import process_names

    return [name for name in process_names() if name.startswith(incomplete)]


def _decay_channels(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """Return the decay channels that complete a word, for the shell."""
    from partonic.config.template import decay_channels
    from partonic.process_registry import process_names

    # While a line is being completed, its words are not yet told apart.
    process = next((word for word in (ctx.params.get("process"), *ctx.args) if word in process_names()), None)
    known = () if process is None else decay_channels(process)
    return [name for name in known if name.startswith(incomplete)]


def _sources(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """Return the formats of files that complete a word, for the shell."""
    from partonic.config.template import sources

    return [name for name in sources() if name.startswith(incomplete)]


@click.command()
@click.argument("process", shell_complete=_processes)
@click.option(
    "--decay-channel",
    "--channel",
    "decay_channel",
    shell_complete=_decay_channels,
    help="Choice of decays, of those that `partonic processes PROCESS` names [default: the first of them].",
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
def new(process: str, decay_channel: str | None, source: str | None, output: Path | None, force: bool) -> None:
    """Write a commented analysis file to begin with.

    PROCESS is one of those that `partonic processes` lists:

    \b
    partonic new PROCESS --decay-channel dilepton -o dilepton.yaml
    partonic new PROCESS --from nanoaod
    """  # noqa: D301 - \b keeps click from joining the lines
    from partonic.config.template import OWN_EVENTS, analysis_template
    from partonic.errors import OutputError
    from partonic.files import write_text

    template = analysis_template(process, decay_channel, source or OWN_EVENTS)
    path = output or Path(f"{template.name}.yaml")
    if path.exists() and not force:
        raise OutputError(f"{path} is there already; name another file with --output, or replace it with --force")
    write_text(path, template.text)
    say(f"wrote {path}")
    for each in template.to_fill_in:
        say(f"  fill in {each}")
    say(f"next: partonic check {path}")
