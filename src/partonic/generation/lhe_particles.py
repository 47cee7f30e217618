"""The particles of an event of ours as lines of a Les Houches file, with the resonances that they come from.

A resonance whose decay is in the matrix element is a particle of status 2 between the incoming partons and its products
(hep-ph/0109068): its momentum is the sum of theirs, its mass their invariant mass, which a shower keeps, and its colour
lines are those that they do not share among themselves. Which of its PDG ids it has follows from their charges.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from partonic.errors import ProcessError
from partonic.physics.particles import Particle
from partonic.physics.process import Channel
from partonic.processes.decay_tree import DecayTree, Resonance

__all__ = ["EventLayout", "colour_lines_of_event", "event_layout", "final_state_of", "resonance_momenta",
           "template_lines"]  # fmt: skip

ColourPair = tuple[int, int]

_FIRST_COLOUR = 501
_INCOMING, _FINAL, _DECAYED = -1, 1, 2


@dataclass(frozen=True)
class EventLayout:
    """The particles of all events of a channel and colour flow, in the order of the file.

    Attributes:
        pdg_ids: of the incoming partons, the R resonances and the n final particles.
        statuses: −1, 2 or 1.
        mothers: line of the first and the last mother, counted from 1; 0 for none.
        colours: colour and anticolour line, 0 for none.
        masses: in GeV; None for a resonance, whose mass varies.
    """

    pdg_ids: tuple[int, ...]
    statuses: tuple[int, ...]
    mothers: tuple[tuple[int, int], ...]
    colours: tuple[ColourPair, ...]
    masses: tuple[float | None, ...]


def event_layout(channel: Channel, final_state: Sequence[Particle], tree: DecayTree, flow: int) -> EventLayout:
    """Return the particles of the events of a channel and colour flow.

    Raises:
        ProcessError: if no PDG id of a resonance has the charge of its products, or they do not join in one colour.
    """
    final = channel.final_pdg(final_state)
    resonances = tree.of_matrix_element
    first_final = 3 + len(resonances)
    lines = {one.name: 3 + place for place, one in enumerate(resonances)}

    def mother(one: Resonance | None) -> tuple[int, int]:
        return (1, 2) if one is None else (lines[one.name], lines[one.name])

    colours = colour_lines_of_event(channel, flow, resonances)
    return EventLayout(
        pdg_ids=(*channel.initial, *(one.pdg_among(final) for one in resonances), *final),
        statuses=(_INCOMING,) * 2 + (_DECAYED,) * len(resonances) + (_FINAL,) * len(final),
        mothers=(
            (0, 0), (0, 0), *(mother(tree.mother_of(one)) for one in resonances),
            *(mother(tree.mother_of_slot(slot)) for slot in range(len(final))),
        ),
        colours=colours,
        masses=(0.0, 0.0) + (None,) * (first_final - 3) + tuple(particle.mass for particle in final_state),
    )  # fmt: skip


def colour_lines_of_event(channel: Channel, flow: int, resonances: Sequence[Resonance]) -> tuple[ColourPair, ...]:
    """Return colour and anticolour line of all particles of an event, in the order of the file.

    Raises:
        ProcessError: if the products of a resonance have more colours than one particle can.
    """
    pairs = [_numbered(*pair) for pair in channel.colour_flows[flow]]
    inside = [_joined(one, [pairs[2 + slot] for slot in one.slots]) for one in resonances]
    return (*pairs[:2], *inside, *pairs[2:])


def resonance_momenta(
    momenta: Float[np.ndarray, "events particles 4"], resonances: Sequence[Resonance]
) -> Float[np.ndarray, "events resonances 5"]:
    """Return (px, py, pz, E, m) in GeV of the resonances, from the final-state momenta (E, px, py, pz)."""
    result = np.empty((len(momenta), len(resonances), 5))
    for place, one in enumerate(resonances):
        total = momenta[:, list(one.slots)].sum(axis=1)
        squared = total[:, 0] ** 2 - (total[:, 1:] ** 2).sum(axis=1)
        result[:, place] = np.column_stack([total[:, 1:], total[:, 0], np.sqrt(np.maximum(squared, 0.0))])
    return result


def template_lines(layout: EventLayout) -> list[str]:
    """Return the lines of the particles; ``%r`` stands for what varies (pz and E of incoming, momenta of others)."""
    lines = []
    for pdg, status, mothers, colours, mass in zip(
        layout.pdg_ids, layout.statuses, layout.mothers, layout.colours, layout.masses, strict=True
    ):
        momentum = "0.0 0.0 %r %r" if status == _INCOMING else "%r %r %r %r"
        size = "%r" if mass is None else repr(mass)
        lines.append(f"{pdg} {status} {mothers[0]} {mothers[1]} {colours[0]} {colours[1]} {momentum} {size} 0. 9.")
    return lines


def final_state_of(channel: Channel, final_state: Sequence[Particle]) -> str:
    """Return the final state of a channel as a text, e.g. ``"24 23"``."""
    return " ".join(map(str, channel.final_pdg(final_state)))


def _numbered(colour: int, anticolour: int) -> ColourPair:
    """Return the two line numbers, from 501 on as the accord recommends."""
    first, second = (line + _FIRST_COLOUR - 1 if 0 < line < _FIRST_COLOUR else line for line in (colour, anticolour))
    return first, second


def _joined(resonance: Resonance, pairs: Sequence[ColourPair]) -> ColourPair:
    """Return the colour lines that the products of a resonance do not share among themselves."""
    colours = {colour for colour, _ in pairs if colour}
    anticolours = {anticolour for _, anticolour in pairs if anticolour}
    own = sorted(colours - anticolours), sorted(anticolours - colours)
    if max(map(len, own)) > 1:
        raise ProcessError(
            f"the products of the resonance '{resonance.name}' leave the colour lines {own[0]} and anticolour lines "
            f"{own[1]}: one particle has at most one of each. Correct the colour flows or slots of the process"
        )
    return (own[0] or [0])[0], (own[1] or [0])[0]
