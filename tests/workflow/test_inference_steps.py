"""What the step of inference depends on."""

from pathlib import Path

import pytest

from partonic.config import AnalysisConfig
from partonic.errors import ConfigError
from partonic.workflow.inference_steps import InferStep
from partonic.workflow.places import coefficients_file, event_store
from partonic.workflow.step import Step


def analysis(folder: Path, inference: dict[str, object] | None, **sections: object) -> AnalysisConfig:
    return AnalysisConfig(name="toy", output=folder / "out", seed=3, inference=inference, **sections)


def test_step_applies_with_its_section_only(tmp_path: Path) -> None:
    assert isinstance(InferStep(), Step)
    assert InferStep().applies(analysis(tmp_path, {}))
    assert not InferStep().applies(analysis(tmp_path, None))
    with pytest.raises(ConfigError, match="'toy' has no section `inference`"):
        InferStep().settings(analysis(tmp_path, None))


def test_where_experiments_run_changes_nothing(tmp_path: Path) -> None:
    step = InferStep()
    assert step.settings(analysis(tmp_path, {"workers": 1})) == step.settings(analysis(tmp_path, {"workers": 7}))
    assert step.settings(analysis(tmp_path, {"luminosity": 30})) != step.settings(analysis(tmp_path, {}))


def test_inputs_are_coefficients_and_stores(tmp_path: Path) -> None:
    config = analysis(tmp_path, {})
    assert InferStep().inputs(config) == (event_store(config), coefficients_file(config))
    truth = analysis(tmp_path, {"source": "truth"})
    assert InferStep().inputs(truth) == (event_store(truth),)
    other = tmp_path / "other.parquet"
    events = {"store": tmp_path / "b.parquet", "coefficients": {"signal": tmp_path / "bs.parquet", "ttbb": other}}
    mixed = analysis(
        tmp_path,
        {"coefficients": tmp_path / "s.parquet", "ensemble": [other], "backgrounds": {"ttbb": {"events": events}}},
        mem={"store": tmp_path / "data.parquet"},
    )
    assert InferStep().inputs(mixed) == (
        tmp_path / "data.parquet",
        tmp_path / "s.parquet",
        coefficients_file(mixed).with_name("ttbb.parquet"),
        other,
        tmp_path / "b.parquet",
        tmp_path / "bs.parquet",
    )
    folder = tmp_path / "out" / "infer"
    assert InferStep().outputs(mixed) == (folder / "result.json", folder / "curves.parquet")
