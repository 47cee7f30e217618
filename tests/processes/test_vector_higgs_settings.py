"""The section `process` of WH and ZH: defaults and what is refused, with where it is."""

import pytest
from pydantic import ValidationError

from partonic.config import AnalysisConfig
from partonic.config.loader import load_config
from partonic.errors import ConfigError
from partonic.processes.wh.settings import WhConfig
from partonic.processes.zh.settings import ZhConfig


def test_defaults():
    assert WhConfig().lepton_pair_mass_range == (1.0, 300.0)
    assert ZhConfig().lepton_pair_mass_range == (60.0, 120.0)
    assert ZhConfig(leptons=("mu",)).lepton_ids == (13,)
    assert WhConfig().is_decayed
    assert not WhConfig(decays="none").is_decayed


@pytest.mark.parametrize(
    ("settings", "key"),
    [
        ({"leptons": ["e", "e"]}, "leptons"),
        ({"leptons": ["tau"]}, "leptons"),
        ({"w_mass": 95.0}, "w_mass"),
        ({"lepton_pair_mass_range": [150.0, 140.0]}, "lepton_pair_mass_range"),
        ({"lepton_pair_mass_range": [0.0, 140.0]}, "lepton_pair_mass_range"),
        ({"lepton_pair_mass_range": [60.0, 13599.0]}, "lepton_pair_mass_range"),
        ({"decays": "shower"}, "decays"),
        ({"top_mass": 172.5}, "top_mass"),
    ],
)
@pytest.mark.parametrize("name", ["wh", "zh"])
def test_impossible_settings(tmp_path, name, settings, key):
    lines = "".join(f"  {setting}: {value}\n" for setting, value in settings.items())
    path = tmp_path / "a.yaml"
    path.write_text(f"name: a\nprocess:\n  name: {name}\n{lines}", encoding="utf-8")
    with pytest.raises(ConfigError, match=key):
        load_config(path, AnalysisConfig)


def test_defaults_of_other_sections():
    selection = AnalysisConfig.model_validate({"name": "a", "process": {"name": "zh"}}).simulation.selection
    assert (selection.leptons, selection.opposite_charges, selection.b_tags_min) == (2, True, 2)
    assert selection.lepton_pair_mass == (75.0, 105.0)
    selection = AnalysisConfig.model_validate({"name": "a", "process": {"name": "wh"}}).simulation.selection
    assert (selection.leptons, selection.jets_min, selection.b_tags_min) == (1, 2, 2)
    assert selection.met_min == 30.0


def test_parameter_of_the_other_process():
    content = {"name": "a", "process": {"name": "wh"}, "generation": {"theta": {"c_Hq1": 1.0}}}
    with pytest.raises(ValidationError, match="c_Hq1"):
        AnalysisConfig.model_validate(content)
