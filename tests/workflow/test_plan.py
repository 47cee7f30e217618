"""What a run would do is what it then does, and the reasons name what changed."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from tests.workflow.conftest import TextStep

from partonic.config import AnalysisConfig
from partonic.errors import ConfigError
from partonic.workflow import plan_analysis, run_analysis
from partonic.workflow.changes import changed_settings
from partonic.workflow.plan import Estimate, PlannedStep, ReadsWhatIsThere
from partonic.workflow.steps import STEPS, ReportStep

NO_TIME = "no earlier run here that tells"


def plan(config: AnalysisConfig, available: list[TextStep], **options: object) -> list[PlannedStep]:
    return plan_analysis(config, available=available, **options)


def told(
    config: AnalysisConfig, available: list[TextStep], **options: object
) -> list[tuple[str, str, tuple[str, ...]]]:
    return [(each.step, each.action, each.reasons) for each in plan(config, available, **options)]


def old_records(config: AnalysisConfig) -> None:
    """Turn the records into those of a version that knew neither settings nor times."""
    path = config.output / "workflow.json"
    content = json.loads(path.read_text())
    kept = ("fingerprint", "finished", "summary", "files", "versions")
    steps = {name: {key: entry[key] for key in kept} for name, entry in content["steps"].items()}
    path.write_text(json.dumps({"format": content["format"], "steps": steps}))


def test_nothing_is_done_and_nothing_written(config: AnalysisConfig, steps: list[TextStep]) -> None:
    assert told(config, steps) == [
        ("generate", "run", ("never ran here",)),
        ("simulate", "run", ("never ran here", "it reads what 'generate' will make")),
        ("report", "run", ("never ran here", "it reads what 'simulate' will make")),
    ]
    assert [each.estimate for each in plan(config, steps)] == [Estimate(None, NO_TIME)] * 3
    assert not config.output.exists()
    assert not any(step.runs for step in steps)


def test_what_is_up_to_date(config: AnalysisConfig, steps: list[TextStep]) -> None:
    run_analysis(config, available=steps)
    assert told(config, steps) == [(name, "up to date", ()) for name in ("generate", "simulate", "report")]
    old_records(config)
    assert told(config, steps) == [(name, "up to date", ()) for name in ("generate", "simulate", "report")]
    assert not any(outcome.ran for outcome in run_analysis(config, available=steps))


def test_changed_setting_is_named(config: AnalysisConfig, steps: list[TextStep]) -> None:
    run_analysis(config, available=steps)
    other = config.model_copy(update={"seed": 4})
    assert told(other, steps) == [
        ("generate", "run", ("seed: 3 → 4",)),
        ("simulate", "run", ("it reads what 'generate' will make",)),
        ("report", "run", ("it reads what 'simulate' will make",)),
    ]
    old_records(config)
    (_, _, (reason,)) = told(other, steps)[0]
    assert reason == "its settings have changed; which ones is not known, for an earlier version of partonic ran it"


def test_version_of_the_step(config: AnalysisConfig, steps: list[TextStep]) -> None:
    run_analysis(config, available=steps)
    steps[0].version = 2
    assert told(config, steps)[0][2] == ("this version of partonic does the step in another way (version 2 of it)",)


@pytest.mark.parametrize("old", [False, True])
def test_input_that_changed_is_named(config: AnalysisConfig, tmp_path: Path, old: bool) -> None:
    read = tmp_path / "out" / "elsewhere" / "text"
    read.parent.mkdir(parents=True)
    read.write_text("a")
    step = TextStep("report", before="elsewhere")
    run_analysis(config, available=[step])
    if old:
        old_records(config)
    read.write_text("b")
    assert told(config, [step]) == [("report", "run", ("its input elsewhere/text has changed",))]
    read.unlink()
    assert told(config, [step]) == [("report", "cannot run", (f"it reads {read}, but there is no such file",))]


def test_inputs_that_came_and_went(config: AnalysisConfig, steps: list[TextStep]) -> None:
    run_analysis(config, available=steps)
    steps[2].before = "generate"
    assert told(config, steps)[2][2] == (
        "it reads generate/text, which it did not read before",
        "it no longer reads simulate/text",
    )


def test_outputs_that_are_not_as_they_were_left(config: AnalysisConfig, steps: list[TextStep]) -> None:
    run_analysis(config, available=steps)
    made = config.output / "generate" / "text"
    made.write_text("other")
    assert told(config, steps)[0] == ("generate", "run", (f"its output {made} is not as it left it",))
    made.unlink()
    assert told(config, steps)[0] == ("generate", "run", (f"its output {made} is missing",))


def test_interrupted_step(config: AnalysisConfig, steps: list[TextStep]) -> None:
    steps[1].interrupt = True
    with pytest.raises(KeyboardInterrupt):
        run_analysis(config, available=steps)
    assert told(config, steps)[1] == ("simulate", "go on", ("was interrupted and goes on",))
    (config.output / "generate" / "text").write_text("changed by hand")
    run_analysis(config, available=steps, steps=["generate"])
    assert told(config, steps)[1][1] == "go on", "the input is what it was again"
    steps[1].version = 2
    assert told(config, steps)[1] == (
        "simulate",
        "run",
        (
            "was interrupted, with other settings or files",
            "this version of partonic does the step in another way (version 2 of it)",
        ),
    )


def test_forced(config: AnalysisConfig, steps: list[TextStep]) -> None:
    run_analysis(config, available=steps)
    assert told(config, steps, force=True)[0] == ("generate", "run", ("asked for with --force",))
    assert told(config, steps, steps=["report"], force=True) == [
        ("generate", "up to date", ()),
        ("simulate", "up to date", ()),
        ("report", "run", ("asked for with --force",)),
    ]


def test_single_step_whose_input_is_not_up_to_date(config: AnalysisConfig, steps: list[TextStep]) -> None:
    first, second = plan(config, steps, steps=["simulate"])
    assert first.action == second.action == "cannot run"
    assert "run `partonic generate` first" in first.reasons[1]
    assert second.reasons == ("the run stops at 'generate'",)
    with pytest.raises(ConfigError, match="has no step 'mem'"):
        plan(config, steps, steps=["mem"])


def test_time_is_that_of_the_last_run(config: AnalysisConfig, steps: list[TextStep]) -> None:
    run_analysis(config, available=steps)
    record = config.output / "workflow.json"
    content = json.loads(record.read_text())
    content["steps"]["generate"]["seconds"] = 30.0
    record.write_text(json.dumps(content))
    more = config.generation.model_copy(update={"events": 3 * config.generation.events})
    larger = config.model_copy(update={"seed": 4, "generation": more})
    assert plan(larger, steps)[0].estimate == Estimate(90.0, "the last time it took 30 s; generation.events × 3")
    assert (
        str(plan(larger, steps)[0].estimate) == "about 1 min 30 s (the last time it took 30 s; generation.events × 3)"
    )
    same = plan(config.model_copy(update={"seed": 4}), steps)[0].estimate
    assert same == Estimate(30.0, "as the last time")
    content["steps"]["generate"]["workload"] = {}
    record.write_text(json.dumps(content))
    other = plan(larger, steps)[0].estimate
    assert other == Estimate(30.0, "the last time, which had another amount of work")
    old_records(config)
    assert str(plan(larger, steps)[0].estimate) == f"time unknown ({NO_TIME})"


def test_time_of_a_step_that_goes_on_is_that_of_the_whole(config: AnalysisConfig, steps: list[TextStep]) -> None:
    run_analysis(config, available=steps)
    steps[0].interrupt = True
    with pytest.raises(KeyboardInterrupt):
        run_analysis(config, available=steps, force=True)
    estimate = plan(config, steps)[0].estimate
    assert estimate is not None
    assert estimate.basis == "as the last time; less, for it goes on"


def test_report_reads_what_will_be_there(tmp_path: Path) -> None:
    """The page shows limits if there are any, so an analysis that gains them has its report made again."""
    config = AnalysisConfig(name="toy", output=tmp_path / "out", mem={}, inference={})
    assert isinstance(ReportStep(), ReadsWhatIsThere)
    later = ReportStep().later_inputs(config)
    assert later == (config.output / "mem" / "tth.parquet", config.output / "infer" / "result.json",
                     config.output / "infer" / "curves.parquet")  # fmt: skip
    (config.output / "simulate").mkdir(parents=True)
    (config.output / "simulate" / "events.parquet").write_bytes(b"events")
    (config.output / "generate").mkdir()
    (config.output / "generate" / "generation.json").write_text("{}")
    only = [step for step in STEPS if step.name in ("mem", "infer", "report")]
    planned = {each.step: each for each in plan_analysis(config, available=only)}
    assert planned["report"].reasons == ("never ran here", "it reads what 'mem' and 'infer' will make")


@pytest.mark.parametrize(
    ("step", "before", "now", "lines"),
    [
        ("generate", {"a": {"b": 1, "c": 2}}, {"a": {"b": 1, "c": 3}}, ["a.c: 2 → 3"]),
        ("generate", {"a": {"b": 1}}, {"a": {}, "d": (1, 2)}, ["a: not there → {}", "a.b: 1 → not there",
                                                              "d: not there → [1, 2]"]),
        ("sample", {"views": ["hard"]}, {"views": ("hard", "with_isr")},
         ["unfolding.views: ['hard'] → ['hard', 'with_isr']"]),
        ("mem", {"max_events": 5}, {"max_events": None}, ["mem.max_events: 5 → null"]),
        ("infer", {"compare": True}, {"compare": False}, ["compare: true → false"]),
        ("infer", {"toys": None}, {"toys": {"points": 3}}, ["toys.points: not there → 3"]),
        ("train_sbi", {"sbi": {"method": "trees"}}, {"sbi": {"method": "carl"}}, ["sbi.method: trees → carl"]),
        ("train_sbi.a", {"sbi": {"method": "trees"}}, {"sbi": {"method": "carl"}},
         ["sbi.also.a.method: trees → carl"]),
        ("mem", {"points": (1, 2)}, {"points": [1, 2]}, []),
    ],
)  # fmt: skip
def test_settings_are_named_as_in_the_file(
    step: str, before: Mapping[str, object], now: Mapping[str, object], lines: list[str]
) -> None:
    assert changed_settings(step, before, now) == lines


def test_many_changed_settings_are_counted() -> None:
    before = {f"key{number:02d}": 0 for number in range(11)}
    lines = changed_settings("generate", before, dict.fromkeys(before, 1))
    assert len(lines) == 9
    assert lines[-1] == "and 3 more settings"
