"""Tensors on disk: exact, checked, atomic."""

from pathlib import Path

import pytest
import torch

from partonic.errors import GenerationError, OutputError
from partonic.generation.tensors import load_tensors, save_tensors

TENSORS = {
    "a": torch.arange(6, dtype=torch.float64).reshape(2, 3).T,
    "b": torch.tensor([1, 2]),
    "empty": torch.zeros((0, 4)),
    "scalar": torch.tensor(3.0),
}


def test_round_trip(tmp_path: Path) -> None:
    save_tensors(tmp_path / "t", TENSORS, {"note": "naïve"})
    tensors, metadata = load_tensors(tmp_path / "t")
    assert metadata == {"note": "naïve"}
    assert tensors.keys() == TENSORS.keys()
    for name, tensor in TENSORS.items():
        assert tensors[name].dtype == tensor.dtype
        assert torch.equal(tensors[name], tensor)


def test_every_altered_byte_of_the_numbers_is_noticed(tmp_path: Path) -> None:
    save_tensors(tmp_path / "t", TENSORS, {})
    content = (tmp_path / "t").read_bytes()
    for position in range(len(content) - 68, len(content)):  # 48 + 16 + 4 bytes of numbers
        altered = bytearray(content)
        altered[position] ^= 1
        (tmp_path / "t").write_bytes(bytes(altered))
        with pytest.raises(GenerationError, match="was altered"):
            load_tensors(tmp_path / "t")


@pytest.mark.parametrize("content", [b"", b"torn", b"\x00" * 100])
def test_other_files_are_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "t").write_bytes(content)
    with pytest.raises(GenerationError, match="cannot read"):
        load_tensors(tmp_path / "t")


def test_unwritable_place(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OutputError, match="cannot write"):
        save_tensors(tmp_path / "file" / "t", TENSORS, {})
