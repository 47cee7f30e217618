"""A bundle says what the fit said, to whoever reads it: the example that needs no partonic, and nobody if damaged."""

import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from tests.export.bundles import (
    READER,
    of_data,
    of_signal,
    on_a_circle,
    reader,
    with_component,
    with_nuisances,
)
from tests.inference.line_toy import coefficients, grid, rate
from tests.inference.test_samples import write

from partonic.errors import EventFileError, InferenceError, OutputError, SchemaError
from partonic.export.likelihood_bundle import export_likelihood
from partonic.export.likelihood_source import fitted_likelihood

RESULTS = {
    "pseudo-data with noise": of_signal,
    "asimov": lambda folder: of_signal(folder, data="asimov", correct_bias=False),
    "mean ratios": lambda folder: of_signal(folder, normalisation="mean_ratios", signal_strength="free"),
    "data": of_data,
    "nuisances": with_nuisances,
    "circle": on_a_circle,
    "component": with_component,
}


@pytest.mark.parametrize("kind", list(RESULTS))
def test_the_reader_without_partonic_says_the_same(kind: str, tmp_path: Path, rng: np.random.Generator) -> None:
    """log L at random points to 10⁻⁹ of itself, −∞ included, and the same maximum."""
    result = RESULTS[kind](tmp_path)
    export_likelihood(result, tmp_path / "bundle")
    found, ours = reader().Likelihood(tmp_path / "bundle"), fitted_likelihood(result).data.likelihood
    assert tuple(found.names) == ours.mixture.names
    step = np.array([each["step"] for each in found.about["parameters"]])
    points = ours.mixture.point() + rng.normal(size=(30, len(step))) * np.where(step > 0, 4 * step, 0.01)
    points[-1, -1] = -0.5  # no luminosity
    with np.errstate(all="raise"):
        theirs = np.array([found(point) for point in points])
    expected = ours(points)
    assert np.isfinite(expected).sum() >= 10
    assert ours.shape_only or expected[-1] == -np.inf
    finite = np.isfinite(expected)
    np.testing.assert_array_equal(np.isfinite(theirs[:-1]), finite[:-1])
    np.testing.assert_allclose(theirs[:-1][finite[:-1]], expected[:-1][finite[:-1]], rtol=1e-9)
    for point in found.about["check_points"]:
        assert found(np.array(point["values"])) == pytest.approx(point["log_likelihood"], rel=1e-9)
    best = found.fit()
    stated = found.about["answer"]
    assert found(best) == pytest.approx(stated["log_likelihood"], abs=1e-5)
    values = np.array([stated["best_fit"][name]["value"] for name in found.names])
    # b enters by its square: either sign is a maximum
    np.testing.assert_allclose(np.abs(best), np.abs(values), atol=2e-3 * max(step.max(), 1e-3))


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return of_signal(tmp_path_factory.mktemp("line"))


@pytest.fixture
def bundle(result: Path, tmp_path: Path) -> Path:
    return export_likelihood(result, tmp_path / "bundle").folder


def test_what_is_in_it(result: Path, tmp_path: Path) -> None:
    summary = export_likelihood(result, tmp_path / "bundle")
    assert sorted(each.name for each in (tmp_path / "bundle").iterdir()) == [
        "SHA256SUMS", "events.parquet", "likelihood.json",
    ]  # fmt: skip
    about = json.loads((tmp_path / "bundle" / "likelihood.json").read_text())
    table = pq.read_table(tmp_path / "bundle" / "events.parquet")
    assert (about["format"], about["process"], about["estimator"]) == (1, "toy", "mem")
    assert table.num_rows == about["events"]["count"] == summary.events
    assert table["weight"].to_numpy().sum() == pytest.approx(about["events"]["sum_of_weights"])
    assert about["events"]["without_coefficients"] > 0
    assert len(table["row"][0]) == len(about["cross_sections"]["values"]) == 6
    assert len(table["covariance"][0]) == 21
    ids = table["event_id"].to_numpy()
    exact = coefficients(grid(300)).ratios
    assert ids.min() >= 4
    # the rows are those of the events that the numbers name: noise is a twentieth of them
    assert np.abs(np.stack(table["row"].to_numpy()) - exact[ids]).max() < 0.3
    assert set(table["sample"].to_pylist()) == {0}
    assert f"{summary.events} events × 6 densities" in str(summary)


