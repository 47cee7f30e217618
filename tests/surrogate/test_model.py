"""Folders of surrogates: what is no surrogate, damaged, or put together of different trainings is refused."""

import json
import shutil
from pathlib import Path

import pytest
from tests.surrogate.conftest import PROCESS, simulation

from partonic.errors import ModelError, SchemaError
from partonic.events.schema import ProcessInfo, StoreMetadata
from partonic.pretrained import pretrained_folder
from partonic.surrogate.model import (
    SURROGATE_RECORD,
    DetectorSurrogate,
    SurrogateRecord,
    surrogate_files,
    surrogate_folder,
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the networks that ship."""
    for part in ("acceptance", "transfer"):
        shutil.copytree(pretrained_folder("thq") / "mem" / part, tmp_path / "own" / part)
    shutil.copy(pretrained_folder("thq") / "mem" / SURROGATE_RECORD, tmp_path / "own")
    return tmp_path / "own"


def test_those_that_ship_are_found() -> None:
    assert surrogate_folder("pretrained", "thq") == pretrained_folder("thq") / "mem"
    with pytest.raises(ModelError, match=r"no pretrained surrogate of 'wz' ships .* one of: .*thq"):
        surrogate_folder("pretrained", "wz")


def test_a_folder_without_models_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="holds no surrogate: expected a model in 'acceptance'"):
        surrogate_folder(tmp_path, "thq")


def test_copies_are_the_same_surrogate(folder: Path) -> None:
    own, shipped = DetectorSurrogate.load(folder), DetectorSurrogate.load(pretrained_folder("thq") / "mem")
    assert own.fingerprint == shipped.fingerprint
    assert own.facts()["closure"] == shipped.facts()["closure"] != {}
    assert surrogate_files(folder)[-1] == folder / SURROGATE_RECORD
    assert all(path.is_file() for path in surrogate_files(folder))


def test_without_a_record_nothing_is_known_of_the_closure(folder: Path) -> None:
    (folder / SURROGATE_RECORD).unlink()
    surrogate = DetectorSurrogate.load(folder)
    assert surrogate.record is None
    assert surrogate.facts()["closure"] == {}
    assert surrogate.facts()["kind"] == "transfer"


def test_damaged_files_are_refused(folder: Path) -> None:
    (folder / SURROGATE_RECORD).write_text('{"format": 1, "kind": ')
    with pytest.raises(ModelError, match=r"surrogate\.json is damaged"):
        DetectorSurrogate.load(folder)
    (folder / SURROGATE_RECORD).unlink()
    weights = folder / "transfer" / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-4] + b"ruin")
    with pytest.raises(ModelError, match="its checksum is not the one"):
        DetectorSurrogate.load(folder)


def test_unknown_keys_of_the_record_are_refused(folder: Path) -> None:
    path = folder / SURROGATE_RECORD
    path.write_text(json.dumps({**json.loads(path.read_text()), "colour": "blue"}))
    with pytest.raises(ModelError, match="colour"):
        SurrogateRecord.load(folder)


def test_parts_of_different_trainings_are_refused(folder: Path) -> None:
    shutil.rmtree(folder / "acceptance")
    shutil.copytree(pretrained_folder("tth") / "mem" / "acceptance", folder / "acceptance")
    with pytest.raises(ModelError, match="put models of the same training together"):
        DetectorSurrogate.load(folder)


@pytest.mark.parametrize("energy", [13000.0, 14000.0])
def test_another_energy_is_refused(energy: float) -> None:
    surrogate = DetectorSurrogate.load(pretrained_folder("thq") / "mem")
    metadata = StoreMetadata.for_process(ProcessInfo.of_config(PROCESS.model_copy(update={"collider_energy": energy})))
    with pytest.raises(SchemaError, match=rf"√S = {energy:g} GeV, the model knows 13600 GeV"):
        surrogate.check(metadata, simulation())
