"""Parts of a trained model that are kept, and those that are trained anew."""

import json
from pathlib import Path

import pytest
import torch

from mem.test_train import simulated
from partonic.config.mem_training.section import MemNetworksConfig
from partonic.errors import ConfigError
from partonic.mem.kept_parts import KeptParts
from partonic.mem.train import train_mem
from partonic.processes.tth.settings import TthConfig
from partonic.trained.model_files import model_fingerprint
from partonic.trained.model_folder import save_model

DRAWN = {"preset": "tiny", "parts": ("acceptance", "transfer", "proposal"), "proposal": {"drawn": {"events": 300}}}


def trained(store: Path, folder: Path, seed: int = 1, **changes: object) -> dict[str, bool]:
    """Train, and return for each part whether it was kept."""
    config = MemNetworksConfig.model_validate({**DRAWN, **changes})
    lines = train_mem([store], TthConfig(), config, seed, folder)
    return {line.partition(":")[0].partition(" ")[0]: line.endswith("(kept)") for line in lines}


def test_only_what_changed_is_trained_anew(tmp_path: Path) -> None:
    store, folder = simulated(tmp_path / "events.parquet"), tmp_path / "models"
    assert trained(store, folder) == {"acceptance": False, "transfer": False, "proposal": False}
    before = {part: model_fingerprint(folder / part) for part in ("acceptance", "transfer", "proposal")}
    assert trained(store, folder) == {"acceptance": True, "transfer": True, "proposal": True}
    other = {"preset": "tiny", "drawn": {"events": 300}, "training": {"flow_epochs": 2}}
    assert trained(store, folder, proposal=other) == {"acceptance": True, "transfer": True, "proposal": False}
    assert model_fingerprint(folder / "transfer") == before["transfer"]
    assert model_fingerprint(folder / "proposal") != before["proposal"]
    transfer = {"epochs": 3, "batch_size": 64, "average": None}
    found = trained(store, folder, transfer_training=transfer)  # the proposal is drawn from it
    assert found == {"acceptance": True, "transfer": False, "proposal": False}
    assert set(trained(store, folder, seed=2).values()) == {False}


def test_an_interrupted_part_goes_on_and_a_damaged_one_is_trained_anew(tmp_path: Path) -> None:
    store, folder = simulated(tmp_path / "events.parquet"), tmp_path / "models"
    trained(store, folder)
    before = model_fingerprint(folder / "transfer")
    record = folder / "made_from" / "transfer.json"
    content = json.loads(record.read_text())
    del content["summary"]  # as a kill leaves it, with the checkpoint of the last epoch
    record.write_text(json.dumps(content))
    (folder / "transfer" / "model.json").unlink()
    assert trained(store, folder) == {"acceptance": True, "transfer": False, "proposal": True}
    assert model_fingerprint(folder / "transfer") == before
    record.write_text("{ not JSON")
    assert trained(store, folder)["transfer"] is False
    assert model_fingerprint(folder / "transfer") == before


def test_a_part_that_is_not_wanted_is_removed_or_refused(tmp_path: Path) -> None:
    store, folder = simulated(tmp_path / "events.parquet"), tmp_path / "models"
    trained(store, folder)
    without = {"parts": ("acceptance", "transfer"), "proposal": {"preset": "tiny"}}
    assert trained(store, folder, **without) == {"acceptance": True, "transfer": True}
    assert not (folder / "proposal").exists()
    (folder / "initial_state").mkdir()
    with pytest.raises(ConfigError, match="initial_state is not one of the parts to train"):
        trained(store, folder, **without)
    assert (folder / "initial_state").exists()


def test_other_events_make_other_parts(tmp_path: Path) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    first.write_text("events")
    second.write_text("other events")
    one, other = (KeptParts.of(tmp_path / "out", [path], {"seed": 1}) for path in (first, second))
    calls: list[int] = []

    def train() -> str:
        calls.append(1)
        save_model(tmp_path / "out" / "transfer", {"weight": torch.ones(2)}, {})
        return "transfer: trained"

    assert one.trained("transfer", {}, train) == "transfer: trained"
    assert one.trained("transfer", {}, train) == "transfer: trained (kept)"
    assert other.trained("transfer", {}, train) == "transfer: trained"
    assert len(calls) == 2


def test_a_model_whose_files_are_damaged_is_made_again(tmp_path: Path) -> None:
    """As the message about such a file says: from the last checkpoint, with the same weights and their posterior."""
    store, folder = simulated(tmp_path / "events.parquet"), tmp_path / "models"
    asked = {"parts": ("acceptance",), "acceptance": {"hidden": (16,), "uncertainty": {"kind": "laplace"}}}
    asked["proposal"] = {"preset": "tiny"}
    trained(store, folder, **asked)
    assert trained(store, folder, **asked) == {"acceptance": True}
    for name in ("posterior.safetensors", "weights.safetensors"):
        path = folder / "acceptance" / name
        before = path.read_bytes()
        path.write_bytes(before[:-1] + bytes([before[-1] ^ 1]))
        assert trained(store, folder, **asked) == {"acceptance": False}
        assert path.read_bytes() == before
        path.unlink()
        assert trained(store, folder, **asked) == {"acceptance": False}
        assert path.read_bytes() == before
