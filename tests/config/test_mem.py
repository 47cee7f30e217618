"""The section `mem`: what is refused, and what its results depend on."""

from pathlib import Path

import pytest

from partonic.config import load_analysis
from partonic.config.mem import MemConfig
from partonic.errors import ConfigError


def written(folder: Path, text: str) -> Path:
    path = folder / "analysis.yaml"
    path.write_text("name: toy\n" + text, encoding="utf-8")
    return path


def test_absent_or_with_all_defaults(tmp_path: Path) -> None:
    assert load_analysis(written(tmp_path, "")).mem is None
    assert load_analysis(written(tmp_path, "mem: {}\n")).mem == MemConfig()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("mem: {point: {}}\n", r"mem\.point: unknown key 'point'; did you mean 'points'\?"),
        (
            "mem:\n  points:\n    first: 5000\n    maximum: 1000\n",
            r"analysis\.yaml:4: mem\.points\.first: the first round has 5000 points, more than the maximum of 1000",
        ),
        ("mem: {base: {kind: uniform}}\n", r"mem\.base\.kind"),
        ("mem: {base: {wider: 0.5}}\n", r"mem\.base\.wider"),
        ("mem: {dominated: {policy: drop}}\n", r"mem\.dominated\.policy"),
        ("mem: {device: gpu}\n", r"mem\.device"),
    ],
)
def test_bad_setting(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load_analysis(written(tmp_path, text))


def test_physics_is_all_but_how_the_work_is_shared_out() -> None:
    first = MemConfig().physics()
    assert first == MemConfig(workers=3, batch_events=5, scheduler="tcp://here:1", max_events=7).physics()
    assert first == MemConfig.model_validate({"points": {"at_once": 64}}).physics()
    assert first != MemConfig.model_validate({"points": {"maximum": 64, "first": 64}}).physics()
    assert first != MemConfig.model_validate({"base": {"kind": "sobol"}}).physics()
