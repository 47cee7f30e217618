"""The training of the matrix element method as a step: what it reads."""

import shutil
from pathlib import Path

import pytest

from partonic.config.analysis import AnalysisConfig
from partonic.errors import ConfigError
from partonic.pretrained import pretrained_folder
from partonic.workflow.mem_training_step import MemTrainStep
from partonic.workflow.places import event_store


def analysis(tmp_path: Path, section: dict[str, object]) -> AnalysisConfig:
    return AnalysisConfig.model_validate({"name": "toy", "output": tmp_path / "out", "mem_training": section})


def test_inputs_are_stores_and_the_models_that_a_training_reads(tmp_path: Path) -> None:
    alone = analysis(tmp_path, {})
    assert MemTrainStep().inputs(alone) == (event_store(alone),)
    store, above = tmp_path / "events.parquet", pretrained_folder("tth") / "mem"
    proposal = {"start": "pretrained", "drawn": {"model": "pretrained"}}
    further = analysis(tmp_path, {"parts": ["proposal"], "stores": [store], "proposal": proposal})
    files = [above / part / name for part in ("transfer", "acceptance", "proposal") for name in _FILES]
    assert MemTrainStep().inputs(further) == (store, *files)
    start = analysis(tmp_path, {"parts": ["transfer"], "stores": [store], "transfer_start": "pretrained"})
    assert MemTrainStep().inputs(start) == (store, *(above / "transfer" / name for name in _FILES))


def test_models_of_a_part_that_is_not_trained_are_not_read(tmp_path: Path) -> None:
    section = {"parts": ["acceptance"], "proposal": {"start": "pretrained"}, "transfer_start": "pretrained"}
    config = analysis(tmp_path, section)
    assert MemTrainStep().inputs(config) == (event_store(config),)


def test_settings_of_initial_states_matter_only_where_they_are_learned(tmp_path: Path) -> None:
    """So that networks that were trained before there was such a part are not trained anew."""
    step, sizes = MemTrainStep(), {"initial_state": {"width": 8}}
    assert step.settings(analysis(tmp_path, {})) == step.settings(analysis(tmp_path, sizes))
    parts = {"parts": ["initial_state"]}
    assert step.settings(analysis(tmp_path, parts)) != step.settings(analysis(tmp_path, {**parts, **sizes}))


def test_a_start_matters_only_where_there_is_one(tmp_path: Path) -> None:
    step = MemTrainStep()
    without = step.settings(analysis(tmp_path, {}))["mem_training"]
    assert isinstance(without, dict)
    assert "transfer_start" not in without
    assert step.settings(analysis(tmp_path, {"transfer_start": "pretrained"}))["mem_training"] != without


def test_a_start_of_a_part_that_is_not_trained_does_not_matter(tmp_path: Path) -> None:
    step, section = MemTrainStep(), {"parts": ["acceptance"]}
    with_start = analysis(tmp_path, {**section, "transfer_start": "pretrained"})
    assert step.settings(with_start) == step.settings(analysis(tmp_path, section))


def test_models_that_the_training_would_replace_are_refused(tmp_path: Path) -> None:
    """Emptying the folder of an outdated training would delete what it is to start from."""
    folder = tmp_path / "out" / "train_mem"
    shutil.copytree(pretrained_folder("tth") / "mem", folder)
    for section in ({"transfer_start": folder}, {"parts": ["proposal"], "proposal": {"start": folder}}):
        with pytest.raises(ConfigError, match="which the training replaces: copy the models to another folder"):
            MemTrainStep().inputs(analysis(tmp_path, section))


def test_posteriors_are_among_the_outputs_where_there_are_any(tmp_path: Path) -> None:
    """Else a damaged one would be up to date."""
    asked = {"uncertainty": {"kind": "laplace"}}
    config = analysis(tmp_path, {"parts": ["transfer", "acceptance"], "transfer": asked})
    names = [path.relative_to(tmp_path / "out" / "train_mem") for path in MemTrainStep().outputs(config)]
    of_models = [Path(part) / name for part in ("transfer", "acceptance") for name in _FILES]
    assert names == [*of_models, Path("transfer/posterior.safetensors")]
    elsewhere = analysis(tmp_path, {"parts": ["acceptance"], "transfer": asked})
    assert all(path.name in _FILES for path in MemTrainStep().outputs(elsewhere))


_FILES = ("model.json", "weights.safetensors")
