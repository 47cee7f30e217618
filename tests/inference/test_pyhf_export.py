"""The workspace of an inference: yields against the closed form of the toy, and the data that were fitted."""

import json
from dataclasses import replace

import numpy as np
import pyhf
import pytest
from scipy.optimize import minimize_scalar
from tests.inference.likelihood.test_event_terms import background
from tests.inference.line_toy import LUMINOSITY, SIGMA, coefficients, grid, rate, without, write_store
from tests.inference.test_samples import write

from partonic.config.inference import BackgroundConfig, BackgroundEventsConfig, InferenceConfig, PyhfConfig, ScanConfig
from partonic.errors import InferenceError, ParameterError
from partonic.inference.binned.pyhf_model import MorphedModel
from partonic.inference.binned.pyhf_workspace import NOMINAL, MorphedWorkspace
from partonic.inference.data import make_data
from partonic.inference.infer import infer
from partonic.inference.pyhf_export import export_of
from partonic.inference.samples import Files, load

PYHF = PyhfConfig(parameter="a", bins=(3, 2))


@pytest.fixture
def files(tmp_path):
    x = grid(600)
    write_store(tmp_path / "events.parquet", x, theta={"a": 0.5})
    events = without(coefficients(x), np.arange(600) < 6)
    write(tmp_path / "signal.parquet", events, rate().record())
    return Files(tmp_path / "events.parquet", tmp_path / "signal.parquet", {})


def exported(files, **settings):
    config = InferenceConfig(**({"luminosity": LUMINOSITY, "pyhf": PYHF} | settings))
    loaded = load(files, config, 3)
    data = make_data(loaded, config)
    return export_of(loaded, data, config.pyhf), data


def test_yields_are_those_of_the_closed_form(files):
    morphed, _ = exported(files, data="asimov")
    samples = morphed.workspace["channels"][0]["samples"]
    yields = np.array([each["data"] for each in samples])
    assert yields.shape[1] == 7  # 3 × 2 bins and one of events without coefficients
    for a, b in ((0.0, 0.0), (0.7, 0.0), (-0.4, 0.8)):
        total = morphed.weights(morphed.monomials.point({"a": a, "b": b})) @ yields
        # ∫ (1 + a x)² + b² (1 − x²)² dx/2 = 1 + a²/3 + 8 b²/15, times σ L = 1000 events
        assert total.sum() == pytest.approx(SIGMA * 1000 * LUMINOSITY * (1 + a**2 / 3 + 8 * b**2 / 15), rel=1e-4)


def test_asimov_data_are_the_yields_at_their_theta(files):
    morphed, data = exported(files, data="asimov")
    names = [each["name"] for each in morphed.workspace["measurements"]]
    assert names == [NOMINAL, "data"]
    assert data.truth["a"] == 0.5
    yields = np.array([each["data"] for each in morphed.workspace["channels"][0]["samples"]])
    expected = morphed.weights(morphed.monomials.point({"a": 0.5})) @ yields
    np.testing.assert_allclose(morphed.workspace["observations"][0]["data"], expected, rtol=1e-3)


def test_pseudo_data_are_those_that_are_fitted(files):
    morphed, data = exported(files)
    counts = np.array(morphed.workspace["observations"][0]["data"])
    assert counts.sum() == data.likelihood.total
    assert counts[-1] == data.likelihood.without_coefficients
    np.testing.assert_array_equal(counts, np.round(counts))


def test_the_step_writes_it(files, tmp_path):
    config = InferenceConfig(luminosity=LUMINOSITY, pyhf=PYHF, scan=ScanConfig(points=5, contours=()), expected=())
    infer(files, config, 3, tmp_path / "out")
    read = MorphedWorkspace.read(tmp_path / "out" / "workspace.json")
    assert len(read.basis) == 6
    assert json.loads((tmp_path / "out" / "result.json").read_text())["settings"]["pyhf"]["parameter"] == "a"


def test_what_cannot_be_exported(files):
    with pytest.raises(ParameterError, match="unknown"):
        exported(files, pyhf=PyhfConfig(parameter="c"))
    with pytest.raises(InferenceError, match="filled with simulated events"):
        exported(replace(files, store=None), data="events", shape_only=True)


@pytest.mark.filterwarnings("ignore:jsonschema.RefResolver is deprecated")  # used by pyhf 0.7
def test_fit_of_pyhf_with_a_background_is_our_fit(tmp_path):
    """pyhf reads what the step wrote; its maximum in θ and in the background is that of the unbinned likelihood.

    Asimov data have it at their θ in both; a pseudo-experiment where the events say, but for what 12 bins lose.
    """
    files, background_section = with_rising_background(tmp_path)
    changes = {
        "luminosity": LUMINOSITY, "parameters": ("a",), "backgrounds": background_section, "truth": {"a": 0.5},
        "expected": (), "pyhf": PyhfConfig(parameter="a", bins=(1, 12)), "scan": ScanConfig(points=7, contours=()),
    }  # fmt: skip
    for data, share in (("asimov", 0.03), ("pseudo", 0.3)):
        settings = InferenceConfig(**changes, data=data)
        infer(files, settings, 3, tmp_path / data)
        found = json.loads((tmp_path / data / "result.json").read_text())["best_fit"]
        workspace = pyhf.Workspace(json.loads((tmp_path / data / "workspace.json").read_text()))
        assert workspace.samples == sorted([*(f"signal_{number}" for number in range(6)), "other"])
        at, others = maximum(MorphedModel(MorphedWorkspace.read(tmp_path / data / "workspace.json")))
        assert abs(at - found["a"]["value"]) < share * found["a"]["statistical"]
        norm = 1.0 + 0.1 * others["other_normalisation"][0]
        assert abs(norm - found["other_normalisation"]["value"]) < share * found["other_normalisation"]["statistical"]
        if data == "asimov":
            assert at == pytest.approx(0.5, abs=0.03 * found["a"]["statistical"])


def with_rising_background(folder):
    """Return 2000 events of the signal and 1000 of a background of density (1 + x)/2, and its section."""
    x, y = grid(2000), 2 * np.sqrt((np.arange(1000) + 0.5) / 1000) - 1
    paths = {}
    for name, events in (("signal", x), ("other", y)):
        write_store(folder / f"{name}.parquet", events, theta={"a": 0.5})
        paths[name] = {
            "signal": write(folder / f"{name}_s.parquet", coefficients(events), rate().record()),
            "other": write(folder / f"{name}_b.parquet", background(events)),
        }
    events = BackgroundEventsConfig(store=folder / "other.parquet", coefficients=paths["other"])
    files = Files(folder / "signal.parquet", paths["signal"]["signal"], {"other": paths["signal"]["other"]})
    return files, {"other": BackgroundConfig(uncertainty=0.1, cross_section=0.004, events=events)}


def maximum(model: MorphedModel):
    """Return where pyhf's likelihood, profiled over all else, is highest in a, and its other parameters there."""

    def minus(a):
        return -model.profile(model.morphed.monomials.point({"a": a})).log_likelihood

    found = minimize_scalar(minus, bounds=(0.35, 0.65), method="bounded", options={"xatol": 3e-4})
    return float(found.x), model.profile(model.morphed.monomials.point({"a": float(found.x)})).parameters
