"""All of an inference, on a small toy."""

import json
from dataclasses import replace

import numpy as np
import pyarrow.parquet as pq
import pytest
from tests.inference.likelihood.test_event_terms import NOISE
from tests.inference.line_toy import coefficients, draw, grid, rate, write_store
from tests.inference.test_samples import write

from partonic.config.inference import CoverageConfig, InferenceConfig, ScanConfig, ToyCoverageConfig, ToysConfig
from partonic.errors import InferenceError
from partonic.inference.coefficients.weight_samples import WeightSamples
from partonic.inference.data import make_data, sample_likelihoods
from partonic.inference.infer import infer
from partonic.inference.likelihood.fit import fit
from partonic.inference.samples import Files, load

SCAN = ScanConfig(points=11, contour_points=5)


@pytest.fixture
def files(tmp_path, rng):
    x = grid(300)
    write_store(tmp_path / "events.parquet", x, theta={"b": 0.9})
    write(tmp_path / "signal.parquet", coefficients(x, NOISE, rng), rate(0.01).record())
    write(tmp_path / "member.parquet", coefficients(x, NOISE, rng), rate(0.01).record())
    return Files(tmp_path / "events.parquet", tmp_path / "signal.parquet", {})


@pytest.mark.slow
def test_everything_is_written(files, tmp_path):
    config = InferenceConfig(
        luminosity=100.0, scan=SCAN, ensemble=(tmp_path / "member.parquet",), coverage=CoverageConfig(experiments=3),
        toys=ToysConfig(experiments=20, points=3, parameters=("a",)), workers=1, expected=({}, {"b": 0.9}),
    )  # fmt: skip
    summary = infer(files, config, 5, tmp_path / "out")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["curves.parquet", "result.json"]
    result = json.loads((tmp_path / "out" / "result.json").read_text())
    assert result["data"]["truth"] == {"b": 0.9}
    assert result["valid"]
    assert result["verified_by_minuit"]
    a = result["best_fit"]["a"]
    assert a["total"] == pytest.approx(
        np.sqrt(sum(a[each] ** 2 for each in ("statistical", "integration", "rate", "training", "calibration")))
    )
    assert min(a[each] for each in ("integration", "rate", "training")) > 0
    assert abs(a["value"]) < 4 * a["total"]
    assert len(result["maxima"]) == 2
    kinds = [each["kind"] for each in result["intervals"]["b"]]
    assert kinds == ["asymptotic", "asymptotic", "total", "total"]
    narrow, wide = (result["intervals"]["a"][number]["segments"][0] for number in (1, 3))
    assert wide[0] < narrow[0]
    assert wide[1] > narrow[1]
    assert [each["theta"] for each in result["expected"]] == [{}, {"b": 0.9}]
    assert list(result["toys"]) == ["a"]
    assert result["coverage"][0]["experiments"] == 3
    assert result["sum_rule"][3]["true"] == pytest.approx(1 / 3, rel=1e-3)
    curves = pq.read_table(tmp_path / "out" / "curves.parquet")
    assert set(curves.column("kind").to_pylist()) == {
        "profile", "fixed", "total", "contour", "expected", "integration_band", "training_band",
    }  # fmt: skip
    text = str(summary)
    assert f"; best fit {result['best_fit']['a']['value']:.4g} ± {result['best_fit']['a']['total']:.2g}" in text
    assert "truth 0.9" in text
    assert "95% [" in text


def test_real_data_without_a_store(files, tmp_path, rng):
    write(files.signal, coefficients(draw(rng, 1000)), rate().record())
    config = InferenceConfig(luminosity=100.0, data="events", scan=SCAN)
    summary = infer(replace(files, store=None), config, 5, tmp_path / "out")
    result = json.loads(summary.path.read_text())
    assert result["data"]["truth"] is None
    assert result["expected"] == []
    assert result["sum_rule"] == []
    assert "truth" not in str(summary)


def test_what_cannot_be_done(files, tmp_path):
    out = tmp_path / "out"

    def expect(message, **settings):
        with pytest.raises(InferenceError, match=message):
            infer(files, InferenceConfig(**({"luminosity": 100.0, "scan": SCAN} | settings)), 5, out)
        assert not out.exists()

    pair = ScanConfig(points=11, contours=(("a", "b"),))
    expect("a contour of 'b' needs it to be fitted", parameters=("a",), scan=pair)
    expect("toys of 'b' need it to be fitted", parameters=("a",), toys=ToysConfig(parameters=("b",)), expected=())
    bad = coefficients(grid(300))
    bad.ratios[0, 5] = -3.0
    write(files.signal, bad, rate().record())
    expect("the density of .* events is not positive", non_positive="error")


