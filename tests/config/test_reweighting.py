from pathlib import Path

import pytest
from pydantic import ValidationError

from partonic.config.analysis import AnalysisConfig
from partonic.config.importing import ImportConfig
from partonic.config.reweighting import ModelParameter, ReweightConfig

SETTINGS = {"engine": "ufoamp", "model": "Model_UFO", "parameters": {"c_tG": "ctG"}}
LIBRARY = {
    "engine": "madgraph", "model": "libme.so", "card": "param_card.dat", "processes": [[21, 21, 6, -6]],
    "parameters": {"c_tG": "ctG"},
}  # fmt: skip


def test_parameters_are_written_in_three_ways():
    followers = {"a": "A", "b": {"name": "B", "factor": -2}, "c": [{"name": "C"}, {"name": "D", "offset": 1}]}
    config = ReweightConfig.model_validate(SETTINGS | {"parameters": followers})
    assert config.parameters["a"] == (ModelParameter(name="A"),)
    assert config.parameters["b"] == (ModelParameter(name="B", factor=-2.0),)
    assert config.parameters["c"] == (ModelParameter(name="C"), ModelParameter(name="D", offset=1.0))
    assert ReweightConfig.model_validate(config.model_dump(mode="json")) == config


def test_physics_is_what_coefficients_depend_on():
    config = ReweightConfig.model_validate(SETTINGS)
    how = {"workers": 3, "chunk_events": 7, "trust_model": True, "cache": "x", "scheduler": "tcp://a:1", "model": "y"}
    assert ReweightConfig.model_validate(SETTINGS | how).physics() == config.physics()
    for change in ({"orders": {"NP": 1}}, {"values": {"MT": 173.0}}, {"scales": {"c_tG": 0.1}}, {"max_residual": 1e-3}):
        assert ReweightConfig.model_validate(SETTINGS | change).physics() != config.physics()


def test_what_runs_code(tmp_path):
    assert ReweightConfig.model_validate(SETTINGS).runs_code
    assert ReweightConfig.model_validate(LIBRARY).runs_code
    assert ReweightConfig.model_validate(SETTINGS | {"engine": "pyamplicol", "model": tmp_path}).runs_code
    assert not ReweightConfig.model_validate(SETTINGS | {"engine": "pyamplicol", "model": "model.json"}).runs_code


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (SETTINGS | {"engine": "other"}, "'pyamplicol', 'ufoamp' or 'madgraph'"),
        (SETTINGS | {"parameters": {}}, "at least 1 item"),
        (SETTINGS | {"parameters": {"a": {"name": "A", "factor": 0}}}, "does not depend on θ"),
        (SETTINGS | {"parameters": {"a": "A", "b": "A"}}, "'A' of the model follows two θ"),
        (SETTINGS | {"values": {"ctG": 0.1}}, "ctG has no fixed value"),
        (SETTINGS | {"values": {"aS": 0.1}}, "aS has no fixed value"),
        (SETTINGS | {"scales": {"c": 0.1}}, "'c' is none of the θ"),
        (SETTINGS | {"scales": {"c_tG": 0.0}}, "greater than 0"),
        (SETTINGS | {"alpha_s": "mean"}, "'event'"),
        (SETTINGS | {"card": "card.dat"}, "only the engine madgraph"),
        ({**LIBRARY, "card": None}, "needs its parameter card"),
        ({**LIBRARY, "processes": []}, "needs the PDG ids"),
        ({**LIBRARY, "processes": [[21, 21]]}, "needs the PDG ids"),
        ({**LIBRARY, "orders": {"NP": 1}}, "were chosen when it was generated"),
    ],
)
def test_wrong_settings(settings, message):
    with pytest.raises(ValidationError, match=message):
        ReweightConfig.model_validate(settings)


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ({"theta_independent": True}, "are not reweighted"),
        ({"weight_points": {"w": {"c_tG": 1.0}}}, "not both"),
        ({"reweight": SETTINGS | {"degree": 2}}, "degree of the polynomial is that of the process"),
    ],
)
def test_reweighting_does_not_go_with(section, message):
    with pytest.raises(ValidationError, match=message):
        ImportConfig.model_validate({"format": "lhe", "files": ["a.lhe"], "reweight": SETTINGS} | section)


def test_parameters_are_those_of_the_process():
    section = {"format": "lhe", "files": ["a.lhe"], "reweight": SETTINGS | {"parameters": {"ctg": "ctG"}}}
    with pytest.raises(ValidationError, match=r"no theory parameter 'ctg'; did you mean 'c_tG'"):
        AnalysisConfig.model_validate({"name": "toy", "output": Path("out"), "import": section})
