"""The search for θ*: it finds what is known, and goes on where it was killed."""

import math
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from partonic.errors import DependencyError, InferenceError
from partonic.inference.optimised_template.search import SearchPlan, search

PLAN = SearchPlan({"a": (-1.0, 3.0), "b": (-2.0, 2.0)}, {"a": 0.0, "b": 0.0}, 40, "tpe", 5, key="x")

optuna = pytest.importorskip("optuna")


def bowl(theta: np.ndarray) -> float:
    return float((theta[0] - 1.2) ** 2 + (theta[1] + 0.4) ** 2)


def test_first_points_are_on_the_axes() -> None:
    assert PLAN.first_points() == [
        {"a": -0.5, "b": 0.0},
        {"a": 1.5, "b": 0.0},
        {"a": 0.0, "b": -1.0},
        {"a": 0.0, "b": 1.0},
    ]
    outside = replace(PLAN, ranges={"a": (1.0, 3.0), "b": (-2.0, 2.0)})
    assert all(1.0 <= point["a"] <= 3.0 for point in outside.first_points())


@pytest.mark.parametrize(("sampler", "trials", "within"), [("tpe", 60, 0.35), ("gp", 20, 0.05)])
def test_a_minimum_is_found(sampler: str, trials: int, within: float) -> None:
    found = search(bowl, replace(PLAN, sampler=sampler, trials=trials))
    best = min(found, key=lambda each: each.merit)
    assert len(found) == trials
    assert math.hypot(best.theta["a"] - 1.2, best.theta["b"] + 0.4) < within
    assert best.merit < min(each.merit for each in found[:4])


@pytest.mark.parametrize("sampler", ["tpe", "gp"])
def test_killed_and_resumed(sampler: str, tmp_path: Path) -> None:
    plan = replace(PLAN, sampler=sampler, trials=12, journal=tmp_path / "out" / "search.jsonl")
    whole = search(bowl, replace(plan, journal=None))
    calls = 0

    def killed(theta: np.ndarray) -> float:
        nonlocal calls
        calls += 1
        if calls == 8:
            raise KeyboardInterrupt
        return bowl(theta)

    with pytest.raises(KeyboardInterrupt):
        search(killed, plan)
    text = plan.journal.read_text()
    plan.journal.write_text(text[: len(text) - 9])  # the last line is cut off
    seen: list[float] = []

    def counted(theta: np.ndarray) -> float:
        seen.append(float(theta[0]))
        return bowl(theta)

    assert search(counted, plan) == whole
    assert len(seen) == 12 - 6
    assert search(counted, plan) == whole  # it is finished: nothing more is tried
    assert len(seen) == 12 - 6


def test_a_journal_of_another_search_is_not_used(tmp_path: Path) -> None:
    plan = replace(PLAN, trials=5, journal=tmp_path / "search.jsonl")
    search(bowl, plan)
    other = search(lambda theta: 1.0 + bowl(theta), replace(plan, key="y"))
    assert other[0].merit == 1.0 + bowl(np.array([-0.5, 0.0]))
    assert '"y"' in plan.journal.read_text()


def test_points_without_a_finite_merit() -> None:
    found = search(lambda theta: math.inf if theta[0] < 0 else bowl(theta), replace(PLAN, trials=10))
    assert math.isinf(found[0].merit)
    with pytest.raises(InferenceError, match="none of 5 points"):
        search(lambda theta: math.inf, replace(PLAN, trials=5))


def test_seeds_tell_searches_apart() -> None:
    first, again, other = (search(bowl, replace(PLAN, trials=8, seed=seed)) for seed in (5, 5, 6))
    assert first == again
    assert first[:4] == other[:4]
    assert first[4:] != other[4:]


def test_optuna_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(DependencyError, match=r"partonic\[optimise\].*or give `inference\.template\.theta_star`"):
        search(bowl, PLAN)
