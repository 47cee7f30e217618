"""The file of transfer functions: read back as written, refused if it is something else."""

import json
from pathlib import Path

import pytest
import torch

from mem.classical.toys import transfer
from partonic.errors import ModelError
from partonic.mem.classical.transfer import TransferFunctions


def test_saved_functions_are_read_back(tmp_path: Path) -> None:
    written = transfer()
    written.save(tmp_path / "classical.json")
    read = TransferFunctions.load(tmp_path / "classical.json")
    torch.testing.assert_close(read.bottom.parameters, written.bottom.parameters, rtol=0.0, atol=0.0)
    assert read.missing == written.missing
    assert read.facts == written.facts
    assert '"core_stochastic"' in (tmp_path / "classical.json").read_text()


def test_functions_that_ship_are_sensible() -> None:
    """Medium b jets are found most of the time, at about their energy; most of them are tagged."""
    shipped = TransferFunctions.pretrained("tth")
    energy, eta = torch.tensor([80.0]).double(), torch.tensor([0.4]).double()
    assert 0.02 < float(shipped.bottom.loss(energy, eta)) < 0.3
    jets = torch.linspace(20.0, 160.0, 1401, dtype=torch.float64)
    one = torch.ones_like(jets)
    density = shipped.bottom.log_density(jets, 80.0 * one, 0.4 * one).exp()
    assert 60.0 < float(jets[density.argmax()]) < 85.0
    assert 0.6 < float(shipped.tags.probability(energy, torch.tensor([True]))[0, 0]) < 0.85


def test_missing_file() -> None:
    with pytest.raises(ModelError, match=r"cannot read the transfer functions .*nowhere.json.*fit_transfer_functions"):
        TransferFunctions.load(Path("nowhere.json"))


@pytest.mark.parametrize("content", ["[]", '{"classical_transfer_functions": 99}'])
def test_other_files(tmp_path: Path, content: str) -> None:
    (tmp_path / "other.json").write_text(content)
    with pytest.raises(ModelError, match="holds no transfer functions of version 1"):
        TransferFunctions.load(tmp_path / "other.json")


def test_garbled_file(tmp_path: Path) -> None:
    path = tmp_path / "classical.json"
    transfer().save(path)
    content = json.loads(path.read_text())
    del content["bottom"]["bands"][0]["tail_fraction"]
    path.write_text(json.dumps(content))
    with pytest.raises(ModelError, match=r"lacks or garbles .*tail_fraction"):
        TransferFunctions.load(path)
