"""The model folder of a network of initial states."""

import json
from pathlib import Path

import pytest
import torch
from tests.mem.initial_state.test_network import reco, some_sets
from tests.mem.initial_state.toys import random_model

from partonic.errors import ModelError
from partonic.mem.initial_state.model import InitialStateModel
from partonic.mem.protocols import InitialStateRatio


def test_saved_and_loaded(tmp_path: Path) -> None:
    model, x, z = random_model(), reco(tmp_path), some_sets()
    assert isinstance(model, InitialStateRatio)
    model.save(tmp_path / "model")
    loaded = InitialStateModel.load(tmp_path / "model")
    assert loaded.classes == ("gg", "qq")
    assert torch.equal(loaded.log_ratio(x, z), model.log_ratio(x, z))


@pytest.mark.parametrize(
    ("part", "value", "message"),
    [
        ("network", {"width": 6, "heads": 4}, "is no model of initial states: its record lacks or misstates"),
        ("training", {"classes": ["qq", "gg"]}, r"its classes are \['qq', 'gg'\], expected some of gg, qg, qq"),
        ("training", {}, "its classes are None"),
    ],
)
def test_damaged_record(tmp_path: Path, part: str, value: object, message: str) -> None:
    random_model().save(tmp_path)
    document = json.loads((tmp_path / "model.json").read_text())
    document["record"][part] = value
    (tmp_path / "model.json").write_text(json.dumps(document))
    with pytest.raises(ModelError, match=message):
        InitialStateModel.load(tmp_path)