def test_the_sums_are_those_of_sha256sum(bundle: Path) -> None:
    for line in (bundle / "SHA256SUMS").read_text().splitlines():
        digest, name = line.split("  ")
        assert digest == hashlib.sha256((bundle / name).read_bytes()).hexdigest()


@pytest.mark.parametrize("name", ["likelihood.json", "events.parquet", "SHA256SUMS"])
def test_the_reader_refuses_a_damaged_bundle(name: str, bundle: Path) -> None:
    path = bundle / name
    content = bytearray(path.read_bytes())
    content[len(content) // 3] ^= 1
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"is damaged: its checksum is not that in SHA256SUMS"):
        reader().Likelihood(bundle)


def test_the_reader_refuses_another_format(bundle: Path) -> None:
    path, sums = bundle / "likelihood.json", bundle / "SHA256SUMS"
    before = hashlib.sha256(path.read_bytes()).hexdigest()
    path.write_text(path.read_text().replace('"format": 1,', '"format": 2,'))
    sums.write_text(sums.read_text().replace(before, hashlib.sha256(path.read_bytes()).hexdigest()))
    with pytest.raises(ValueError, match="expected a bundle of format 1, got 2"):
        reader().Likelihood(bundle)


def test_the_reader_is_short_and_needs_no_partonic() -> None:
    text = READER.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 60
    assert "import partonic" not in text
    assert "from partonic" not in text


def test_where_it_is_written(result: Path, bundle: Path, tmp_path: Path) -> None:
    """A bundle is replaced, other folders are not; nothing is left half-written."""
    (bundle / "note.txt").write_text("mine")
    export_likelihood(result, bundle)
    assert not (bundle / "note.txt").exists()
    other = tmp_path / "other"
    other.mkdir()
    (other / "likelihood.json").write_text('{"kind": "something else"}')
    with pytest.raises(OutputError, match="holds files that are no such bundle"):
        export_likelihood(result, other)
    assert (other / "likelihood.json").read_text() == '{"kind": "something else"}'
    with pytest.raises(OutputError, match="is a file: give the folder"):
        export_likelihood(result, result / "result.json")
    with pytest.raises(OutputError, match="cannot write"):
        export_likelihood(result, result / "result.json" / "bundle")
    assert sorted(each.name for each in tmp_path.iterdir()) == ["bundle", "other"]


def test_inputs_that_are_not_those_of_the_result(tmp_path: Path) -> None:
    result = of_signal(tmp_path)
    kept = shutil.copy(tmp_path / "signal.parquet", tmp_path / "kept.parquet")
    write(tmp_path / "signal.parquet", coefficients(0.99 * grid(300)), rate().record())
    with pytest.raises(InferenceError, match="they have changed since the fit"):
        export_likelihood(result, tmp_path / "bundle")
    (tmp_path / "signal.parquet").unlink()
    with pytest.raises(EventFileError, match=r"signal\.parquet, and there is no such file, seen from"):
        export_likelihood(result, tmp_path / "bundle")
    shutil.copy(kept, tmp_path / "signal.parquet")
    export_likelihood(result, tmp_path / "bundle")
    shutil.rmtree(tmp_path / "bundle")
    with pytest.raises(EventFileError, match="cannot read the result of the inference"):
        export_likelihood(tmp_path / "nowhere", tmp_path / "bundle")
    path = result / "result.json"
    content = json.loads(path.read_text())
    path.write_text(json.dumps(content | {"settings": {**content["settings"], "new": 1}}))
    with pytest.raises(SchemaError, match="settings that this partonic does not know"):
        export_likelihood(result, tmp_path / "bundle")
    path.write_text(json.dumps(content | {"files": {}}))
    with pytest.raises(SchemaError, match="does not name the files that it was made from"):
        export_likelihood(result, tmp_path / "bundle")
    assert not (tmp_path / "bundle").exists()
