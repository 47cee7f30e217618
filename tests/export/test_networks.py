"""Which models files are made of."""

import sys
from pathlib import Path

import pytest

from mem.transfer.toys import LAYOUTS, tiny_transfer
from partonic.errors import DependencyError, ModelError, OutputError
from partonic.export.networks import export_network
from partonic.pretrained import pretrained_folder
from partonic.trained.model_folder import save_model


def test_models_that_are_no_function_of_an_event_are_refused(tmp_path: Path) -> None:
    tiny_transfer(LAYOUTS["semileptonic"]).save(tmp_path / "transfer")
    samplers = {
        tmp_path / "transfer": "a part of the matrix element method",
        pretrained_folder("tth") / "hard": "a model of unfolding, which is a sampler",
        pretrained_folder("tth") / "mem" / "proposal": "a proposal of the matrix element method, which is a sampler",
    }
    for folder, what in samplers.items():
        with pytest.raises(ModelError, match=f"holds {what}, and no ONNX files are made of such"):
            export_network(folder, tmp_path / "x.onnx")
    save_model(tmp_path / "other", {}, {"what": "something else"})
    with pytest.raises(ModelError, match="holds another kind of model"):
        export_network(tmp_path / "other", tmp_path / "x.onnx")
    with pytest.raises(ModelError, match="holds no trained model"):
        export_network(tmp_path / "nowhere", tmp_path / "x.onnx")
    assert not (tmp_path / "x.onnx").exists()


def test_the_name_of_the_file(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"an ONNX file ends in \.onnx, got .*network\.pt"):
        export_network(pretrained_folder("tth") / "mem" / "acceptance", tmp_path / "network.pt")


def test_without_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(DependencyError, match=r"pip install 'partonic\[export\]'"):
        export_network(tmp_path, tmp_path / "x.onnx")
