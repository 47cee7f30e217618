"""A file is written only if it says what the model says, and says what it is."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from tests.export.test_parity import scaling

from partonic.errors import ModelError, OutputError
from partonic.export.described import ArrayDescription, Description
from partonic.export.network_file import Graph, write_network

X = np.array([[1.0, 2.0], [3.0, 4.0]])


def graph(factor: float) -> Graph:
    axes = ("events", "numbers")
    description = Description(
        "toy", "any", "0" * 64, (ArrayDescription("x", axes, "GeV", "What goes in."),),
        (ArrayDescription("y", axes, "", "What comes out."),), {"members": 3},
    )  # fmt: skip
    return Graph(scaling(factor), description, {"x": X}, {"y": 2 * X})


def test_a_file_describes_itself(tmp_path: Path) -> None:
    summary = write_network(graph(2.0), tmp_path / "new" / "x.onnx", real=True)
    assert "ONNX Runtime and torch differ by 0.0e+00 at most on 2 events of the store" in str(summary)
    model = onnx.load(tmp_path / "new" / "x.onnx")
    facts = {each.key.removeprefix("partonic."): each.value for each in model.metadata_props}
    assert (facts["kind"], facts["process"], facts["members"]) == ("toy", "any", "3")
    assert model.graph.input[0].doc_string == "What goes in. [GeV]"
    assert model.producer_name == "partonic"


def test_nothing_is_written_of_a_file_that_deviates(tmp_path: Path) -> None:
    write_network(graph(2.0), tmp_path / "x.onnx", real=False)
    before = (tmp_path / "x.onnx").read_bytes()
    with pytest.raises(ModelError, match="does not say what the model says"):
        write_network(graph(2.1), tmp_path / "x.onnx", real=False)
    with pytest.raises(ModelError, match="does not say what the model says"):
        write_network(graph(2.1), tmp_path / "new" / "x.onnx", real=False)
    assert (tmp_path / "x.onnx").read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == ["x.onnx"]


def test_places_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "folder.onnx").mkdir()
    with pytest.raises(OutputError, match="is a folder: give the name of the ONNX file"):
        write_network(graph(2.0), tmp_path / "folder.onnx", real=False)
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot write"):
        write_network(graph(2.0), tmp_path / "file" / "x.onnx", real=False)
