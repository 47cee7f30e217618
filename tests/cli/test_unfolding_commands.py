"""`partonic train` and `partonic sample` as a user meets them, with networks of a few weights."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result
from safetensors.torch import load_file
from tests.unfolding.toys import PROCESS, write_store

from partonic.cli import main
from partonic.config.unfolding import SamplingConfig
from partonic.trained.model_folder import load_record
from partonic.unfolding.sample_events import sample_events
from partonic.unfolding.samples_file import SamplesFile

pytestmark = pytest.mark.xdist_group("unfolding commands")

SECTION = """\
unfolding:
  preset: tiny
  provenance: {width: 8, layers: 1, target_layers: 1, heads: 2, feedforward: 8}
  conditioner: {width: 8, encoder_layers: 1, encoder_heads: 2, decoder_layers: 1, decoder_heads: 2, latent_layers: 1,
                latent: 2, feedforward: 8}
  flow: {transforms: 2, bins: 4, hidden: [16]}
  training: {batch_size: 64, provenance_epochs: 1, regression_epochs: 1, joint_epochs: 1, flow_epochs: 1,
             accelerator: cpu}
"""


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("unfolding")


@pytest.fixture(scope="module")
def store(folder: Path) -> Path:
    """Selected events 1, 2 and 3 cannot be unfolded."""
    return write_store(folder / "events.parquet", events=200, faults=True)


@pytest.fixture(scope="module")
def analysis(folder: Path, store: Path) -> Path:
    path = folder / "analysis.yaml"
    path.write_text(f"name: toy\nseed: 5\n{SECTION}  stores: [{store}]\n", encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def models(analysis: Path, folder: Path) -> Path:
    """Models of both views, trained by the command."""
    result = run("train", analysis, "-o", folder / "out")
    assert result.exit_code == 0, result.stderr
    assert result.stdout.startswith("train: hard: −log q = ")
    assert "with_isr: −log q = " in result.stdout
    return folder / "out" / "train"


@pytest.fixture(scope="module")
def samples(models: Path, store: Path, folder: Path) -> Path:
    path = folder / "samples.parquet"
    result = run("sample", "--model", models, "--store", store, "-o", path, "--samples", 5, "--view", "with_isr")
    assert result.exit_code == 0, result.stderr
    assert result.stdout.startswith("sample: 157 events with 5 samples each, not unfolded: 1 a jet is NaN")
    return path


def test_training_leaves_a_model_for_each_view(models: Path, analysis: Path, folder: Path) -> None:
    for view in ("hard", "with_isr"):
        assert load_record(models / view)["view"]["name"] == view
        assert (models / view / "weights.safetensors").is_file()
    before = {path: path.stat().st_mtime_ns for path in models.rglob("*")}
    result = run("train", analysis, "-o", folder / "out")
    assert result.stdout.startswith("train: up to date: hard")
    assert {path: path.stat().st_mtime_ns for path in models.rglob("*")} == before


def test_samples_are_there_for_every_selected_event(samples: Path) -> None:
    file = SamplesFile.open(samples)
    assert file.num_events == 160
    assert file.metadata.counts["ok"] == 157
    assert file.metadata.view == "with_isr"
    (events,) = file.batches(size=1000)
    assert events.samples.momenta.shape == (160, 5, 4, 4)
    assert events.samples.momenta[4:].isfinite().all()
    assert events.samples.momenta[1:4].isnan().all()


@pytest.mark.parametrize(("view", "precision"), [("hard", "float32"), ("with_isr", "bfloat16")])
def test_batch_of_bad_events_only(models: Path, store: Path, tmp_path: Path, view: str, precision: str) -> None:
    """Batches of one event, some of which have nothing that can be unfolded."""
    config = SamplingConfig(samples_per_event=3, batch_events=1, max_events=8, precision=precision)
    result = sample_events(store, tmp_path / "samples.parquet", models, view, config, seed=1)
    assert result.counts["ok"] == 5


def test_same_seed_gives_the_same_samples(samples: Path, models: Path, store: Path, tmp_path: Path) -> None:
    arguments = ["sample", "--model", models / "with_isr", "--store", store, "--samples", 5]
    assert run(*arguments, "-o", tmp_path / "same.parquet").exit_code == 0
    assert run(*arguments, "-o", tmp_path / "other.parquet", "--seed", 2).exit_code == 0
    same, other = (pq.read_table(tmp_path / f"{name}.parquet").column("numbers") for name in ("same", "other"))
    assert same.equals(pq.read_table(samples).column("numbers"))
    assert not other.equals(same)


def test_nothing_is_sampled_twice(samples: Path, models: Path, store: Path) -> None:
    before = samples.stat().st_mtime_ns
    arguments = ["sample", "--model", models, "--store", store, "-o", samples, "--samples", 5, "--view", "with_isr"]
    assert run(*arguments).exit_code == 0
    assert samples.stat().st_mtime_ns == before
    assert run(*arguments, "--force").exit_code == 0
    assert samples.stat().st_mtime_ns > before


def fail(*arguments: object) -> str:
    result = run("sample", *arguments)
    assert result.exit_code == 1
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    return result.stderr


@pytest.mark.parametrize("name", ["weights.safetensors", "model.json"])
@pytest.mark.parametrize("damage", ["cut", "changed", "missing"])
def test_damaged_model(models: Path, store: Path, tmp_path: Path, name: str, damage: str) -> None:
    folder = tmp_path / "hard"
    shutil.copytree(models / "hard", folder)
    path, content = folder / name, (folder / name).read_bytes()
    path.unlink()
    if damage == "cut":
        path.write_bytes(content[: len(content) // 2])
    elif damage == "changed":
        path.write_bytes(content[:-40] + bytes(byte ^ 1 for byte in content[-40:-20]) + content[-20:])
    message = fail("--model", folder, "--store", store, "-o", tmp_path / "samples.parquet")
    assert str(folder) in message
    assert not (tmp_path / "samples.parquet").exists()


def test_model_that_is_not_there(models: Path, store: Path, tmp_path: Path) -> None:
    rest = ("--store", store, "-o", tmp_path / "samples.parquet")
    assert f"there is no folder {tmp_path / 'absent'}" in fail("--model", tmp_path / "absent", *rest)
    assert "samples the view 'hard', but 'with_isr'" in fail("--model", models / "hard", "--view", "with_isr", *rest)
    shutil.copytree(models / "hard", tmp_path / "models" / "hard")
    message = fail("--model", tmp_path / "models", "--view", "with_isr", *rest)
    assert "holds no model of the view 'with_isr'" in message
    assert "it has: hard" in message


def test_events_of_another_collider(models: Path, tmp_path: Path) -> None:
    process = type(PROCESS)(PROCESS.name, PROCESS.parton_names, PROCESS.parton_pdg, PROCESS.monomials, 8000.0)
    store = write_store(tmp_path / "events.parquet", events=10, process=process)
    message = fail("--model", models, "--store", store, "-o", tmp_path / "samples.parquet")
    assert "√S = 8000 GeV, the model knows 13000 GeV" in message


def test_output_that_is_the_store(models: Path, store: Path) -> None:
    before = store.read_bytes()
    assert "give the samples a file of their own" in fail("--model", models, "--store", store, "-o", store)
    assert store.read_bytes() == before


def test_store_that_is_not_there(models: Path, tmp_path: Path) -> None:
    message = fail("--model", models, "--store", tmp_path / "absent.parquet", "-o", tmp_path / "samples.parquet")
    assert "absent.parquet" in message


@pytest.mark.parametrize("command", ["train", "sample"])
def test_analysis_without_the_section(tmp_path: Path, command: str) -> None:
    path = tmp_path / "analysis.yaml"
    path.write_text("name: toy\n", encoding="utf-8")
    result = run(command, path, "-o", tmp_path / "out")
    assert result.exit_code == 1
    assert f"has no step '{command}'" in result.stderr


class Process:
    """A command as a process of its own, killed when something has happened."""

    def __init__(self, *arguments: object) -> None:
        command = [Path(sys.executable).parent / "partonic", *map(str, arguments)]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def kill_when(self, happened: Callable[[], bool]) -> int:
        deadline = time.monotonic() + 200
        while not happened() and self.process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.002)
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.process.pid, signal.SIGKILL)
        return self.process.wait()


@pytest.mark.slow
def test_killed_sampling_goes_on(models: Path, store: Path, tmp_path: Path) -> None:
    # 20,000 samples for each event: batches of 12 events
    arguments = ["sample", "--model", models / "hard", "--store", store, "--samples", 20_000, "--max-events", 30]
    whole, killed = tmp_path / "whole.parquet", tmp_path / "killed.parquet"
    assert run(*arguments, "-o", whole).exit_code == 0
    parts = tmp_path / "killed.parquet.parts"
    assert Process(*arguments, "-o", killed).kill_when(lambda: bool(list(parts.glob("*/part-*")))) == -signal.SIGKILL
    assert not killed.exists()
    assert parts.exists()
    assert run(*arguments, "-o", killed).exit_code == 0
    assert pq.read_table(killed).equals(pq.read_table(whole))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["killed.parquet", "whole.parquet"]


@pytest.mark.slow
def test_killed_training_goes_on(models: Path, analysis: Path, tmp_path: Path) -> None:
    output = tmp_path / "killed"
    for phase in ("phases/provenance", "hard/phases/joint"):
        killed = Process("train", analysis, "-o", output)
        assert killed.kill_when((output / "train" / phase).exists) == -signal.SIGKILL
    assert not (output / "train" / "with_isr").exists()
    result = run("train", analysis, "-o", output)
    assert result.exit_code == 0, result.stderr
    for view in ("hard", "with_isr"):
        expected, found = (load_file(place / view / "weights.safetensors") for place in (models, output / "train"))
        assert expected.keys() == found.keys()
        assert all(found[name].equal(values) for name, values in expected.items())
