from pathlib import Path

import pytest

from partonic.config import AnalysisConfig
from partonic.workflow.workload import scaled_duration, workload

OWN = AnalysisConfig(
    name="toy", generation={"events": 500}, unfolding={"model": "pretrained", "sampling": {"samples_per_event": 20}},
    mem={"points": {"maximum": 4000}},
)  # fmt: skip
LIMITED = AnalysisConfig(
    name="toy", generation={"events": 500}, unfolding={"sampling": {"max_events": 7}}, mem={"max_events": 9},
)  # fmt: skip
IMPORTED = AnalysisConfig(name="toy", **{"import": {"format": "lhe", "files": ["a.lhe"]}}, mem={"store": Path("x")})


@pytest.mark.parametrize(
    ("step", "config", "numbers"),
    [
        ("generate", OWN, {"generation.events": 500}),
        ("simulate", OWN, {"generation.events": 500}),
        ("sample", OWN, {"generation.events": 500, "unfolding.sampling.samples_per_event": 20, "unfolding.views": 2}),
        ("sample", LIMITED,
         {"unfolding.sampling.max_events": 7, "unfolding.sampling.samples_per_event": 100, "unfolding.views": 2}),
        ("mem", OWN, {"generation.events": 500, "mem.points.maximum": 4000}),
        ("mem", LIMITED, {"mem.max_events": 9, "mem.points.maximum": 10_000}),
        ("mem", IMPORTED, {"mem.points.maximum": 10_000}),
        ("import", IMPORTED, {}),
        ("sample", IMPORTED, {}),
        ("train", OWN, {}),
        ("infer", OWN, {}),
        ("report", OWN, {}),
    ],
)  # fmt: skip
def test_what_a_duration_is_proportional_to(step: str, config: AnalysisConfig, numbers: dict[str, float]) -> None:
    assert workload(step, config) == numbers


def test_scaling() -> None:
    before, now = {"events": 100.0, "points": 50.0, "views": 1.0}, {"events": 300.0, "points": 25.0, "views": 1.0}
    assert scaled_duration(10.0, before, now) == (15.0, ("events × 3", "points × 0.5"), True)
    assert scaled_duration(10.0, before, before) == (10.0, (), True)
    assert scaled_duration(10.0, before, {"events": 300.0}) == (10.0, (), False)
