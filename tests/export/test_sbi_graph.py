"""Files of trained estimators, against what the estimator itself says of the events of a store."""

import json
from pathlib import Path

import numpy as np
import pytest
from tests.inference.line_toy import grid, write_store
from tests.sbi.toy_events import train

from partonic.errors import SchemaError
from partonic.events.store import EventStore
from partonic.export.network_file import write_network
from partonic.export.parity import run_onnx
from partonic.export.sbi_graph import sbi_graph
from partonic.features.named import NamedFeatures
from partonic.sbi.estimator import SbiEstimator
from partonic.sbi.gaussian_toy import FEATURE, GaussianToy
from partonic.sbi.model import SbiModel

pytest.importorskip("onnxruntime")

TOY = GaussianToy(1.5)
POINTS = (-1.0, 0.0, 1.0)
METHODS = {
    "derivatives": {"network": {"hidden": [12, 12], "members": 3}, "reference": [{"theta": 0.5}]},
    "rascal": {"network": {"hidden": [12], "members": 2}, "standard_model": {"theta": 0.3}},
    "trees": {"network": {"members": 2}, "trees": {"trees": 15, "max_depth": 3, "min_leaf_events": 50}},
}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("toy") / "toy.parquet"
    TOY.write(path, TOY.draw(400, POINTS, np.random.default_rng(7)), POINTS)
    return path


def trained(method: str, folder: Path) -> SbiEstimator:
    settings = {"training": {"epochs": 2, "batch_size": 256, "learning_rate": 1e-2}, **METHODS[method]}
    settings.pop("standard_model", None)
    train(TOY, 4_000, POINTS, folder, method=method, **settings)
    return SbiEstimator(SbiModel.load(folder), NamedFeatures([FEATURE], TOY.metadata()))


@pytest.mark.parametrize("method", list(METHODS))
def test_a_file_says_what_the_estimator_says(
    method: str, store: Path, tmp_path: Path, rng: np.random.Generator
) -> None:
    """Ratios, covariance and distance from the training, of other events than those it was followed with."""
    import onnx

    estimator = trained(method, tmp_path / "model")
    graph = sbi_graph(tmp_path / "model", 100, rng)
    summary = write_network(graph, tmp_path / "x.onnx", real=False)
    assert 0.0 <= summary.deviation < 2e-5
    batch = EventStore.open(store).read(("event_id", *estimator.columns))
    expected = estimator.estimate(batch)
    found = run_onnx(onnx.load(tmp_path / "x.onnx"), {"features": estimator.features.of(batch)})
    good = expected.usable()
    assert good.sum() > 350
    np.testing.assert_allclose(found["ratios"][good], expected.ratios[good], rtol=2e-5, atol=2e-5)
    assert expected.covariance[good].max() > 1e-3
    scale = np.sqrt(np.square(expected.covariance[good]).mean(axis=0)) + 1e-12
    assert np.abs((found["covariance"][good] - expected.covariance[good]) / scale).max() < 1e-3
    np.testing.assert_allclose(found["outside"], expected.diagnostics.columns["outside"], rtol=1e-6, atol=1e-9)
    members = METHODS[method]["network"]["members"]
    assert found["member_densities"].shape == (members, 400, 3)
    assert run_onnx(onnx.load(tmp_path / "x.onnx"), {"features": np.zeros((1, 1))})["ratios"].shape == (1, 3)


def test_events_of_a_store(store: Path, tmp_path: Path, rng: np.random.Generator) -> None:
    """They are what the file is compared on; and what the file says of itself."""
    import onnx

    estimator = trained("trees", tmp_path / "model")
    graph = sbi_graph(tmp_path / "model", 100, rng, store)
    batch = EventStore.open(store).read(estimator.columns)
    np.testing.assert_array_equal(graph.events["features"], estimator.features.of(batch)[:100])
    summary = write_network(graph, tmp_path / "x.onnx", real=True)
    assert "on 100 events of the store" in str(summary)
    model = onnx.load(tmp_path / "x.onnx")
    facts = {each.key: each.value for each in model.metadata_props}
    assert facts["partonic.kind"] == "simulation-based inference"
    assert facts["partonic.process"] == "gaussian_toy"
    assert json.loads(facts["partonic.monomials"]) == list(estimator.monomials.names)
    assert json.loads(facts["partonic.reference_point"]) == {"theta": 0.0}
    (features,) = json.loads(facts["partonic.inputs"])
    assert (features["entries"], features["units"]) == (["met_px"], ["GeV"])
    outputs = json.loads(facts["partonic.outputs"])
    assert [each["name"] for each in outputs] == [each.name for each in model.graph.output]
    assert json.loads(facts["partonic.parity"])["events"] == 100
    assert len(facts["partonic.model_sha256"]) == 64
    assert str(Path(__file__).parents[2]).encode() not in model.SerializeToString()
    write_store(tmp_path / "other.parquet", grid(5))
    with pytest.raises(SchemaError, match="holds events of 'toy', the model was trained on 'gaussian_toy'"):
        sbi_graph(tmp_path / "model", 100, rng, tmp_path / "other.parquet")
