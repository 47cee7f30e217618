"""`partonic reweight`, and the question whether the code of a model may be run."""

import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from partonic.cli.options import execute_alone, json_option

if TYPE_CHECKING:
    from partonic.config.reweighting import ReweightConfig

__all__ = ["reweight"]


@click.command()
@click.argument("store", type=click.Path(dir_okay=False, path_type=Path))
@click.option("-o", "--output", required=True, type=click.Path(dir_okay=False, path_type=Path), help="The new store.")
@click.option(
    "--settings",
    type=click.Path(dir_okay=False, path_type=Path),
    help="YAML file with the keys of `import.reweight`; options replace them.",
)
@click.option("--engine", type=click.Choice(["pyamplicol", "ufoamp", "madgraph"]), help="Who evaluates |M|².")
@click.option("--model", type=click.Path(path_type=Path), help="Folder of the UFO model, serialized model, or library.")
@click.option(
    "--parameter",
    "parameters",
    multiple=True,
    metavar="THETA=NAME",
    help="Parameter of the model that a θ is; repeatable. Factors and offsets: in --settings.",
)
@click.option("--value", "values", multiple=True, metavar="NAME=NUMBER", help="Value of another parameter; repeatable.")
@click.option("--order", "orders", multiple=True, metavar="NAME=NUMBER", help="Largest coupling order; repeatable.")
@click.option("--restriction", help="Restriction card of the UFO model.")
@click.option(
    "--degree", type=click.IntRange(1, 8), help="Degree of the polynomial [default: that of the store, or 2]."
)
@click.option(
    "--theta",
    multiple=True,
    metavar="THETA=NUMBER",
    help="θ at which the events were generated; repeatable [default: as the store says, or the Standard Model].",
)
@click.option("--workers", type=click.IntRange(1), help="Worker processes [default: one for each core].")
@click.option("--trust", is_flag=True, help="Consent to run the code of a UFO model or of a library, with your rights.")
@json_option
def reweight(store: Path, output: Path, settings: Path | None, as_json: bool, **options: Any) -> None:
    """Give the events of STORE coefficients of θ, from the matrix element of a model.

    |M(θ)|² of every event is evaluated at a basis of θ points and solved for the coefficients of its polynomial;
    all other columns are kept. A UFO model is a Python program: you are asked before it is loaded.

    \b
    partonic reweight events.parquet --engine ufoamp --model MyModel_UFO \\
        --parameter c_tG=ctG --order NP=1 -o reweighted.parquet
    """  # noqa: D301 - \b keeps click from joining the lines
    config = asked(_config(settings, options))

    def work() -> object:
        from partonic.cli.progress import TerminalProgress
        from partonic.reweighting.run import reweight_store

        theta = _numbers("--theta", options["theta"]) or None
        return reweight_store(store, config, output, TerminalProgress(), theta=theta)

    execute_alone("reweight", [output], work, as_json)


def _config(settings: Path | None, options: dict[str, Any]) -> "ReweightConfig":
    """Return the settings of the file, replaced by the options that are given."""
    from pydantic import ValidationError

    from partonic.config.document import YamlDocument, read_document
    from partonic.config.loader import explain
    from partonic.config.reweighting import ReweightConfig
    from partonic.errors import ConfigError

    what = "the keys of `import.reweight`, such as `engine: ufoamp`"
    document = YamlDocument(Path("options"), {}) if settings is None else read_document(settings, what)
    lines = dict(document.lines)
    given = {
        "engine": options["engine"],
        "model": options["model"],
        "parameters": _pairs("--parameter", options["parameters"]),
        "values": _numbers("--value", options["values"]),
        "orders": _numbers("--order", options["orders"]),
        "restriction": options["restriction"],
        "degree": options["degree"],
        "workers": options["workers"],
        "trust_model": options["trust"] or None,
    }
    content = document.content | {name: value for name, value in given.items() if value}
    for name, value in content.items():  # options have no line, but their keys are to be named
        places = [(name,), *((name, key) for key in value)] if isinstance(value, dict) else [(name,)]
        lines |= {place: 1 for place in places if place not in lines}
    document = YamlDocument(document.path, content, lines)
    try:
        return ReweightConfig.model_validate(content)
    except ValidationError as error:
        raise ConfigError("\n".join(explain(error, document, ReweightConfig))) from error


def _pairs(option: str, texts: Sequence[str]) -> dict[str, str]:
    """Return the NAME=VALUE of an option that may be repeated."""
    pairs: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not (name.strip() and equals and value.strip()) or name.strip() in pairs:
            message = f"{option} takes NAME=VALUE, each name once, got '{text}'"
            raise click.UsageError(message)
        pairs[name.strip()] = value.strip()
    return pairs


def _numbers(option: str, texts: Sequence[str]) -> dict[str, float]:
    """Return the NAME=NUMBER of an option that may be repeated."""
    numbers: dict[str, float] = {}
    for name, text in _pairs(option, texts).items():
        try:
            numbers[name] = float(text)
        except ValueError:
            numbers[name] = math.nan
        if not math.isfinite(numbers[name]):
            message = f"{option} takes NAME=NUMBER with a finite number, got '{name}={text}'"
            raise click.UsageError(message)
    return numbers


def asked(config: "ReweightConfig") -> "ReweightConfig":
    """Return the settings with consent to run the code of the model if somebody at the terminal gives it now."""
    if not config.runs_code or config.trust_model or not _at_a_terminal():
        return config
    what = "a shared library" if config.engine == "madgraph" else "a UFO model, that is a Python program"
    click.echo(f"{config.model} is {what}. It runs with your rights on this machine.", err=True)
    if not click.confirm("Do you know where it comes from, and trust it?", default=False, err=True):
        return config
    return config.model_copy(update={"trust_model": True})


def _at_a_terminal() -> bool:
    """Return whether somebody can be asked."""
    return sys.stdin.isatty() and sys.stderr.isatty()
