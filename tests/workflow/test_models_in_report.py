from pathlib import Path

import pytest

from partonic.cli.report import with_unfolding
from partonic.config.analysis import AnalysisConfig
from partonic.errors import ModelError
from partonic.workflow.models_in_report import judged_model_folders


def analysis(tmp_path: Path, **unfolding: object) -> AnalysisConfig:
    return AnalysisConfig.model_validate({"name": "a", "output": str(tmp_path), "unfolding": unfolding})


def test_models_are_judged_only_when_asked_for(tmp_path: Path) -> None:
    config = analysis(tmp_path)
    assert judged_model_folders(config) == ()
    assert judged_model_folders(with_unfolding(config)) == (tmp_path / "train" / "hard", tmp_path / "train/with_isr")
    assert not config.report.unfolding.show


def test_a_model_that_the_section_names_must_be_there(tmp_path: Path) -> None:
    config = with_unfolding(analysis(tmp_path, model=str(tmp_path / "models"), views=["hard"]))
    with pytest.raises(ModelError, match="models"):
        judged_model_folders(config)
    (tmp_path / "models" / "hard").mkdir(parents=True)
    (tmp_path / "models" / "hard" / "model.json").write_text("{}")
    assert judged_model_folders(config) == (tmp_path / "models" / "hard",)
