"""The template of an inference: a known direction is found, and everything is written."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from tests.inference.optimised_template.plane_toy import EXPECTED, SCALE, kept_by_quantiles, plane
from tests.report.limit_files import LUMINOSITY, estimated, toy_store, write

from partonic.config.inference import InferenceConfig, TemplateConfig
from partonic.errors import InferenceError
from partonic.events.store import EventStore
from partonic.inference.binned.pyhf_workspace import MorphedWorkspace
from partonic.inference.infer import infer
from partonic.inference.optimised_template.study import JOURNAL, optimise_template
from partonic.inference.samples import Files

FEW = {"scan": {"points": 5, "contours": []}, "expected": (), "workers": 1, "luminosity": LUMINOSITY}


def test_the_best_direction_is_found() -> None:
    """Both parameters count alike: the best template is at 45° of x₁ and x₂, whatever their scales."""
    pytest.importorskip("optuna")
    events = plane(6_000, np.random.default_rng(3))
    section = TemplateConfig.model_validate(
        {"tail": 0.0, "search": {"trials": 60, "range": {"a": [-0.2, 0.2], "b": [-0.2 / SCALE, 0.2 / SCALE]}}}
    )
    found = optimise_template(events, section, ("a", "b"), 1, 0.95)
    angle = math.degrees(math.atan2(abs(found.theta[1]) * SCALE, abs(found.theta[0])))
    assert angle == pytest.approx(45.0, abs=12.0)
    information = 4 * EXPECTED * 0.5 * kept_by_quantiles(8) * np.array([1.0, SCALE**2])
    best = float(np.log(2 * 1.959964 / np.sqrt(information)).mean())
    # x₁ and x₂ of 3,000 events have a correlation of 0.02, of which the best of both signs profits
    assert found.merit == pytest.approx(best, abs=0.03)
    assert found.merit < min(each.merit for each in found.trials[:4]) - 0.5
    assert len(found.rest) == pytest.approx(3_000, abs=200)


def test_the_determinant_asks_for_two_bins_at_least() -> None:
    """One direction in the linear regime knows one number: the quadratic terms must tell the parameters apart."""
    pytest.importorskip("optuna")
    events = plane(4_000, np.random.default_rng(3))
    section = TemplateConfig.model_validate({"tail": 0.3, "search": {"trials": 30, "merit": "information"}})
    found = optimise_template(events, section, ("a", "b"), 1, 0.95)
    assert math.isfinite(found.merit)
    assert np.abs(found.theta).min() > 0.0


def settings(**template: object) -> InferenceConfig:
    base = {"workspace": True, "bins": 4, "min_events": 10, "search": {"trials": 10}}
    return InferenceConfig.model_validate(
        {**FEW, "parameters": ["kappa_tilde_t", "c_tG"], "truth": {"kappa_tilde_t": 0.5}, "template": base | template}
    )


@pytest.fixture
def files(tmp_path: Path) -> Files:
    store = EventStore.open(toy_store(tmp_path, 1500))
    return Files(store.path, write(tmp_path / "tth.parquet", estimated(store), store))


def test_given_template_with_background(files: Files, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = EventStore.open(toy_store(tmp_path / "other", 1000))
    coefficients = write(tmp_path / "other.parquet", estimated(other))
    regions = {
        "signal": {"where": {"missing_pt": [40.0, None]}, "bins": 4},
        "control": {"where": {"missing_pt": [None, 40.0]}, "bins": 1},
    }
    background = {"other": {"store": other.path, "coefficients": coefficients}}
    config = settings(theta_star={"c_tG": 0.4}, regions=regions, backgrounds=background)
    infer(files, config, 5, tmp_path / "out")
    found = json.loads((tmp_path / "out" / "result.json").read_text())["template"]
    assert found["theta_star"] == {"kappa_tilde_t": 0.0, "c_tG": 0.4}
    assert found["searched"] is False
    assert found["regions"] == ["signal", "control"]
    assert len(found["edges"][0]) == 3
    assert found["edges"][1] == []
    for row in found["yields"].values():
        if isinstance(row, dict):
            assert len(row["expected"]) == 5
    kept = found["information"]
    for name in ("kappa_tilde_t", "c_tG"):
        assert kept["template"][name] <= kept["template_without_backgrounds"][name] <= 1.0001 * kept["truth"][name]
    expected = found["intervals"]["expected"]["alone"]["c_tG"][1]["length"]
    assert expected > found["intervals"]["expected_without_backgrounds"]["alone"]["c_tG"][1]["length"]
    counts = np.array(found["data"]["counts"])
    assert (counts == np.round(counts)).all()
    workspace = MorphedWorkspace.read(tmp_path / "out" / "template_workspace.json")
    assert workspace.workspace["observations"][0]["data"] == found["data"]["counts"]
    samples = workspace.workspace["channels"][0]["samples"]
    factors = [*workspace.normfactors({}).values(), 1.0]
    yields = sum(np.array(each["data"]) * factor for each, factor in zip(samples, factors, strict=True))
    total = np.add(found["yields"]["signal"]["expected"], found["yields"]["other"]["expected"])
    np.testing.assert_allclose(yields, total, rtol=1e-6)


def test_killed_and_resumed(files: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The journal is there after a kill, is used, and is gone with the result; the result is that of a whole run."""
    pytest.importorskip("optuna")
    infer(files, settings(), 5, tmp_path / "whole")
    from partonic.inference.optimised_template import study

    calls, real = [0], study.merit_of

    def killed(*arguments: object) -> float:
        calls[0] += 1
        if calls[0] == 7:
            raise KeyboardInterrupt
        return float(real(*arguments))

    with monkeypatch.context() as patched:
        patched.setattr(study, "merit_of", killed)
        with pytest.raises(KeyboardInterrupt):
            infer(files, settings(), 5, tmp_path / "out")
    assert len((tmp_path / "out" / JOURNAL).read_text().splitlines()) == 1 + 6
    calls[0] = -1000
    with monkeypatch.context() as patched:
        patched.setattr(study, "merit_of", killed)
        infer(files, settings(), 5, tmp_path / "out")
    assert calls[0] + 1000 == 4 + 1  # four points are left, and the events that had no part in the search
    assert not (tmp_path / "out" / JOURNAL).exists()
    first, second = (json.loads((tmp_path / each / "result.json").read_text()) for each in ("whole", "out"))
    assert first["template"] == second["template"]
    assert len(first["template"]["trials"]) == 10


def test_what_cannot_be_done(files: Files, tmp_path: Path) -> None:
    with pytest.raises(InferenceError, match="simulated signal events to choose bins with"):
        infer(files, settings(theta_star={"c_tG": 0.1}, min_events=100_000), 5, tmp_path / "out")
    real = settings(theta_star={"c_tG": 0.1}).model_copy(update={"data": "events"})
    with pytest.raises(InferenceError, match=r"`inference\.template`"):
        infer(files, real, 5, tmp_path / "out")
