"""Trees as an operator of ONNX against the walk through their nodes."""

from pathlib import Path

import numpy as np
import pytest
from tests.trees.tree_toys import QUADRATIC, few, smeared_gaussian

from partonic.errors import ModelError
from partonic.export.network_file import write_network
from partonic.export.parity import run_onnx
from partonic.export.tree_ensemble import Forest, forest_model
from partonic.export.tree_graph import tree_graph
from partonic.trees.boost import boost
from partonic.trees.model_files import load_trees, save_trees

pytest.importorskip("onnxruntime")

EDGES = np.array([[-1.0, 0.0, 2.0], [0.5, 0.0, 0.0]])
COUNTS = np.array([3, 1])
# Tree 0: x0 ≤ 0, missing right; then x1 at its highest code, where all but missing go left. Tree 1: one leaf.
NODES = np.array(
    [[0, 1, 0, 1, 2], [-1, 0, 0, -1, -1], [1, 1, 0, 3, 4], [-1, 0, 0, -1, -1], [-1, 0, 0, -1, -1],
     [-1, 0, 0, -1, -1], [0, 2, 1, 7, 8], [-1, 0, 0, -1, -1], [-1, 0, 0, -1, -1]], dtype=np.int32,
)  # fmt: skip
STEPS = np.array([[0, 0], [1, -1], [0, 0], [2, -2], [4, -4], [10, -10], [0, 0], [100, 5], [200, 6]], dtype=np.float64)


def test_what_goes_left() -> None:
    """Edges belong to the left, missing values go where the node says, and members have sums of their own."""
    forest = Forest(EDGES, COUNTS, np.array([0, 5, 6]), np.array([0, 0, 1]), NODES, STEPS)
    assert forest.targets == 4
    assert forest.tree_of_node().tolist() == [0, 0, 0, 0, 0, 1, 2, 2, 2]
    values = np.array([
        [0.0, 0.0], [np.nextafter(0.0, 1.0), 9.0], [np.nan, 9.0], [5.0, np.nan], [-3.0, np.nan],
    ])  # fmt: skip
    found = run_onnx(forest_model(forest, "x", "sums"), {"x": values})["sums"]
    # the second member splits x0 at 2, and missing values go left
    expected = [[11, -11, 100, 5], [12, -12, 100, 5], [12, -12, 100, 5], [14, -14, 200, 6], [11, -11, 100, 5]]
    np.testing.assert_array_equal(found, expected)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("trees") / "model"
    data = smeared_gaussian(3_000, np.random.default_rng(1))[0]
    save_trees(path, boost(data, QUADRATIC, few(trees=20), np.random.default_rng(2)))
    return path


def test_grown_trees(folder: Path, tmp_path: Path, rng: np.random.Generator) -> None:
    import onnx

    graph = tree_graph(folder, 400, rng)
    on_edges = np.isin(graph.events["features"][:, 0], load_trees(folder).bins.edges[0])
    assert 50 < on_edges.sum() < 250
    summary = write_network(graph, tmp_path / "trees.onnx", real=False)
    assert summary.deviation < 1e-6
    x = rng.normal(size=(200, 2))
    found = run_onnx(onnx.load(tmp_path / "trees.onnx"), {"features": x})["ratios"]
    np.testing.assert_allclose(found, load_trees(folder).predict(x), rtol=1e-6, atol=1e-6)
    assert found[:, 2].std() > 0.1


def test_a_store_is_no_array(folder: Path, rng: np.random.Generator) -> None:
    with pytest.raises(ModelError, match="leave out --store"):
        tree_graph(folder, 10, rng, Path("events.parquet"))
