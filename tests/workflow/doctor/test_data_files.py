import shutil
from pathlib import Path

import pytest

from partonic.errors import ModelError
from partonic.pretrained import pretrained_folder
from partonic.workflow.doctor.data_files import check_pretrained_models, pretrained_folders


def test_models_that_ship_are_whole() -> None:
    names = check_pretrained_models()
    assert {"tth/hard", "tth/mem/transfer", "ttbb/mem/transfer"} <= set(names)
    assert len(names) == len(pretrained_folders())


@pytest.mark.parametrize("damage", ["weights", "no weights", "record", "no checksum"])
def test_damaged_model(tmp_path: Path, damage: str) -> None:
    for name in ("good", "bad"):
        shutil.copytree(pretrained_folder("tth") / "mem" / "acceptance", tmp_path / "tth" / name)
    bad = tmp_path / "tth" / "bad"
    if damage == "weights":
        with (bad / "weights.safetensors").open("ab") as stream:
            stream.write(b"x")
    elif damage == "no weights":
        (bad / "weights.safetensors").unlink()
    else:
        (bad / "model.json").write_text("{" if damage == "record" else "[]")
    with pytest.raises(ModelError, match=r"trained models that are damaged: \S*tth/bad; install partonic anew"):
        check_pretrained_models(tmp_path)


def test_no_model_at_all(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"no trained model in .*: install partonic anew"):
        check_pretrained_models(tmp_path)
