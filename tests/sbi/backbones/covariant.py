"""Lorentz transformations of events, for the tests of covariant trunks."""

import math
from dataclasses import replace

import torch
from tests.sbi.backbones.object_events import LAYOUT, NAMED, objects, rows

from partonic.sbi.backbones.layout import NUMBERS, ObjectInputs

ALONG, ABOUT, ACROSS, TILT = "boost along the beam", "rotation about the beam", "boost across the beam", "tilt"


def events(count: int = 40, seed: int = 4, least: int = 1) -> ObjectInputs:
    """Events of at least so many objects, whose numbers but log pT do not depend on the directions."""
    table = objects(count, seed)
    found = LAYOUT.split(rows(table[(table[..., 0] > 0).sum(axis=1) >= least], seed))
    keep = [NUMBERS.index(name) for name in ("log_pt", "btag", "tagged", "charge", "is_muon")]
    numbers = torch.zeros_like(found.numbers)
    numbers[..., keep] = found.numbers[..., keep]
    return replace(found, numbers=numbers)


def matrix(name: str, size: float = 0.7) -> torch.Tensor:
    """(E, px, py, pz) → (E, px, py, pz)."""
    found = torch.eye(4, dtype=torch.float64)
    first, second = {ALONG: (0, 3), ABOUT: (1, 2), ACROSS: (0, 1), TILT: (2, 3)}[name]
    boost = first == 0
    cosine, sine = (math.cosh(size), math.sinh(size)) if boost else (math.cos(size), math.sin(size))
    found[first, first] = found[second, second] = cosine
    found[first, second], found[second, first] = (sine, sine) if boost else (-sine, sine)
    return found


def changed(trunk: torch.nn.Module, name: str, least: int = 1) -> float:
    """Largest change of the output under the transformation, relative to the scatter of the output."""
    parts = events(least=least)
    momenta = (parts.momenta.double() @ matrix(name).T).float()
    with torch.no_grad():
        before, after = trunk(parts), trunk(replace(parts, momenta=momenta))
    return float((after - before).abs().max() / before.std())


__all__ = ["ABOUT", "ACROSS", "ALONG", "NAMED", "TILT", "changed", "events", "matrix"]
