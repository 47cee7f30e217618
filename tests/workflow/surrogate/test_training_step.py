"""The training of a learned detector as a step, and the files that the simulation reads with one."""

from pathlib import Path

import pytest

from partonic.config.analysis import AnalysisConfig
from partonic.errors import ConfigError, ModelError
from partonic.pretrained import pretrained_folder
from partonic.workflow.places import event_store, parton_events, trained_surrogate
from partonic.workflow.step import steps_of
from partonic.workflow.steps import STEPS, SimulateStep
from partonic.workflow.surrogate.training_step import SurrogateTrainStep

_SHIPPED = pretrained_folder("thq") / "mem"
_PARTS = [
    _SHIPPED / part / name for part in ("acceptance", "transfer") for name in ("model.json", "weights.safetensors")
]


def analysis(tmp_path: Path, **sections: object) -> AnalysisConfig:
    return AnalysisConfig.model_validate(
        {"name": "toy", "output": tmp_path / "out", "process": {"name": "thq", "collider_energy": 13600.0}, **sections}
    )


def test_simulation_reads_the_files_of_the_surrogate(tmp_path: Path) -> None:
    config = analysis(tmp_path, simulation={"surrogate": {}})
    assert SimulateStep().inputs(config) == (parton_events(config), *_PARTS, _SHIPPED / "surrogate.json")
    plain = analysis(tmp_path)
    assert SimulateStep().inputs(plain) == (parton_events(plain),)
    missing = analysis(tmp_path, simulation={"surrogate": {"model": tmp_path}})
    with pytest.raises(ModelError, match="holds no surrogate"):
        SimulateStep().inputs(missing)


def test_a_surrogate_is_a_setting_of_the_simulation_only_where_there_is_one(tmp_path: Path) -> None:
    """So that events that were simulated before there was such a key are not simulated again."""
    settings = SimulateStep().settings(analysis(tmp_path))["simulation"]
    with_one = SimulateStep().settings(analysis(tmp_path, simulation={"surrogate": {}}))["simulation"]
    assert isinstance(settings, dict)
    assert isinstance(with_one, dict)
    assert "surrogate" not in settings
    assert with_one == {**settings, "surrogate": {"model": "pretrained"}}


def test_inputs_and_outputs(tmp_path: Path) -> None:
    step, own = SurrogateTrainStep(), analysis(tmp_path, surrogate_training={})
    assert step.inputs(own) == (event_store(own),)
    folder = trained_surrogate(own)
    assert folder / "surrogate.json" in step.outputs(own)
    assert folder / "objects" / "model.json" in step.outputs(own)
    store = tmp_path / "events.parquet"
    ready = analysis(tmp_path, surrogate_training={"stores": [store], "model": {"kind": "transfer"}})
    assert step.inputs(ready) == (store, *_PARTS, _SHIPPED / "surrogate.json")
    assert folder / "transfer" / "model.json" in step.outputs(ready)
    assert not step.applies(analysis(tmp_path))
    assert "train_surrogate" in [each.name for each in steps_of(own, STEPS)]


def test_what_the_training_would_replace_is_refused(tmp_path: Path) -> None:
    import shutil

    shutil.copytree(_SHIPPED, tmp_path / "out" / "train_surrogate")
    model = {"kind": "transfer", "model": tmp_path / "out" / "train_surrogate"}
    config = analysis(tmp_path, surrogate_training={"stores": [tmp_path / "events.parquet"], "model": model})
    with pytest.raises(ConfigError, match="which the training replaces: copy the models to another folder"):
        SurrogateTrainStep().inputs(config)


def test_stores_count_by_content_and_not_by_place(tmp_path: Path) -> None:
    step = SurrogateTrainStep()
    one, other = (analysis(tmp_path, surrogate_training={"stores": [tmp_path / name]}) for name in ("a", "b"))
    assert step.settings(one) == step.settings(other)
