"""How often an assignment is right, by the number of jets.

The efficiency of a target is the part of the events in which it is complete whose jets are all found; the order of the
two jets of H and of the two jets of W does not count. The efficiency of the event asks for all three targets where all
are complete. Efficiencies of methods are comparable only on the same events.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from partonic.unfolding.provenance.candidates import SLOTS, TARGETS
from partonic.unfolding.provenance.truth import AssignmentTruth

__all__ = ["AssignmentEfficiency", "Fraction", "assignment_efficiencies"]

_FEWEST_JETS, _MOST_JETS = 4, 8


@dataclass(frozen=True)
class Fraction:
    """A part of counted events, with its binomial error √(ε(1 − ε)/n)."""

    passed: int
    total: int

    @property
    def value(self) -> float:
        """Passed over total; NaN where there is nothing."""
        return self.passed / self.total if self.total else math.nan

    @property
    def error(self) -> float:
        """One standard deviation; NaN where there is nothing."""
        return math.sqrt(self.value * (1.0 - self.value) / self.total) if self.total else math.nan

    def to_json(self) -> dict[str, float | int | None]:
        """Return counts, value and error; None where there is nothing."""
        known = self.total > 0
        return {
            "passed": self.passed,
            "total": self.total,
            "value": self.value if known else None,
            "error": self.error if known else None,
        }


@dataclass(frozen=True)
class AssignmentEfficiency:
    """Efficiencies in events of one class of multiplicities.

    Attributes:
        jets: name of the class, e.g. ``"all"``, ``"6"`` or ``"≥8"``.
        events: number of events.
        complete: part of the events in which H, t_had, t_lep and all three are complete.
        right: part of those in which the assignment is right.
    """

    jets: str
    events: int
    complete: dict[str, Fraction]
    right: dict[str, Fraction]

    def to_json(self) -> dict[str, object]:
        """Return all numbers by name."""
        return {
            "jets": self.jets,
            "events": self.events,
            "complete": {name: part.to_json() for name, part in self.complete.items()},
            "right": {name: part.to_json() for name, part in self.right.items()},
        }


def assignment_efficiencies(
    found: Int[Tensor, "events 6"], truth: AssignmentTruth, jets: Int[Tensor, " events"]
) -> tuple[AssignmentEfficiency, ...]:
    """Return the efficiencies in all events, then in those with 4 (or fewer), 5, 6, 7 and 8 (or more) jets.

    Args:
        found: assignment of each event, as of `decode_assignment`.
        truth: the true ones.
        jets: number of jets of each event.
    """
    right = _same_targets(found, truth.assignment) & truth.complete
    classes = [
        ("all", torch.ones_like(jets, dtype=torch.bool)),
        (f"≤{_FEWEST_JETS}", jets <= _FEWEST_JETS),
        *((str(number), jets == number) for number in range(_FEWEST_JETS + 1, _MOST_JETS)),
        (f"≥{_MOST_JETS}", jets >= _MOST_JETS),
    ]
    return tuple(_of_class(name, right[rows], truth.complete[rows]) for name, rows in classes)


def _same_targets(first: Int[Tensor, "events 6"], second: Int[Tensor, "events 6"]) -> Bool[Tensor, "events 3"]:
    same = _ordered(first) == _ordered(second)
    return torch.stack([same[:, slots].all(dim=1) for slots in SLOTS], dim=1)


def _ordered(assignment: Int[Tensor, "events 6"]) -> Int[Tensor, "events 6"]:
    """Return the assignment with the jets of H, and those of W, in ascending order."""
    higgs, of_w = assignment[:, :2].sort(dim=1).values, assignment[:, 3:5].sort(dim=1).values
    return torch.cat([higgs, assignment[:, 2:3], of_w, assignment[:, 5:]], dim=1)


def _of_class(name: str, right: Bool[Tensor, "events 3"], complete: Bool[Tensor, "events 3"]) -> AssignmentEfficiency:
    whole = complete.all(dim=1, keepdim=True)
    known = torch.cat([complete, whole], dim=1)
    found = torch.cat([right, right.all(dim=1, keepdim=True)], dim=1)
    names = (*TARGETS, "event")
    return AssignmentEfficiency(
        jets=name,
        events=len(complete),
        complete={key: Fraction(int(part.sum()), len(part)) for key, part in zip(names, known.T, strict=True)},
        right={
            key: Fraction(int(part.sum()), int(total.sum()))
            for key, part, total in zip(names, found.T, known.T, strict=True)
        },
    )
