"""Parton-level events as Les Houches event files (version 3, hep-ph/0109068 and hep-ph/0609017), written and read.

The weights are in pb and their mean over the file is the cross section (strategy −4). Every event also carries its
weight at a basis of θ points, by name, so that any program can reweight it: the points are declared in `<initrwgt>`,
and solving Σ_a c_a m_a(θ_b) = w_b gives the coefficients back. The configuration, seed and versions that made the file
are JSON in the header element `<partonic>`.

Events are formatted here, not by `pylhe`: its writer gives five digits to named weights and nine to momenta, which
would spoil the coefficients and the mass shells, and it needs an object for every particle. `pylhe` reads them.
"""

import contextlib
import gzip
import json
import math
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import numpy as np
import torch
from numpy.typing import NDArray

from partonic.errors import EventFileError
from partonic.estimate import Estimate
from partonic.files import atomic_output
from partonic.generation.chunks import UnweightedEvents
from partonic.generation.lhe_particles import (
    EventLayout,
    colour_lines_of_event,
    event_layout,
    resonance_momenta,
    template_lines,
)
from partonic.physics.particles import FERMI_CONSTANT, W_BOSON, Z_BOSON
from partonic.physics.process import Process
from partonic.polynomial import Monomials, solve_morphing
from partonic.processes.decay_tree import NO_RESONANCES, DecayTree

__all__ = ["LheContent", "basis_weight_names", "read_content", "read_lhe", "write_lhe"]

_PROTON = 2212
_STRATEGY = -4
"""Weights in pb with signs, their mean is the cross section."""
_BATCH = 5_000
_DECAYED = 2
"""Status of a resonance, which is not among the final particles."""


@dataclass(frozen=True)
class LheContent:
    """What the header of an event file says about its events.

    Attributes:
        monomials: the monomials of θ.
        basis: θ points at which events carry named weights, `(B, K)`.
        theta: θ of the nominal weight, by name.
        metadata: configuration, seed, versions, cross sections, ... of the generation, JSON-like.
    """

    monomials: Monomials
    basis: NDArray[np.float64]
    theta: Mapping[str, float]
    metadata: Mapping[str, Any]


def basis_weight_names(points: int) -> list[str]:
    """Return the identifiers of the named weights: ``theta_0``, ``theta_1``, ..."""
    return [f"theta_{index}" for index in range(points)]


def write_lhe(
    path: Path,
    process: Process,
    content: LheContent,
    channels: Sequence[Estimate],
    batches: Iterable[UnweightedEvents],
    compression_level: int = 3,
    decay_tree: DecayTree = NO_RESONANCES,
) -> int:
    """Write events to `path` (gzip) atomically and return their number.

    Args:
        path: final path, by convention ``*.lhe.gz``.
        process: what the events are of.
        content: goes to the header.
        channels: cross section of each channel at the nominal θ, pb.
        batches: events with coefficients in pb whose mean over the file is the coefficient of the cross section.
        compression_level: of gzip, 1 to 9.
        decay_tree: resonances that the matrix element decays become particles of the events.

    Raises:
        ProcessError: if the decay tree does not fit the process.
        OutputError: if the file cannot be written.
    """
    formatter = _EventFormatter(process, content, decay_tree)
    count = 0
    # No name and no time in the gzip header: the same events give the same bytes.
    with (
        atomic_output(path) as temporary,
        temporary.open("wb") as raw,
        gzip.GzipFile("", "wb", compression_level, raw, mtime=0) as file,
    ):
        file.write(_preamble(process, content, channels, decay_tree).encode())
        for batch in batches:
            for start in range(0, len(batch), _BATCH):
                file.write(formatter.text(batch[start : start + _BATCH]).encode())
            count += len(batch)
        file.write(b"</LesHouchesEvents>\n")
    return count


