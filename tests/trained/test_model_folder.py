"""Model folders: whole or refused, and nothing in them is executed."""

import json
import os
from pathlib import Path

import pytest
import torch
from torch import nn

from partonic.errors import ModelError
from partonic.trained import model_folder
from partonic.trained.model_folder import load_record, load_weights, save_model


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    save_model(tmp_path / "model", nn.Linear(3, 2), {"width": 3, "words": ["η", None, True]})
    return tmp_path / "model"


def test_comes_back_as_it_was_saved(tmp_path: Path) -> None:
    module = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2).double())
    save_model(tmp_path / "deep" / "model", module, {"sizes": [3, 4, 2]})
    other = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2).double())
    load_weights(tmp_path / "deep" / "model", other)
    for name, tensor in module.state_dict().items():
        assert torch.equal(other.state_dict()[name], tensor)
    assert load_record(tmp_path / "deep" / "model") == {"sizes": [3, 4, 2]}
    assert sorted(path.name for path in (tmp_path / "deep" / "model").iterdir()) == [
        "model.json",
        "weights.safetensors",
    ]


def test_tied_weights_can_be_saved(tmp_path: Path) -> None:
    first = nn.Linear(2, 2)
    module = nn.ModuleList([first, first])
    save_model(tmp_path, module, {})
    load_weights(tmp_path, nn.ModuleList([nn.Linear(2, 2), nn.Linear(2, 2)]))


def test_missing_model_is_named(folder: Path) -> None:
    with pytest.raises(ModelError, match="nowhere holds no trained model"):
        load_record(folder / "nowhere")
    (folder / "weights.safetensors").unlink()
    with pytest.raises(ModelError, match=r"cannot read the weights .*weights\.safetensors"):
        load_weights(folder, nn.Linear(3, 2))


@pytest.mark.parametrize("damage", ["truncate", "flip", "empty"])
def test_damaged_weights_are_refused(folder: Path, damage: str) -> None:
    path = folder / "weights.safetensors"
    content = bytearray(path.read_bytes())
    if damage == "flip":
        content[-3] ^= 1
    path.write_bytes({"truncate": content[:-5], "flip": content, "empty": b""}[damage])
    module = nn.Linear(3, 2)
    before = module.weight.clone()
    with pytest.raises(ModelError, match=r"weights\.safetensors is damaged: its checksum"):
        load_weights(folder, module)
    assert torch.equal(module.weight, before)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"{", "is damaged"),
        (b"\xff\xfe", "is damaged"),
        (b"[]", "not the record of a model"),
        (b'{"format": 1}', "not the record of a model"),
        (b'{"format": 9, "weights_sha256": "", "record": {}}', "layout 9"),
        (b'{"format": 1, "weights_sha256": "", "record": [1]}', "its record is a list"),
    ],
)
def test_damaged_record_is_refused(folder: Path, content: bytes, message: str) -> None:
    (folder / "model.json").write_bytes(content)
    with pytest.raises(ModelError, match=message):
        load_record(folder)


def test_weights_of_another_network_are_refused(folder: Path) -> None:
    with pytest.raises(ModelError, match=r"weight has shape \(2, 3\), expected \(2, 4\)"):
        load_weights(folder, nn.Linear(4, 2))
    with pytest.raises(ModelError, match="bias is not expected"):
        load_weights(folder, nn.Linear(3, 2, bias=False))
    with pytest.raises(ModelError, match=r"0\.bias is missing.* and 3 more differences"):
        load_weights(folder, nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 2)))


def test_file_that_is_no_safetensors_is_refused(folder: Path) -> None:
    import hashlib

    (folder / "weights.safetensors").write_bytes(b"\x80\x04pickle")
    document = json.loads((folder / "model.json").read_text())
    document["weights_sha256"] = hashlib.sha256(b"\x80\x04pickle").hexdigest()
    (folder / "model.json").write_text(json.dumps(document))
    with pytest.raises(ModelError, match="no safetensors file"):
        load_weights(folder, nn.Linear(3, 2))


def test_stopped_while_replacing_a_model_leaves_no_mixture(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the two files there is no model; the new weights are never taken for the old model's."""

    def stop(*_: object) -> None:
        raise OSError("killed")  # noqa: EM101

    monkeypatch.setattr(model_folder, "write_json", stop)
    with pytest.raises(OSError, match="killed"):
        save_model(folder, nn.Linear(3, 2), {"new": True})
    with pytest.raises(ModelError, match="holds no trained model"):
        load_record(folder)


def test_record_that_is_no_json_leaves_the_old_model(folder: Path) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        save_model(folder, nn.Linear(3, 2), {"loss": float("nan")})
    load_weights(folder, nn.Linear(3, 2))
    assert load_record(folder)["width"] == 3


def test_read_only_place_is_enough(folder: Path) -> None:
    for path in folder.iterdir():
        os.chmod(path, 0o444)
    folder.chmod(0o555)
    load_weights(folder, nn.Linear(3, 2))
    folder.chmod(0o755)
