"""From the analysis file to the fit and the report with a learned detector, at a tiny scale."""

import json
from pathlib import Path

import pytest

from partonic.config import load_analysis
from partonic.config.analysis import AnalysisConfig
from partonic.events.store import EventStore
from partonic.workflow.runner import run_analysis

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "thq_surrogate.yaml"


@pytest.mark.slow
def test_generate_draw_infer_report(tmp_path: Path) -> None:
    config = load_analysis(EXAMPLE, tmp_path / "out")
    content = config.model_dump(mode="json", by_alias=True, exclude_unset=True)
    sampler = {"vegas_iterations": 4, "vegas_points": 5000, "rounds": 1, "points_per_round": 5000, "steps_per_round": 5}
    content["generation"] = {**content["generation"], "events": 1500, "sampler": sampler, "pilot_points": 50_000}
    content["report"] = {"sections": ["surrogate", "cut_flow"]}
    outcomes = run_analysis(AnalysisConfig.model_validate({**content, "output": tmp_path / "out"}))
    assert [outcome.step for outcome in outcomes] == ["generate", "simulate", "infer", "report"]
    assert "events selected" in outcomes[1].summary
    store = EventStore.open(tmp_path / "out" / "simulate" / "events.parquet")
    assert store.metadata.facts["surrogate"]["kind"] == "transfer"
    result = json.loads((tmp_path / "out" / "infer" / "result.json").read_text(encoding="utf-8"))
    assert result["data"]["kind"] == "pseudo"
    page = json.loads((tmp_path / "out" / "report" / "report.json").read_text(encoding="utf-8"))
    assert len(page["sections"]["surrogate"]["results"]["closure"]["observables"]) == 10
    assert any("learned detector" in finding["text"] for finding in page["result_box"]["findings"])
