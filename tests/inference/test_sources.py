"""Coefficients are those of the estimator that the settings name, or the fit is refused."""

from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import ValidationError
from tests.inference.likelihood.test_event_terms import background
from tests.inference.line_toy import coefficients, grid, rate, write_store
from tests.inference.test_samples import CONFIG, write

import partonic as pt
from partonic.config.inference import BackgroundConfig, BackgroundEventsConfig, InferenceConfig
from partonic.errors import InferenceError
from partonic.inference.data import ensemble_members, make_data
from partonic.inference.samples import Files, load
from partonic.inference.sources import settings_for

X = grid(50)


def made_by(source: str, path: Path) -> Path:
    return write(path, coefficients(X, source=source), rate().record())


@pytest.fixture
def files(tmp_path: Path) -> Files:
    write_store(tmp_path / "events.parquet", X)
    return Files(tmp_path / "events.parquet", made_by("mem", tmp_path / "signal.parquet"), {})


def test_file_of_another_estimator_is_refused(files: Files) -> None:
    config = CONFIG.model_copy(update={"source": "classical"})
    with pytest.raises(InferenceError) as refused:
        load(files, config, seed=3)
    assert str(refused.value) == (
        f"`inference.source` is 'classical', but {files.signal} says that 'mem' made it: set `inference.source: mem`, "
        "or name in `inference.coefficients` a file that 'classical' made"
    )
    load(files, CONFIG, seed=3)


def test_every_hypothesis_has_the_same_estimator(files: Files, tmp_path: Path) -> None:
    other = write(tmp_path / "b.parquet", replace(background(X), source="classical"))
    config = CONFIG.model_copy(update={"backgrounds": {"b": BackgroundConfig(cross_section=0.01)}, "data": "events"})
    with pytest.raises(InferenceError, match=r"'classical' made it.*`inference\.backgrounds\.b\.coefficients` a file"):
        load(replace(files, backgrounds={"b": other}), config, seed=3)


def test_simulated_events_of_a_background_have_it_too(files: Files, tmp_path: Path) -> None:
    own = write(tmp_path / "own.parquet", background(X))
    events = BackgroundEventsConfig(
        store=files.store, coefficients={"signal": made_by("classical", tmp_path / "s.parquet"), "b": own}
    )
    section = BackgroundConfig(cross_section=0.01, events=events)
    config = CONFIG.model_copy(update={"backgrounds": {"b": section}})
    with pytest.raises(InferenceError, match=r"`inference\.backgrounds\.b\.events\.coefficients\.signal` a file"):
        load(replace(files, backgrounds={"b": own}), config, seed=3)


def test_members_of_an_ensemble_have_it_too(files: Files, tmp_path: Path) -> None:
    config = CONFIG.model_copy(update={"ensemble": (made_by("classical", tmp_path / "again.parquet"),)})
    loaded = load(files, config, seed=3)
    with pytest.raises(InferenceError, match=r"`inference\.ensemble` a file that 'mem' made"):
        ensemble_members(make_data(loaded, config), loaded, config)


def test_in_a_notebook_the_source_follows_from_the_coefficients(files: Files, tmp_path: Path) -> None:
    settings = {"luminosity": 30.0, "data": "asimov", "parameters": ["a"], "expected": [], "store": files.store}
    path = made_by("own work", tmp_path / "own.parquet")
    found = [pt.fit(each, **settings) for each in (files.signal, path, pt.read_coefficients(path))]
    assert [each.config.source for each in found] == ["mem", "own work", "own work"]
    assert found[0].values == found[1].values == found[2].values
    for each in (files.signal, pt.read_coefficients(files.signal)):
        with pytest.raises(InferenceError, match=r"is 'classical', but .* says that 'mem' made it"):
            pt.fit(each, source="classical", **settings)


def test_source_that_is_named_must_be_known() -> None:
    assert settings_for("own work", {}).source == "own work"
    with pytest.raises(ValidationError, match="there is no estimator 'own work'"):
        settings_for("own work", {"source": "own work"})


def test_truth_has_no_file(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="'truth' comes from the events themselves: leave out `coefficients`"):
        InferenceConfig(source="truth", coefficients=tmp_path / "mem.parquet")


def test_calibration_that_ships_is_of_the_matrix_element_method() -> None:
    with pytest.raises(
        ValidationError, match="that ships is of coefficients of 'mem', not of 'classical': name a file"
    ):
        InferenceConfig(source="classical", calibration="pretrained")
    InferenceConfig(source="truth", calibration="pretrained")  # parton truth needs none
