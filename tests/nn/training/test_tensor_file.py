"""Nested states survive a file without pickle."""

import math
from pathlib import Path

import pytest
import safetensors
import torch
from torch import nn

from partonic.errors import TrainingError
from partonic.nn.training.checkpoint import SafeCheckpoints
from partonic.nn.training.tensor_file import read_state, write_state


def test_tree_comes_back_as_it_was(tmp_path: Path) -> None:
    state = {
        "numbers": [1, -2.5, True, None, "η"], 7: {"tuple": (1, (2, 3)), "empty": [{}, [], ()]},
        "tensors": [torch.arange(3), {"a/b": torch.tensor(1.5)}], "a": {"b": torch.ones(2, 2, dtype=torch.bfloat16)},
        "@tensor": "a name like a mark", "infinite": [math.inf, -math.inf],
    }  # fmt: skip
    write_state(tmp_path / "state", state)
    back = read_state(tmp_path / "state")
    assert list(back) == list(state)
    for name in ("numbers", 7, "@tensor", "infinite"):
        assert back[name] == state[name]
        assert repr(back[name]) == repr(state[name])
    assert torch.equal(back["tensors"][0], torch.arange(3))
    assert torch.equal(back["tensors"][1]["a/b"], torch.tensor(1.5))
    assert torch.equal(back["a"]["b"], torch.ones(2, 2, dtype=torch.bfloat16))


def test_not_a_number_comes_back(tmp_path: Path) -> None:
    write_state(tmp_path / "state", {"x": math.nan})
    assert math.isnan(read_state(tmp_path / "state")["x"])


def test_paths_that_are_spelt_alike_do_not_collide(tmp_path: Path) -> None:
    write_state(tmp_path / "state", {"a": {"b": torch.zeros(1)}, "a/b": torch.ones(1)})
    back = read_state(tmp_path / "state")
    assert (float(back["a"]["b"]), float(back["a/b"])) == (0.0, 1.0)


def test_state_of_an_optimizer_comes_back(tmp_path: Path) -> None:
    layer = nn.Linear(3, 2)
    optimizer = torch.optim.AdamW(layer.parameters(), lr=0.1)
    layer(torch.ones(1, 3)).sum().backward()
    optimizer.step()
    io = SafeCheckpoints()
    io.save_checkpoint({"optimizer": optimizer.state_dict(), "weights": layer.state_dict()}, tmp_path / "x")
    other_layer = nn.Linear(3, 2)
    other = torch.optim.AdamW(other_layer.parameters(), lr=0.7)
    back = io.load_checkpoint(tmp_path / "x")
    other_layer.load_state_dict(back["weights"])
    other.load_state_dict(back["optimizer"])
    for one, model in ((optimizer, layer), (other, other_layer)):
        model.zero_grad()
        model(torch.ones(1, 3)).pow(2).sum().backward()
        one.step()
    assert torch.equal(layer.weight, other_layer.weight)
    io.remove_checkpoint(tmp_path / "x")
    assert list(tmp_path.iterdir()) == []


def test_file_holds_no_pickle(tmp_path: Path) -> None:
    """Any safetensors reader opens it, and it is no archive of torch."""
    write_state(tmp_path / "state", {"a": torch.zeros(2), "b": {"c": 1}})
    with safetensors.safe_open(tmp_path / "state", framework="pt") as file:
        assert list(file.keys()) == ["0/a"]
    assert not (tmp_path / "state").read_bytes().startswith((b"PK", b"\x80"))


class Unknown:
    pass


def test_what_is_not_data_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="cannot hold the Unknown at /a/1"):
        write_state(tmp_path / "state", {"a": [0, Unknown()]})
    with pytest.raises(TrainingError, match=r"cannot hold the key 1\.5 at /"):
        write_state(tmp_path / "state", {1.5: 0})
    assert list(tmp_path.iterdir()) == []