class _EventFormatter:
    """Formats events through one template per channel and colour flow, in which only the momenta and weights vary."""

    def __init__(self, process: Process, content: LheContent, tree: DecayTree) -> None:
        self.energy = process.collider_energy
        self.resonances = tree.of_matrix_element
        self.at_basis = content.monomials.evaluate(content.basis)
        self.at_theta = content.monomials.evaluate(content.monomials.point(content.theta))
        self.templates = [
            [
                _template(event_layout(channel, process.final_state, tree, flow), index, len(content.basis))
                for flow in range(len(channel.colour_flows))
            ]
            for index, channel in enumerate(process.channels)
        ]

    def text(self, events: UnweightedEvents) -> str:
        coefficients = events.coefficients.numpy()
        beam = [0.5 * self.energy * fraction.numpy() for fraction in (events.x1, events.x2)]
        momenta = events.momenta.numpy()
        inside = resonance_momenta(momenta, self.resonances).reshape(len(events), -1)
        final = momenta[:, :, [1, 2, 3, 0]].reshape(len(events), -1)
        columns = [
            (coefficients @ self.at_theta)[:, None], events.scale.numpy()[:, None], events.alpha_s.numpy()[:, None],
            beam[0][:, None], beam[0][:, None], -beam[1][:, None], beam[1][:, None], inside, final,
            coefficients @ self.at_basis.T,
        ]  # fmt: skip
        rows = np.concatenate(columns, axis=1).tolist()
        kinds = zip(events.channel.tolist(), events.colour_flow.tolist(), strict=True)
        return "".join(
            [self.templates[channel][flow] % tuple(row) for (channel, flow), row in zip(kinds, rows, strict=True)]
        )


def _template(layout: EventLayout, channel: int, points: int) -> str:
    """Return the text of an event; ``%r`` prints a float with the fewest digits that give it back exactly."""
    lines = ["<event>", f"{len(layout.pdg_ids)} {channel + 1} %r %r {_ALPHA_QED!r} %r", *template_lines(layout)]
    lines += ["<rwgt>", *(f"<wgt id='{name}'>%r</wgt>" for name in basis_weight_names(points)), "</rwgt>", "</event>"]
    return "\n".join(lines) + "\n"


def _preamble(process: Process, content: LheContent, channels: Sequence[Estimate], tree: DecayTree) -> str:
    record = {
        "parameters": list(content.monomials.parameters),
        "exponents": [list(powers) for powers in content.monomials.exponents],
        "basis": content.basis.tolist(),
        "theta": dict(content.theta),
        "collider_energy": process.collider_energy,
        "colour_flows": [
            [colour_lines_of_event(channel, flow, tree.of_matrix_element) for flow in range(len(channel.colour_flows))]
            for channel in process.channels
        ],
        **content.metadata,
    }
    final_states = [channel.final_pdg(process.final_state) for channel in process.channels]
    if len(set(final_states)) > 1:
        record["final_states"] = final_states
    weights = [
        f"<weight id='{name}'> {escape(_point_text(content.monomials, point))} </weight>"
        for name, point in zip(basis_weight_names(len(content.basis)), content.basis, strict=True)
    ]
    beam = f"{0.5 * process.collider_energy!r}"
    init = [f"{_PROTON} {_PROTON} {beam} {beam} 0 0 0 0 {_STRATEGY} {len(channels)}"]
    init += [f"{one.value!r} {one.error!r} 1.0 {index + 1}" for index, one in enumerate(channels)]
    return "\n".join(
        [
            "<LesHouchesEvents version=\"3.0\">", "<header>",
            "<partonic>", escape(json.dumps(record, allow_nan=False)), "</partonic>",
            "<initrwgt>", "<weightgroup name='partonic_basis'>", *weights, "</weightgroup>", "</initrwgt>", "</header>",
            "<init>", *init, "</init>", "",
        ]
    )  # fmt: skip


def _point_text(monomials: Monomials, point: NDArray[np.float64]) -> str:
    return " ".join(f"{name}={float(value)!r}" for name, value in zip(monomials.parameters, point, strict=True))


def read_content(path: Path) -> LheContent:
    """Read the header of an event file that `write_lhe` wrote.

    Raises:
        EventFileError: if the file cannot be read or has no `<partonic>` header.
    """
    with _open(path) as file:
        return _content(path, file)


def read_lhe(path: Path, batch_size: int = 10_000) -> Iterator[UnweightedEvents]:
    """Read the events of a file that `write_lhe` wrote, coefficients solved back from the named weights, in batches.

    Raises:
        EventFileError: if the file is truncated or malformed, or an event lacks a weight.
    """
    with _open(path) as file:
        lookup = _Lookup(path, _content(path, file))
        number = 0
        while batch := _next_events(path, file.events, batch_size, number):
            yield lookup.batch(batch, number)
            number += len(batch)


