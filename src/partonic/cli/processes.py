"""`partonic processes`."""

import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from partonic.cli.output import json_option, print_json, say

if TYPE_CHECKING:
    from partonic.config.process import ProcessConfig
    from partonic.processes.definition import ProcessDefinition

__all__ = ["processes"]

_WIDTH = 100
_COMMON = ("name", "pdf")
"""Settings of the section that all processes have and that need no line of their own."""


def _names(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """Return the processes that complete a word, for the shell."""
    from partonic.process_registry import process_names

    return [name for name in process_names() if name.startswith(incomplete)]


@click.command()
@click.argument("process", required=False, shell_complete=_names)
@json_option
def processes(process: str | None, as_json: bool) -> None:
    """List the hard processes, or explain PROCESS: its parameters, settings, decays, cuts and examples.

    \b
    partonic processes
    partonic processes NAME
    """  # noqa: D301 - \b keeps click from joining the lines
    from partonic.process_registry import find_process, process_names

    found = [find_process(name) for name in (process_names() if process is None else (process,))]
    if as_json:
        print_json({"processes": [_as_json(definition) for definition in found]})
    elif process is None:
        width = max(len(definition.name) for definition in found)
        for definition in found:
            parameters = definition.parameters(definition.default_settings())
            names = ", ".join(each.name for each in parameters) or "no parameters"
            say(f"{definition.name:{width}}  {definition.title}  ({names})")
        say("\nexplained by: partonic processes NAME; a file to begin with: partonic new NAME")
    else:
        for line in _explained(found[0]):
            say(line)


def _as_json(definition: "ProcessDefinition") -> dict[str, Any]:
    settings = definition.default_settings()
    return {
        "name": definition.name,
        "title": definition.title,
        "summary": definition.summary,
        "has_matrix_element": definition.has_matrix_element,
        "parameters": [
            {
                "name": each.name, "label": each.label, "unit": each.unit, "description": each.description,
                "standard_model": each.standard_model, "sensible": list(each.sensible),
            }
            for each in definition.parameters(settings)
        ],
        "monomials": list(definition.monomials(settings).names),
        "partons": [particle.name for particle in definition.final_state(settings)],
        "settings": settings.model_dump(mode="json"),
        "defaults": dict(definition.defaults),
        "decay_channels": list(definition.decay_channels),
        "examples": list(definition.examples),
    }  # fmt: skip


def _explained(definition: "ProcessDefinition") -> Iterator[str]:
    settings = definition.default_settings()
    yield f"{definition.name}: {definition.title}"
    yield ""
    yield definition.summary
    yield ""
    partons = [particle.name for particle in definition.final_state(settings)]
    yield f"Partons of an event, in this order: {', '.join(partons) or 'any'}"
    yield from _decays(definition, settings)
    yield ""
    yield from _parameters(definition, settings)
    yield "Settings (section process):"
    yield from _settings(settings)
    if definition.defaults:
        yield ""
        yield "Defaults of other sections with this process:"
        yield from _nested(definition.defaults, 1)
    yield ""
    if list(definition.decay_channels) != ["default"]:
        choices = ", ".join(definition.decay_channels)
        yield f"Choices of decays (partonic new {definition.name} --decay-channel): {choices}"
    yield f"Examples: {', '.join(f'examples/{name}' for name in definition.examples) or 'none'}"


def _decays(definition: "ProcessDefinition", settings: "ProcessConfig") -> Iterator[str]:
    partons = [particle.name for particle in definition.final_state(settings)]
    for resonance in definition.decay_tree(settings).resonances:
        if resonance.decayed_by == "shower":
            yield f"  {resonance.name} is decayed by the shower (simulation.decays)"
        else:
            products = ", ".join(partons[slot] for slot in resonance.slots)
            yield f"  {resonance.name} → {products} is part of the matrix element"


def _parameters(definition: "ProcessDefinition", settings: "ProcessConfig") -> Iterator[str]:
    parameters = definition.parameters(settings)
    if not parameters:
        yield "No parameter of the theory."
        yield ""
        return
    yield f"Parameters θ (σ(θ) is a polynomial with {len(definition.monomials(settings))} terms):"
    for each in parameters:
        unit = f" {each.unit}" if each.unit else ""
        low, high = each.sensible
        yield f"  {each.name}: {each.standard_model:g}{unit} in the Standard Model, sensible from {low:g} to {high:g}"
        yield from textwrap.wrap(each.description, _WIDTH, initial_indent="    ", subsequent_indent="    ")
    yield ""


def _settings(settings: "ProcessConfig") -> Iterator[str]:
    for name, info in type(settings).model_fields.items():
        if name in _COMMON:
            continue
        value = getattr(settings, name)
        text = " ".join((info.description or "").replace("``", "`").split())
        yield f"  {name}: {'none' if value is None else value}"
        yield from textwrap.wrap(text, _WIDTH, initial_indent="    ", subsequent_indent="    ")


def _nested(content: Any, depth: int) -> Iterator[str]:
    for key, value in content.items():
        if isinstance(value, dict):
            yield f"{'  ' * depth}{key}:"
            yield from _nested(value, depth + 1)
        else:
            yield f"{'  ' * depth}{key}: {value}"
