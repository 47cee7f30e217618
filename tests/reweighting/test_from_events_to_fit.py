"""The analysis of the how-to page, from an LHE file without weights to a fit."""

import json
import re

import pytest
import yaml
from tests.reweighting.conftest import own_table
from tests.reweighting.test_imported import lhe_file

from partonic.config.analysis import AnalysisConfig
from partonic.workflow.runner import run_analysis


@pytest.mark.slow
def test_the_page(tmp_path, repository, ufo_model):
    page = (repository / "docs" / "how-to" / "reweight_events.md").read_text(encoding="utf-8")
    text = re.search(r"```yaml\n(.*?)```", page, re.DOTALL)[1]
    assert len(text.splitlines()) <= 15
    content = yaml.safe_load(text)
    lhe_file(tmp_path / "events.lhe", own_table([(2, -2), (-2, 2)], 60))
    content["import"]["files"] = [str(tmp_path / "events.lhe")]
    content["import"]["reweight"] |= {"model": str(ufo_model), "workers": 1}
    content["output"] = str(tmp_path / "out")
    content["inference"] |= {"scan": {"points": 5, "contours": []}, "expected": [], "workers": 1}  # to be quick
    outcomes = run_analysis(AnalysisConfig.model_validate(content), steps=["import", "infer"])
    assert [outcome.ran for outcome in outcomes] == [True, True]
    result = json.loads((tmp_path / "out" / "infer" / "result.json").read_text())
    assert result["parameters"] == ["delta_kappa_t", "kappa_tilde_t", "c_tG"]