@contextlib.contextmanager
def _open(path: Path) -> Iterator[Any]:
    """Open an event file with `pylhe`; its iterator of events holds the file open, and is closed at the end."""
    import pylhe

    try:
        with _errors_for_warnings():
            file = pylhe.LHEFile.fromfile(path)
    except (RuntimeWarning, OSError, EOFError, ValueError, IndexError) as error:
        raise EventFileError(f"{path} is not a Les Houches event file: {error}") from error
    events: Any = file.events
    with contextlib.closing(events):
        yield file


@contextlib.contextmanager
def _errors_for_warnings() -> Iterator[None]:
    """Make errors of warnings: of malformed XML `pylhe` only warns, and then stops as if the file ended."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        yield


def _content(path: Path, file: Any) -> LheContent:
    elements = file.header.extra_elements if file.header is not None else []
    found = next((element for element in elements if element.tag == "partonic"), None)
    if found is None:
        raise EventFileError(f"{path} has no header <partonic>: it was not written by partonic; import it instead")
    try:
        record = json.loads(found.text)
        monomials = Monomials(
            tuple(record.pop("parameters")), tuple(tuple(powers) for powers in record.pop("exponents"))
        )
        points = record.pop("basis")
        basis = np.array(points, dtype=np.float64).reshape(len(points), len(monomials.parameters))
        return LheContent(monomials, basis, record.pop("theta"), record)
    except (TypeError, KeyError, ValueError) as error:
        raise EventFileError(f"the header <partonic> of {path} is damaged: {error!r}") from error


def _next_events(path: Path, events: Iterator[Any], size: int, number: int) -> list[Any]:
    try:
        with _errors_for_warnings():
            return list(islice(events, size))
    except (RuntimeWarning, OSError, EOFError, ValueError, IndexError, KeyError) as error:
        raise EventFileError(f"{path} is malformed after event {number}, or truncated: {error}") from error


class _Lookup:
    """Turns `pylhe` events into arrays."""

    def __init__(self, path: Path, content: LheContent) -> None:
        self.path, self.content = path, content
        self.names = basis_weight_names(len(content.basis))
        try:
            self.energy = float(content.metadata["collider_energy"])
            self.flows: list[dict[Any, int]] = [
                {tuple(map(tuple, lines)): number for number, lines in enumerate(flows)}
                for flows in content.metadata["colour_flows"]
            ]
        except (KeyError, TypeError, ValueError) as error:
            raise EventFileError(f"the header <partonic> of {path} is damaged: {error!r}") from error

    def batch(self, events: Sequence[Any], number: int) -> UnweightedEvents:
        weights = np.array([self._weights(event, number + index) for index, event in enumerate(events)])
        momenta = torch.tensor(
            [[(p.e, p.px, p.py, p.pz) for p in event.particles if p.status != _DECAYED] for event in events],
            dtype=torch.float64,
        )
        beam = momenta[:, 0, 0].clone(), momenta[:, 1, 0].clone()
        channel = [event.eventinfo.pid - 1 for event in events]
        flow = [self._flow(event, number + index) for index, event in enumerate(events)]
        return UnweightedEvents(
            momenta=momenta[:, 2:],
            x1=beam[0] / (0.5 * self.energy),
            x2=beam[1] / (0.5 * self.energy),
            channel=torch.tensor(channel),
            colour_flow=torch.tensor(flow),
            scale=torch.tensor([event.eventinfo.scale for event in events], dtype=torch.float64),
            alpha_s=torch.tensor([event.eventinfo.aqcd for event in events], dtype=torch.float64),
            coefficients=torch.from_numpy(
                solve_morphing(self.content.monomials, self.content.basis, weights).coefficients
            ),
        )

    def _weights(self, event: Any, number: int) -> list[float]:
        try:
            return [event.weights[name] for name in self.names]
        except KeyError as error:
            raise EventFileError(f"event {number} of {self.path} has no weight {error}") from error

    def _flow(self, event: Any, number: int) -> int:
        lines: tuple[tuple[int, int], ...] = tuple((particle.color1, particle.color2) for particle in event.particles)
        try:
            return int(self.flows[event.eventinfo.pid - 1][lines])
        except (IndexError, KeyError) as error:
            raise EventFileError(
                f"event {number} of {self.path} has colour lines {lines} that subprocess {event.eventinfo.pid} lacks"
            ) from error


_ALPHA_QED = math.sqrt(2.0) * FERMI_CONSTANT * W_BOSON.mass**2 * (1.0 - (W_BOSON.mass / Z_BOSON.mass) ** 2) / math.pi
"""α in the G_F scheme. No amplitude uses it; the accord wants a number."""
