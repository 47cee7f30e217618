"""Which steps unfolding adds to an analysis, what they depend on, and which other steps they need."""

import sys
import types
from collections.abc import Callable
from pathlib import Path

import pytest

from partonic.config import AnalysisConfig
from partonic.errors import ConfigError, ModelError, WorkflowError
from partonic.workflow import run_analysis
from partonic.workflow.places import event_store, samples_file, trained_models
from partonic.workflow.step import Step
from partonic.workflow.unfolding_steps import SampleStep, TrainStep


def analysis(folder: Path, **unfolding: object) -> AnalysisConfig:
    return AnalysisConfig(name="toy", output=folder / "out", seed=3, unfolding={"views": ["hard"], **unfolding})


def write_model(folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "model.json").write_text("{}")
    (folder / "weights.safetensors").write_bytes(b"")


def stand_in(monkeypatch: pytest.MonkeyPatch, module: str, function: Callable[..., object]) -> None:
    """Put `function` in the place of the module that a step imports when it runs."""
    replacement = types.ModuleType(module)
    setattr(replacement, function.__name__, function)
    monkeypatch.setitem(sys.modules, module, replacement)


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A file in the place of an event store."""
    path = tmp_path / "events.parquet"
    path.write_bytes(b"events")
    return path


@pytest.fixture
def trainings(monkeypatch: pytest.MonkeyPatch) -> list[tuple[object, ...]]:
    """Stand-in for the training: notes its arguments and leaves models."""
    calls: list[tuple[object, ...]] = []

    def train_unfolding(stores, process, config, seed, folder, progress):
        calls.append((stores, process, config, seed, folder))
        for view in config.views:
            write_model(folder / view)
        return tuple(f"{view}: trained" for view in config.views)

    stand_in(monkeypatch, "partonic.unfolding.train", train_unfolding)
    return calls


@pytest.fixture
def samplings(monkeypatch: pytest.MonkeyPatch) -> list[tuple[object, ...]]:
    """Stand-in for the sampling: notes its arguments and leaves files."""
    calls: list[tuple[object, ...]] = []

    def sample_events(store, output, model, view, config, seed, *, force=False, progress=None):
        calls.append((store, output, model, view, seed))
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_text(view)
        return f"{view}: 5 events"

    stand_in(monkeypatch, "partonic.unfolding.sample_events", sample_events)
    return calls


@pytest.mark.parametrize("step", [TrainStep(), SampleStep()], ids=lambda step: step.name)
def test_they_are_steps(step: object) -> None:
    assert isinstance(step, Step)


def test_which_steps_an_analysis_has(tmp_path: Path) -> None:
    without = AnalysisConfig(name="toy")
    trains, ready = analysis(tmp_path), analysis(tmp_path, model="pretrained")
    assert [step.applies(without) for step in (TrainStep(), SampleStep())] == [False, False]
    assert [step.applies(trains) for step in (TrainStep(), SampleStep())] == [True, True]
    assert [step.applies(ready) for step in (TrainStep(), SampleStep())] == [False, True]


@pytest.mark.parametrize("step", ["train", "sample"])
def test_analysis_without_the_step(tmp_path: Path, step: str) -> None:
    with pytest.raises(ConfigError, match=f"has no step '{step}'; it has: generate, simulate, report"):
        run_analysis(AnalysisConfig(name="toy", output=tmp_path), steps=[step])


def test_stores_of_others_need_no_generation(tmp_path: Path, store: Path, trainings: list[tuple[object, ...]]) -> None:
    config = analysis(tmp_path, stores=[store])
    outcomes = run_analysis(config, steps=["train"])
    assert [(outcome.step, outcome.summary) for outcome in outcomes] == [("train", "hard: trained")]
    assert trainings == [((store,), config.process, config.unfolding, 3, trained_models(config))]
    assert not run_analysis(config, steps=["train"])[0].ran


def test_own_events_must_be_there_to_train(tmp_path: Path, trainings: list[tuple[object, ...]]) -> None:
    with pytest.raises(WorkflowError, match="step 'generate' has not run"):
        run_analysis(analysis(tmp_path), steps=["train"])
    assert TrainStep().inputs(analysis(tmp_path)) == (event_store(analysis(tmp_path)),)
    assert trainings == []


@pytest.mark.parametrize(
    ("change", "again"),
    [
        ({"flow": {"bins": 24}}, True),
        ({"training": {"batch_size": 7}}, True),
        ({"preset": "cms"}, True),
        ({"sampling": {"samples_per_event": 5}}, False),
        ({"training": {"logger": "tensorboard"}}, False),
    ],
)
def test_what_the_training_depends_on(
    tmp_path: Path, store: Path, trainings: list[tuple[object, ...]], change: dict[str, object], again: bool
) -> None:
    run_analysis(analysis(tmp_path, stores=[store]), steps=["train"])
    (outcome,) = run_analysis(analysis(tmp_path, stores=[store], **change), steps=["train"])
    assert outcome.ran is again


def test_training_of_other_settings_is_removed(tmp_path: Path, store: Path, trainings: list[object]) -> None:
    config = analysis(tmp_path, stores=[store])
    run_analysis(config, steps=["train"])
    (trained_models(config) / "checkpoint").write_text("of other settings")
    run_analysis(analysis(tmp_path, stores=[store], flow={"bins": 24}), steps=["train"])
    assert not (trained_models(config) / "checkpoint").exists()


@pytest.fixture
def imported(tmp_path: Path, store: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    """An analysis whose events are there already, and a model."""
    config = analysis(tmp_path, model=tmp_path / "model", views=["hard", "with_isr"])
    for view in ("hard", "with_isr"):
        write_model(tmp_path / "model" / view)
    event_store(config).parent.mkdir(parents=True)
    event_store(config).write_bytes(b"events")
    monkeypatch.setattr("partonic.workflow.steps.GenerateStep.applies", lambda self, config: False)
    monkeypatch.setattr("partonic.workflow.steps.SimulateStep.applies", lambda self, config: False)
    return {"config": config}


def test_each_view_has_its_samples(imported: dict[str, object], samplings: list[tuple[object, ...]]) -> None:
    config = imported["config"]
    (outcome,) = run_analysis(config, steps=["sample"])
    assert outcome.summary == "hard: 5 events; with_isr: 5 events"
    model = config.unfolding.model
    assert samplings == [
        (event_store(config), samples_file(config, view), model, view, 3) for view in ("hard", "with_isr")
    ]
    assert not run_analysis(config, steps=["sample"])[0].ran


def test_other_weights_sample_anew(imported: dict[str, object], samplings: list[object], tmp_path: Path) -> None:
    run_analysis(imported["config"], steps=["sample"])
    (tmp_path / "model" / "hard" / "weights.safetensors").write_bytes(b"other")
    assert run_analysis(imported["config"], steps=["sample"])[0].ran


def test_model_that_is_not_there_is_told_before_any_work(tmp_path: Path) -> None:
    config = analysis(tmp_path, model=tmp_path / "absent")
    with pytest.raises(ModelError, match=r"there is no folder .*absent; give 'pretrained', or a folder"):
        run_analysis(config)
    assert not list((tmp_path / "out").glob("generate"))
