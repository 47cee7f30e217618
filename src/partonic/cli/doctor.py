"""`partonic doctor`."""

from pathlib import Path

import click

from partonic.cli.output import json_option, print_json, results_only_on_stdout, say
from partonic.progress import duration_text

__all__ = ["doctor"]


@click.command()
@click.option(
    "-o",
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("runs"),
    show_default=True,
    help="Folder where results will go; its disk is looked at.",
)
@click.option("--no-self-test", is_flag=True, help="Leave out the small analysis, some ten seconds.")
@json_option
@click.pass_context
def doctor(ctx: click.Context, output: Path, no_self_test: bool, as_json: bool) -> None:
    """Look whether this installation is sound, and run a small analysis.

    Missing extras are told with what they are for. The exit status is 1 if something that is needed is broken.
    """
    from partonic.workflow.doctor import Diagnosis, examine

    diagnosis = Diagnosis()
    with results_only_on_stdout(as_json):
        for part in examine(output, not no_self_test):
            diagnosis.parts.append(part)
            if not as_json:
                took = f" ({duration_text(part.seconds)})" if part.seconds else ""
                say(f"{part.condition:7} {part.subject}: {part.detail}{took}")
    if as_json:
        listed = [
            {"subject": part.subject, "condition": part.condition, "detail": part.detail, "seconds": part.seconds}
            for part in diagnosis.parts
        ]
        facts = {key: value for part in diagnosis.parts for key, value in part.facts.items()}
        print_json({"passed": diagnosis.passed, "findings": listed, **facts})
    elif diagnosis.passed:
        say("nothing that is needed is broken")
    else:
        say("something that is needed is broken, see FAILED above")
    ctx.exit(0 if diagnosis.passed else 1)
