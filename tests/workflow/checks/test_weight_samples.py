"""Sets of weights that are asked for of networks that have none, too few, or will have them."""

from pathlib import Path

import pytest

from partonic.config.analysis import AnalysisConfig
from partonic.errors import ModelError
from partonic.workflow.checks.weight_samples import check_weight_samples


def analysis(tmp_path: Path, samples: int, **sections: object) -> AnalysisConfig:
    content = {"name": "toy", "output": tmp_path, "mem": {"weight_samples": samples}, **sections}
    return AnalysisConfig.model_validate(content)


def test_point_models_have_none(tmp_path: Path) -> None:
    check_weight_samples(analysis(tmp_path, 0))
    for sections in ({}, {"mem_training": {}}, {"mem_training": {"parts": ["acceptance"], **_asked("transfer")}}):
        with pytest.raises(ModelError, match="asks for 4 sets of weights, but transfer function and acceptance are po"):
            check_weight_samples(analysis(tmp_path, 4, **sections))


def test_settings_say_how_many_there_will_be(tmp_path: Path) -> None:
    check_weight_samples(analysis(tmp_path, 500, mem_training=_asked("transfer")))
    ensemble = _asked("transfer", kind="repulsive", members=6)
    check_weight_samples(analysis(tmp_path, 6, mem_training=ensemble))
    with pytest.raises(ModelError, match="the transfer function has 6: lower it to 6 or less"):
        check_weight_samples(analysis(tmp_path, 7, mem_training=ensemble))
    with pytest.raises(ModelError, match="the acceptance has 64"):
        check_weight_samples(analysis(tmp_path, 65, mem_training=_asked("acceptance")))


def _asked(part: str, **uncertainty: object) -> dict[str, object]:
    return {part: {"uncertainty": {"kind": "laplace", **uncertainty}}}
