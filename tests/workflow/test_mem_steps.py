"""What the step of the matrix element method depends on, and which models it uses."""

import sys
import types
from pathlib import Path

import pytest

from partonic.config import AnalysisConfig
from partonic.errors import ConfigError, ModelError, ProcessError
from partonic.progress import SILENT
from partonic.workflow.mem_steps import MemStep
from partonic.workflow.places import coefficients_file, event_store, trained_mem, trained_models
from partonic.workflow.step import Step


def analysis(folder: Path, mem: dict[str, object] | None = None, **sections: object) -> AnalysisConfig:
    return AnalysisConfig(name="toy", output=folder / "out", seed=3, mem=mem, **sections)


def write_model(folder: Path) -> Path:
    folder.mkdir(parents=True)
    (folder / "model.json").write_text("{}")
    (folder / "weights.safetensors").write_bytes(b"")
    return folder


def models(folder: Path) -> Path:
    for name in ("transfer", "acceptance", "proposal", "hard"):
        write_model(folder / name)
    return folder


def test_step_applies_with_its_section_only(tmp_path: Path) -> None:
    assert isinstance(MemStep(), Step)
    assert MemStep().applies(analysis(tmp_path, {}))
    assert not MemStep().applies(analysis(tmp_path))
    with pytest.raises(ConfigError, match="'toy' has no section `mem`"):
        MemStep().settings(analysis(tmp_path))


def test_how_the_work_is_shared_out_changes_nothing(tmp_path: Path) -> None:
    step = MemStep()
    first = step.settings(analysis(tmp_path, {"workers": 1, "batch_events": 3, "points": {"at_once": 100}}))
    assert first == step.settings(analysis(tmp_path, {"workers": 7}))
    assert first != step.settings(analysis(tmp_path, {"points": {"maximum": 5000}}))
    assert first != step.settings(analysis(tmp_path, {"max_events": 5}))
    assert first != step.settings(analysis(tmp_path, {}, simulation={"decays": {"tops": "dilepton"}}))


def test_inputs_are_stores_and_models(tmp_path: Path) -> None:
    folder = models(tmp_path / "models")
    config = analysis(
        tmp_path,
        {
            "model": folder, "proposal": {"kind": "network"}, "store": tmp_path / "data.parquet",
            "normalisation": {"store": tmp_path / "simulated.parquet"},
        },
    )  # fmt: skip
    stores = (tmp_path / "data.parquet", tmp_path / "simulated.parquet")
    files = [folder / part / file for part in ("transfer", "acceptance", "proposal") for file in _FILES]
    assert MemStep().inputs(config) == (*stores, *files)
    assert MemStep().outputs(config) == (tmp_path / "out" / "mem" / "tth.parquet",)


_FILES = ("model.json", "weights.safetensors")


def test_models_trained_in_the_same_analysis_may_be_to_come(tmp_path: Path) -> None:
    config = analysis(tmp_path, {}, mem_training={}, unfolding={})
    folders = (trained_mem(config) / "transfer", trained_mem(config) / "acceptance", trained_models(config) / "hard")
    files = [folder / file for folder in folders for file in _FILES]
    assert MemStep().inputs(config) == (event_store(config), *files)
    network = analysis(tmp_path, {"proposal": {"kind": "network"}}, mem_training={"parts": ["proposal"]})
    assert MemStep().inputs(network)[-1] == trained_mem(config) / "proposal" / "weights.safetensors"


def test_model_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"here holds no model 'transfer' \(transfer/model\.json\): expected"):
        MemStep().inputs(analysis(tmp_path, {"model": tmp_path / "here"}))


def test_run_hands_over_what_the_sections_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[tuple[object, ...]] = []
    replacement = types.ModuleType("partonic.mem.integral.integrate_events")
    replacement.integrate_events = lambda *arguments, progress: calls.append(arguments) or "done"
    monkeypatch.setitem(sys.modules, replacement.__name__, replacement)
    config = analysis(tmp_path, {"model": tmp_path}, unfolding={"model": "pretrained"})
    assert MemStep().run(config, SILENT) == "done"
    store, output, hypothesis, section, seed = calls[0]
    assert (store, output, seed) == (event_store(config), coefficients_file(config), 3)
    assert (section.model, section.proposal.model) == (tmp_path, "pretrained")
    assert hypothesis.decays == "semileptonic"
    assert hypothesis.branching_fraction == pytest.approx(0.58 * 0.29, rel=0.05)


def test_inclusive_decays_have_no_channel(tmp_path: Path) -> None:
    config = analysis(tmp_path, {}, simulation={"decays": {"tops": "inclusive", "higgs": "inclusive"}})
    with pytest.raises(ProcessError, match="needs one decay channel, but the tops decay 'inclusive'"):
        MemStep().run(config, SILENT)
