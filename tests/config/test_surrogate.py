"""The sections of a learned detector: unknown keys, and analyses that it has no place in."""

import re

import pytest
from pydantic import ValidationError

from partonic.config.analysis import AnalysisConfig
from partonic.config.simulation import SimulationConfig
from partonic.config.surrogate import SurrogateTrainingConfig


def test_defaults() -> None:
    assert SimulationConfig().surrogate is None
    assert SimulationConfig.model_validate({"surrogate": {}}).surrogate is not None
    assert SurrogateTrainingConfig().model.kind == "autoregressive"


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ({"surrogate": {"modell": "pretrained"}}, "Extra inputs are not permitted"),
        ({"surrogate": True}, "surrogate"),
        ({"level": "partons", "surrogate": {}}, "has no meaning with `level: partons`"),
    ],
)
def test_what_is_refused_in_the_simulation(section: dict[str, object], message: str) -> None:
    with pytest.raises((ValidationError, ValueError), match=re.escape(message)):
        SimulationConfig.model_validate(section)


@pytest.mark.parametrize(
    "section", [{"model": {"kind": "magic"}}, {"jets": 0}, {"held_out": 0.0}, {"held_out": 1.0}, {"epochs": 3}]
)
def test_what_is_refused_in_the_training(section: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        SurrogateTrainingConfig.model_validate(section)


@pytest.mark.parametrize(
    ("sections", "message"),
    [
        (
            {"import": {"format": "lhe", "files": ["a.lhe"]}, "simulation": {"surrogate": {}}},
            "this analysis imports them",
        ),
        ({"surrogate_training": {}, "simulation": {"surrogate": {}}}, "name stores of simulated events"),
        ({"process": {"name": "wz"}, "surrogate_training": {}}, "works on one top or a top pair"),
        ({"process": {"name": "external"}, "surrogate_training": {}}, "matrix element"),
    ],
)
def test_analyses_that_it_has_no_place_in(sections: dict[str, object], message: str) -> None:
    with pytest.raises((ValidationError, ValueError), match=message):
        AnalysisConfig.model_validate({"name": "toy", **sections})
