import json
import math

import pytest
import torch

from partonic.unfolding.provenance.efficiency import Fraction, assignment_efficiencies
from partonic.unfolding.provenance.truth import AssignmentTruth

MISSING = -1


def truth_of(rows):
    assignment = torch.tensor(rows)
    return AssignmentTruth(assignment, torch.zeros(len(rows), 8, dtype=torch.long))


def by_class(*args):
    return {part.jets: part for part in assignment_efficiencies(*args)}


def test_counts_by_hand():
    truth = truth_of(
        [
            [0, 1, 2, 3, 4, 5],
            [0, 1, 2, 3, 4, 5],
            [0, 1, 2, 3, 4, 6],
            [0, 1, MISSING, MISSING, MISSING, 3],
            [MISSING, MISSING, MISSING, MISSING, MISSING, 0],
        ]
    )
    found = torch.tensor(
        [
            [1, 0, 2, 4, 3, 5],  # all right: the order of like jets means nothing
            [0, 1, 3, 2, 4, 5],  # b and W jet of t_had exchanged
            [0, 2, 1, 3, 4, MISSING],
            [0, 1, 2, 4, 5, 3],  # t_had cannot be right where it is incomplete
            [0, 1, MISSING, MISSING, MISSING, 2],
        ]
    )
    table = by_class(found, truth, torch.tensor([6, 6, 7, 5, 4]))
    assert [(name, part.events) for name, part in table.items()] == [
        ("all", 5), ("≤4", 1), ("5", 1), ("6", 2), ("7", 1), ("≥8", 0)
    ]  # fmt: skip
    right = {name: (part.passed, part.total) for name, part in table["all"].right.items()}
    assert right == {"H": (3, 4), "t_had": (1, 3), "t_lep": (3, 5), "event": (1, 3)}
    complete = {name: part.passed for name, part in table["all"].complete.items()}
    assert complete == {"H": 4, "t_had": 3, "t_lep": 5, "event": 3}
    assert table["6"].right["event"] == Fraction(1, 2)
    assert table["≥8"].right["H"] == Fraction(0, 0)


def test_classes_add_up(torch_rng):
    table = [torch.randperm(8, generator=torch_rng)[:6] for _ in range(300)]
    truth = truth_of([row.tolist() for row in table])
    found = torch.where(torch.rand(300, 1, generator=torch_rng) < 0.6, truth.assignment, truth.assignment.flip(1))
    classes = assignment_efficiencies(found, truth, torch.randint(3, 12, (300,), generator=torch_rng))
    for name in ("H", "t_had", "t_lep", "event"):
        assert sum(part.right[name].passed for part in classes[1:]) == classes[0].right[name].passed
        assert sum(part.right[name].total for part in classes[1:]) == classes[0].right[name].total


def test_binomial_error():
    part = Fraction(30, 120)
    assert part.value == 0.25
    assert part.error == pytest.approx(math.sqrt(0.25 * 0.75 / 120))
    assert math.isnan(Fraction(0, 0).value)
    assert math.isnan(Fraction(0, 0).error)


def test_json_has_no_nan():
    truth = truth_of([[0, 1, 2, 3, 4, 5]])
    content = [part.to_json() for part in assignment_efficiencies(truth.assignment, truth, torch.tensor([6]))]
    text = json.dumps(content, allow_nan=False)
    assert json.loads(text)[0]["right"]["event"] == {"passed": 1, "total": 1, "value": 1.0, "error": 0.0}
    assert content[1]["right"]["H"]["value"] is None
