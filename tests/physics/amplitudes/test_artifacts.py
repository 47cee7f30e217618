"""The cache of generated matrix elements: keys, locks, limits and what goes wrong."""

import fcntl
import os
import subprocess
import tempfile
from pathlib import Path

import pytest

from partonic.errors import OutputError, ProcessError
from partonic.physics.amplitudes import artifacts
from partonic.physics.amplitudes.artifacts import ArtifactRequest, ExternalModel, GenerationOptions, default_cache


@pytest.fixture
def request_top_pairs(top_model, generator_cache):
    """g g -> t tbar, generated at most once in a test run."""
    return ArtifactRequest(((21, 21), (6, -6)), top_model, "full", GenerationOptions(cache=generator_cache))


def test_generated_once(request_top_pairs, monkeypatch, tmp_path, capfd):
    monkeypatch.chdir(tmp_path)
    folder = request_top_pairs.artifact()
    assert (folder / "artifact.json").is_file()
    assert folder.with_suffix(".json").is_file()
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: pytest.fail("generated again"))
    assert request_top_pairs.artifact() == folder
    assert list(tmp_path.iterdir()) == []  # nothing is left where the user happens to be
    assert capfd.readouterr() == ("", "")


def test_key_depends_on_what_matters(request_top_pairs, tmp_path):
    model = request_top_pairs.model
    other_text = tmp_path / "top_model.json"
    other_text.write_text(Path(model.source).read_text() + " ")
    keys = [
        str(request._identity())
        for request in (
            request_top_pairs,
            ArtifactRequest("g g > t t~", model),
            ArtifactRequest(request_top_pairs.process, model, "lc"),
            ArtifactRequest(request_top_pairs.process, model, "full", GenerationOptions(orders={"QCD": 2})),
            ArtifactRequest(request_top_pairs.process, ExternalModel(source=other_text)),
            ArtifactRequest(request_top_pairs.process, ExternalModel(source=model.source, restriction="none")),
        )
    ]
    assert len(set(keys)) == len(keys)
    spaced = ArtifactRequest("g  g >  t t~", model)
    assert str(spaced._identity()) == keys[1]


@pytest.mark.parametrize(
    ("process", "message"),
    [
        ("u u > t t~ H", r"no amplitude for u u > t t~ H .*Check the particle names"),
        ("g g > t t~ X", r"no amplitude .*particle 'X'"),
        (((21, 21), (6, -7)), r"no amplitude .*no particle with PDG identifier -7"),
    ],
)
def test_processes_without_amplitude(top_model, generator_cache, process, message):
    request = ArtifactRequest(process, top_model, "full", GenerationOptions(cache=generator_cache))
    with pytest.raises(ProcessError, match=message):
        request.artifact()
    assert not list(generator_cache.glob(".partial*"))


def test_process_must_have_an_arrow(top_model):
    with pytest.raises(ProcessError, match="written like"):
        ArtifactRequest("g g t t~", top_model)


def test_time_limit(top_model, tmp_path):
    options = GenerationOptions(cache=tmp_path, time_limit=0.05)
    with pytest.raises(ProcessError, match=r"longer than 0.05 s and was stopped"):
        ArtifactRequest("g g > t t~", top_model, "full", options).artifact()
    assert not list(tmp_path.glob(".partial*"))


def test_another_generation_keeps_the_lock(top_model, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    options = GenerationOptions(cache=tmp_path / "cache", lock_wait=0.3)
    with (tmp_path / f"partonic-generation-{os.getuid()}.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(ProcessError, match=r"for more than 0.3 s and holds .*lock_wait"):
            ArtifactRequest("g g > t t~", top_model, "full", options).artifact()


def test_another_program_keeps_symbolica(top_model, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    busy = subprocess.CompletedProcess([], -6, artifacts._SYMBOLICA_BUSY, "")
    monkeypatch.setattr(artifacts, "_generator_process", lambda *_: busy)
    options = GenerationOptions(cache=tmp_path, lock_wait=0.0)
    with pytest.raises(ProcessError, match="without a licence it allows one program at a time"):
        ArtifactRequest("g g > t t~", top_model, "full", options).artifact()


def test_generator_that_dies(top_model, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    dead = subprocess.CompletedProcess([], -11, "", "Segmentation fault")
    monkeypatch.setattr(artifacts, "_generator_process", lambda *_: dead)
    with pytest.raises(ProcessError, match=r"died on g g > t t~ .*exit status -11: Segmentation fault"):
        ArtifactRequest("g g > t t~", top_model, "full", GenerationOptions(cache=tmp_path)).artifact()


def test_model_not_found(tmp_path):
    with pytest.raises(ProcessError, match="model not found"):
        ExternalModel(source=tmp_path / "none").path()
    with pytest.raises(ProcessError, match="holds no UFO model"):
        ExternalModel(source=tmp_path, trust_model_code=True).digest()


def test_limits_must_make_sense():
    with pytest.raises(ProcessError, match="time_limit must be positive"):
        GenerationOptions(time_limit=0.0)


def test_cache_that_cannot_be_written(top_model, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot write"):
        ArtifactRequest("g g > t t~", top_model, "full", GenerationOptions(cache=tmp_path / "file")).artifact()


def test_default_cache_follows_the_desktop_convention(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert default_cache() == tmp_path / "partonic" / "matrix_elements"