def test_experiments_need_simulated_events(files, tmp_path):
    config = InferenceConfig(luminosity=100.0, data="events", shape_only=True, scan=SCAN, coverage=CoverageConfig())
    with pytest.raises(InferenceError, match="toys and coverage draw from simulated events"):
        infer(replace(files, store=None), config, 5, tmp_path / "out")


@pytest.mark.slow
def test_coverage_of_toys(files, tmp_path):
    study = CoverageConfig(experiments=2, toys=ToyCoverageConfig(experiments=3, toys=20, parameters=("a",)))
    config = InferenceConfig(luminosity=100.0, scan=SCAN, coverage=study, workers=1, expected=())
    summary = infer(files, config, 5, tmp_path / "out")
    (found,) = json.loads(summary.path.read_text())["toy_coverage"]
    assert (found["name"], found["experiments"], found["toys"]) == ("a", 3, 20)
    assert 0 < found["threshold"]["0.68"] < found["threshold"]["0.95"]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["curves.parquet", "result.json"]


def test_what_is_not_asked_for_leaves_results_valid():
    plain = InferenceConfig(coverage=CoverageConfig()).physics()
    assert "pyhf" not in plain
    assert "toys" not in plain["coverage"]


def with_samples(path, x, shifts):
    """Coefficients of sets of weights that see the events a little beside, each with a cross section."""
    events, others = coefficients(x), [coefficients(x + shift) for shift in shifts]
    ratios, logs = (np.stack([getattr(each, name) for each in others], axis=1) for name in ("ratios", "log_reference"))
    samples = WeightSamples(ratios, logs)
    records = tuple(rate().record() for _ in shifts)
    write(path, replace(events, samples=samples), rate().record(), sample_cross_sections=records)


def test_sets_of_weights_are_an_error_of_the_training(tmp_path):
    """The scatter of their fits, found by fitting each as it is; q has a band, and edges of intervals an error."""
    x, shifts = grid(300), (-0.05, 0.0, 0.08)
    write_store(tmp_path / "events.parquet", x, theta={"b": 0.9})
    with_samples(tmp_path / "signal.parquet", x, shifts)
    files = Files(tmp_path / "events.parquet", tmp_path / "signal.parquet", {})
    config = InferenceConfig(luminosity=100.0, scan=SCAN, data="asimov", fixed={"b": 0.9})
    infer(files, config, 5, tmp_path / "out")
    result = json.loads((tmp_path / "out" / "result.json").read_text())
    loaded = load(files, config, 5)
    data = make_data(loaded, config)
    fits = [fit(each, verify=False).phi[0] for each in sample_likelihoods(data, loaded, config)]
    found = result["best_fit"]["a"]
    assert found["training"] == pytest.approx(np.std(fits, ddof=1), rel=1e-3)
    assert found["training"] > 0.0
    assert result["weight_samples"] == 3
    edges = result["edge_errors"]["a"][0]["errors"]
    assert edges["integration"] == [[0.0, 0.0]]
    assert min(edges["training"][0]) > 0.0
    curves = pq.read_table(tmp_path / "out" / "curves.parquet").to_pylist()
    band = [(row["x_value"], row["q"]) for row in curves if row["kind"] == "training_band"]
    best = loaded.setup.mixture.point({"a": found["value"], "b": 0.9})
    at = loaded.setup.mixture.point({"a": band[0][0], "b": 0.9})
    values = [each(at[None])[0] - each(best[None])[0] for each in sample_likelihoods(data, loaded, config)]
    assert band[0][1] == pytest.approx(2.0 * np.std(values, ddof=1), rel=0.05)
    plain = config.model_copy(update={"weight_samples": False})
    infer(files, plain, 5, tmp_path / "plain")
    without_them = json.loads((tmp_path / "plain" / "result.json").read_text())
    assert without_them["best_fit"]["a"]["training"] == 0.0
    assert without_them["best_fit"]["a"]["value"] == found["value"]
    assert "edge_errors" not in without_them
