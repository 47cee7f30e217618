"""The section `inference` of an analysis file."""

from pathlib import Path

import pytest

from partonic.config import load_analysis
from partonic.config.inference import InferenceConfig
from partonic.errors import ConfigError


def load(folder: Path, text: str) -> InferenceConfig | None:
    path = folder / "analysis.yaml"
    path.write_text(f"name: toy\n{text}", encoding="utf-8")
    return load_analysis(path).inference


def test_absent_section_means_no_inference(tmp_path: Path) -> None:
    assert load(tmp_path, "") is None
    assert load(tmp_path, "inference: {}\n") == InferenceConfig()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{parameters: [kappa]}", "no theory parameter 'kappa'"),
        ("{fixed: {kappa_tilde: 1.0}}", "did you mean 'kappa_tilde_t'"),
        ("{truth: {x: 1.0}}", "no theory parameter 'x'"),
        ("{expected: [{x: 1.0}]}", "no theory parameter 'x'"),
        ("{constraints: {x: {width: 1.0}}}", "no theory parameter 'x'"),
        ("{coverage: {points: [{x: 1.0}]}}", "no theory parameter 'x'"),
        ("{toys: {parameters: [x]}}", "no theory parameter 'x'"),
        ("{scan: {ranges: {x: [0, 1]}}}", "no theory parameter 'x'"),
        ("{scan: {contours: [[c_tG, x]]}}", "no theory parameter 'x'"),
        ("{scan: {ranges: {c_tG: [1, 0]}}}", "the range must ascend, got 1.0 to 0.0"),
        ("{scan: {contours: [[c_tG, c_tG]]}}", "a pair needs two parameters, got 'c_tG' twice"),
        ("{levels: [1.5]}", "a confidence level is between 0 and 1, got 1.5"),
        ("{parameters: [c_tG], fixed: {c_tG: 1.0}}", "both fitted"),
        ("{source: truth, backgrounds: {ttbb: {}}}", "parton truth gives no density of a background"),
        ("{data: events, normalisation: mean_ratios, toys: {}}", "mean ratios come from simulated events"),
        ("{luminosity: 0}", "greater than 0"),
        ("{surprise: 1}", "surprise"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load(tmp_path, f"inference: {text}\n")


def test_where_experiments_run_changes_nothing() -> None:
    assert InferenceConfig(workers=2).physics() == InferenceConfig(scheduler="tcp://x:1").physics()
    assert InferenceConfig(luminosity=10).physics() != InferenceConfig().physics()
