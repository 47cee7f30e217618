"""A commented analysis file for a process, a decay channel and a source of events.

The comments are the docstrings of the settings, so that they say what the settings of this version do.
"""

import textwrap
import typing
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from partonic.config.analysis import AnalysisConfig
from partonic.config.importing import ImportConfig
from partonic.config.loader import FILL_IN, nearest, sections_in
from partonic.config.process import ProcessConfig, parameter_names
from partonic.config.simulation import DecayConfig
from partonic.errors import ConfigError

__all__ = ["OWN_EVENTS", "AnalysisTemplate", "analysis_template", "channels", "processes", "sources"]

OWN_EVENTS = "generation"
"""The source of events that are generated and simulated here."""

_WIDTH = 120

_SELECTION: Mapping[str, Mapping[str, object]] = {
    "semileptonic": {"leptons": 1, "lepton_pt_min": 29.0, "jets_min": 4, "b_tags_min": 3},
    "dilepton": {
        "leptons": 2, "lepton_pt_min": 15.0, "leading_lepton_pt_min": 25.0, "veto_pt_min": 15.0,
        "opposite_charges": True, "jets_min": 3, "b_tags_min": 3,
    },
    "all_hadronic": {"leptons": 0, "jets_min": 7, "b_tags_min": 4},
    "inclusive": {"leptons": 1, "lepton_pt_min": 29.0, "jets_min": 4, "b_tags_min": 2},
}  # fmt: skip
"""Cuts of the example of each channel."""

_FILES = {"lhe": "events.lhe.gz", "nanoaod": "events.root", "delphes": "events.root", "hepmc": "events.hepmc.gz"}
_UNKNOWN = FILL_IN
"""Stands where only the user knows the number. It is none, so that no run can begin with it."""

_FITTED = ("kappa_tilde_t", "c_tG")


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


def processes() -> tuple[str, ...]:
    """Return the names of the processes that there are."""
    return _choices(ProcessConfig, "name")


def channels() -> tuple[str, ...]:
    """Return the names of the decay channels of the top pair that there are."""
    return _choices(DecayConfig, "tops")


def sources() -> tuple[str, ...]:
    """Return where events can come from: `OWN_EVENTS`, or the formats of files that can be imported."""
    return (OWN_EVENTS, *_choices(ImportConfig, "format"))


def analysis_template(process: str, channel: str = "semileptonic", source: str = OWN_EVENTS) -> AnalysisTemplate:
    """Return a commented analysis file.

    Args:
        process: name of the hard process.
        channel: decays of the top pair.
        source: `OWN_EVENTS`, or the format of the files that are imported.

    Raises:
        ConfigError: naming what there is, if one of the names is not known.
    """
    for kind, name, known in (
        ("process", process, processes()), ("decay channel", channel, channels()), ("source", source, sources()),
    ):  # fmt: skip
        if name not in known:
            raise ConfigError(f"there is no {kind} '{name}'; {nearest(name, known)}")
    imported = source != OWN_EVENTS
    name = f"{process}_{channel}" + (f"_{source}" if imported else "")
    content: dict[str, object] = {
        "name": name,
        "seed": 1,
        "process": {"name": process, "collider_energy": 13000.0, "pdf": {"name": "NNPDF31_lo_as_0130"}},
        **(_imported(process, channel, source) if imported else _generated(process, channel)),
        "report": {"title": f"{process}, {channel.replace('_', ' ')}"},
    }
    to_fill_in = _to_fill_in(source) if imported else ()
    header = _header(name, source, to_fill_in, bool(parameter_names(process)))
    return AnalysisTemplate(name, header + _written(content), to_fill_in)


def _generated(process: str, channel: str) -> dict[str, object]:
    """Return the sections of events of our own, and of what the method needs in this channel."""
    generation: dict[str, object] = {"events": 40_000}
    if parameter_names(process):
        generation["theta_mixture"] = [{}, {"kappa_tilde_t": 1.0}, {"c_tG": 0.5}]
    else:
        generation |= {"overweight_limit": 0.01, "bias": {"harder_b_pt": {"scale": 50.0, "power": 1.0, "floor": 0.1}}}
    simulation = _simulation(process, channel)
    sections: dict[str, object] = {"generation": generation, "simulation": simulation}
    if channel == "inclusive" or not parameter_names(process):
        return sections  # no common transfer function, or nothing to fit
    if channel == "semileptonic":
        sections["mem"] = {"model": "pretrained", "points": {"maximum": 10_000}, "max_events": 5_000}
    else:
        generation["events"] = 400_000
        parts = ["acceptance", "transfer", "initial_state", "proposal"]
        proposal = {
            "drawn": {"events": 500_000},
            "training": {"epochs": 3, "flow_epochs": 6, "validation_fraction": 0.02},
        }
        sections["mem_training"] = {"preset": "small", "parts": parts, "proposal": proposal}
        sections["mem"] = {
            "proposal": {"kind": "network"}, "points": {"maximum": 10_000}, "max_events": 1_000,
        }  # fmt: skip
    sections["inference"] = {"luminosity": 30.0, "parameters": list(_FITTED), "data": "pseudo", "truth": {}}
    return sections


def _imported(process: str, channel: str, source: str) -> dict[str, object]:
    """Return the section `import`, and for particles the simulation of the detector."""
    section: dict[str, object] = {"format": source, "files": [_FILES[source]]}
    if parameter_names(process):
        section |= {"theta": {}, "max_residual": 1e-3}
    else:
        section["theta_independent"] = True
    if source == "nanoaod":
        section |= {"cross_section": _UNKNOWN, "btag": {"working_point": _UNKNOWN}}
    if source == "delphes":
        section["btag"] = {"bit": 0}
    if source in ("nanoaod", "delphes"):
        section["selection"] = dict(_SELECTION[channel])
    sections: dict[str, object] = {"import": section}
    if source == "hepmc":
        sections["simulation"] = _simulation(process, channel)
    return sections


def _simulation(process: str, channel: str) -> dict[str, object]:
    decays: dict[str, object] = {"tops": channel} if process == "ttbb" else {"higgs": "bb", "tops": channel}
    if channel in ("semileptonic", "dilepton"):
        decays["leptons"] = ["e", "mu"]
    return {"decays": decays, "selection": dict(_SELECTION[channel])}


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
            yield from _lines(next(iter(sections)), value, depth + 1)
        else:
            mark = "   # FILL IN" if value == _UNKNOWN or key == "files" else ""
            yield f"{indent}{key}: {_value(value)}{mark}"


def _comment(info: FieldInfo, indent: str) -> list[str]:
    text = " ".join((info.description or "").replace("``", "`").split())
    return textwrap.wrap(text, _WIDTH, initial_indent=f"{indent}# ", subsequent_indent=f"{indent}# ")


def _value(value: object) -> str:
    text: str = yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, width=10_000)
    return text.removesuffix("\n").removesuffix("\n...")


def _choices(model: type[BaseModel], key: str) -> tuple[str, ...]:
    found: tuple[Any, ...] = typing.get_args(model.model_fields[key].annotation)
    return tuple(str(each) for each in found)
