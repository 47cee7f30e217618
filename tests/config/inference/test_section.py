"""The section `inference` of an analysis file."""

from pathlib import Path

import pytest
from pydantic import ValidationError

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


def test_template_is_told_what_does_not_fit(tmp_path: Path) -> None:
    def refused(message: str, **template: object) -> None:
        with pytest.raises(ValidationError, match=message):
            InferenceConfig.model_validate({"template": template})

    refused("no region has bins of the ratio", regions={"x": {"where": {"met": [0, 1]}, "bins": 1}})
    refused("expected a lowest and a larger highest value", regions={"x": {"where": {"met": [2, 1]}}})
    refused("the range must ascend", search={"range": {"a": [1, 0]}})
    refused("'signal' is the name of the signal", backgrounds={"signal": {"store": "a", "coefficients": "b"}})
    with pytest.raises(ValidationError, match="a template is of one signal in its own parameters"):
        InferenceConfig.model_validate({"template": {}, "curves": {"alpha": {"kind": "circle", "cosine": {"a": 1.0}}}})
    assert "template" not in InferenceConfig().physics()
    assert "template" in InferenceConfig.model_validate({"template": {}}).physics()


@pytest.mark.parametrize("template", ["{theta_star: {c_Hx: 1}}", "{search: {range: {c_Hx: [0, 1]}}}"])
def test_template_knows_the_parameters(template: str, tmp_path: Path) -> None:
    path = tmp_path / "analysis.yaml"
    path.write_text(f"name: a\nprocess: {{name: zh}}\ninference: {{source: truth, template: {template}}}\n")
    with pytest.raises(ConfigError, match="has no theory parameter 'c_Hx'"):
        load_analysis(path)
