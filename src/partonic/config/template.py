"""A commented analysis file for a process, a decay channel and a source of events.

The comments are the docstrings of the settings, so that they say what the settings of this version do.
"""

import textwrap
import typing
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from partonic.config.analysis import AnalysisConfig
from partonic.config.importing import ImportConfig
from partonic.config.loader import FILL_IN, keys_of, sections_in
from partonic.config.names import nearest
from partonic.config.process import parameter_names
from partonic.errors import ConfigError
from partonic.process_registry import find_process, process_names

__all__ = ["OWN_EVENTS", "AnalysisTemplate", "analysis_template", "decay_channels", "sources"]

OWN_EVENTS = "generation"
"""The source of events that are generated and simulated here."""

_WIDTH = 120

_FILES = {"lhe": "events.lhe.gz", "nanoaod": "events.root", "delphes": "events.root", "hepmc": "events.hepmc.gz"}
_UNKNOWN = FILL_IN
"""Stands where only the user knows the number. It is none, so that no run can begin with it."""


@dataclass(frozen=True)
class AnalysisTemplate:
    """An analysis file to begin with.

    Attributes:
        name: of the analysis.
        text: of the file.
        to_fill_in: settings that nobody but the user knows, with what they are.
    """

    name: str
    text: str
    to_fill_in: tuple[str, ...] = field(default=())


def decay_channels(process: str) -> tuple[str, ...]:
    """Return the names of the choices of decays of a process, the usual one first.

    Raises:
        ConfigError: naming the processes that there are, if there is none of this name.
    """
    if process not in process_names():
        raise ConfigError(f"there is no process '{process}'; {nearest(process, process_names())}")
    return tuple(find_process(process).decay_channels)


def sources() -> tuple[str, ...]:
    """Return where events can come from: `OWN_EVENTS`, or the formats of files that can be imported."""
    return (OWN_EVENTS, *_choices(ImportConfig, "format"))


def analysis_template(process: str, decay_channel: str | None = None, source: str = OWN_EVENTS) -> AnalysisTemplate:
    """Return a commented analysis file.

    Args:
        process: name of the hard process.
        decay_channel: choice of its decays; None for the usual one.
        source: `OWN_EVENTS`, or the format of the files that are imported.

    Raises:
        ConfigError: naming what there is, if one of the names is not known, or the process cannot be generated.
    """
    known = decay_channels(process)
    decay_channel = decay_channel or known[0]
    for kind, name, there in (("decay channel", decay_channel, known), ("source", source, sources())):
        if name not in there:
            raise ConfigError(f"there is no {kind} '{name}' of the process '{process}'; {nearest(name, there)}")
    imported = source != OWN_EVENTS
    definition = find_process(process)
    if not imported and not definition.has_matrix_element:
        raise ConfigError(f"the process '{process}' has no matrix element: its events are imported, with --from")
    several = len(known) > 1
    name = "_".join([process, *([decay_channel] if several else []), *([source] if imported else [])])
    settings = definition.settings()
    has_parameters = bool(parameter_names(settings))
    sections = definition.decay_channels[decay_channel]
    content: dict[str, object] = {
        "name": name,
        "seed": 1,
        "process": {
            "name": process, "collider_energy": settings.collider_energy, "pdf": {"name": settings.pdf.name},
        },
        **(_imported(sections, source, has_parameters) if imported else sections),
        "report": {"title": f"{process}, {decay_channel.replace('_', ' ')}" if several else process},
    }  # fmt: skip
    to_fill_in = _to_fill_in(source) if imported else ()
    header = _header(name, source, to_fill_in, has_parameters)
    return AnalysisTemplate(name, header + _written(content), to_fill_in)


def _imported(sections: Mapping[str, Any], source: str, has_parameters: bool) -> dict[str, object]:
    """Return the section `import`, and for particles the simulation of the detector."""
    section: dict[str, object] = {"format": source, "files": [_FILES[source]]}
    if has_parameters:
        section |= {"theta": {}, "max_residual": 1e-3}
    else:
        section["theta_independent"] = True
    if source == "nanoaod":
        section |= {"cross_section": _UNKNOWN, "btag": {"working_point": _UNKNOWN}}
    if source == "delphes":
        section["btag"] = {"bit": 0}
    simulation = sections.get("simulation", {})
    if source in ("nanoaod", "delphes") and "selection" in simulation:
        section["selection"] = dict(simulation["selection"])
    return {"import": section, **({"simulation": simulation} if source == "hepmc" and simulation else {})}


def _to_fill_in(source: str) -> tuple[str, ...]:
    """Return what only the user can know of imported events."""
    lines = ["import.files: your files, all of one sample"]
    if source == "nanoaod":
        lines += [
            "import.cross_section: of your sample in pb, with branching fractions and generator cuts",
            "import.btag.working_point: of the b-tag discriminator and the year of your files",
        ]
    return tuple(lines)


def _header(name: str, source: str, to_fill_in: Sequence[str], has_parameters: bool) -> str:
    lines = [f"# Analysis '{name}'. Every setting that is left out has its default: docs/reference/configuration.md."]
    lines += [f"# To be filled in: {each}" for each in to_fill_in]
    if source == "lhe":
        lines.append("# Parton events have no reconstructed objects, which unfolding and matrix element method need.")
    if source != OWN_EVENTS and has_parameters:
        lines.append("# Where the weights of your files do not say their θ themselves, import.weight_points must.")
    lines += [
        "#",
        "#   partonic check FILE            is everything there?",
        "#   partonic run FILE --dry-run    what would run?",
    ]
    lines += ["#   partonic run FILE"]
    return "\n".join(lines) + "\n\n"


def _written(content: Mapping[str, object]) -> str:
    blocks = ["\n".join(_lines(AnalysisConfig, {key: value}, 0)) for key, value in content.items()]
    return "\n\n".join(blocks) + "\n"


def _lines(model: type[BaseModel], content: Mapping[str, object], depth: int) -> Iterator[str]:
    """Yield the lines of the settings of a section, each below its comment."""
    indent = "  " * depth
    fields = {info.alias or name: info for name, info in model.model_fields.items()}
    for key, value in content.items():
        yield from _comment(fields[key], indent)
        sections = sections_in(fields[key].annotation)
        if isinstance(value, Mapping) and value and sections:
            yield f"{indent}{key}:"
            yield from _lines(_section(sections, value), value, depth + 1)
        else:
            mark = "   # FILL IN" if value == _UNKNOWN or key == "files" else ""
            yield f"{indent}{key}: {_value(value)}{mark}"


def _section(models: Collection[type[BaseModel]], value: Mapping[str, object]) -> type[BaseModel]:
    """Return the model among the alternatives that has all keys of a section, the one of its process first."""
    if "name" in value and value["name"] in process_names():
        model: type[BaseModel] = find_process(str(value["name"])).settings
        if model in models:
            return model
    return next(model for model in models if value.keys() <= keys_of(model).keys())


def _comment(info: FieldInfo, indent: str) -> list[str]:
    text = " ".join((info.description or "").replace("``", "`").split())
    return textwrap.wrap(text, _WIDTH, initial_indent=f"{indent}# ", subsequent_indent=f"{indent}# ")


def _value(value: object) -> str:
    text: str = yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, width=10_000)
    return text.removesuffix("\n").removesuffix("\n...")


def _choices(model: type[BaseModel], key: str) -> tuple[str, ...]:
    found: tuple[Any, ...] = typing.get_args(model.model_fields[key].annotation)
    return tuple(str(each) for each in found)
