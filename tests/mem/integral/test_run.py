"""Integrating the events of a store: parts, resuming, workers, and what does not fit together."""

import math
import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.mem.toys import LinearGaussian, NormalView, PosteriorProposal, config_of, ingredients_of
from tests.unfolding.toys import PROCESS, write_store
from torch import Tensor

from partonic.config.mem import MemConfig, PointsConfig
from partonic.errors import ConfigError, EventFileError, SchemaError
from partonic.events.batch import RecoEvents
from partonic.events.schema import ProcessInfo
from partonic.events.store import EventStore
from partonic.features.event_status import event_status
from partonic.inference.coefficients.coefficients_file import CrossSectionRecord, read_coefficients
from partonic.inference.coefficients.event_coefficients import EventCoefficients
from partonic.mem.integral.integrand import Ingredients
from partonic.mem.integral.run import MemJob, integrate_store
from partonic.processes.tth.settings import TthConfig
from partonic.trained.schema_record import SchemaRecord

CONFIG = config_of(points=200, batch_events=7, workers=1)


class Counting(PosteriorProposal):
    """A proposal that counts events and stops where it is told."""

    schema = SchemaRecord.of(PROCESS)

    def __init__(self, toy: LinearGaussian, stop: int | None = None) -> None:
        super().__init__(toy, NormalView(toy.dimensions))
        self.stop, self.events = stop, 0

    def status(self, x: RecoEvents) -> tuple[str, ...]:
        if self.stop is not None and self.events >= self.stop:
            raise KeyboardInterrupt
        self.events += len(x)
        return event_status(x)


class OfJets(LinearGaussian):
    """The toy whose x are η and φ of the first jet."""

    def x(self, reco: RecoEvents) -> Tensor:
        return reco.jets[:, 0, 1:3].double()


def load(device: str, stop: int | None = None, **changes: object) -> Ingredients:
    toy = OfJets(2)
    return ingredients_of(toy, Counting(toy, stop), **changes)


def job(fingerprint: str = "f" * 64, **changes: object) -> MemJob:
    return MemJob("toy", fingerprint, partial(load, **changes))


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return write_store(tmp_path / "events.parquet", faults=True)


def same(first: Path, second: Path) -> None:
    (a, _), (b, _) = read_coefficients(first), read_coefficients(second)
    assert a.status == b.status
    np.testing.assert_array_equal(a.event_id, b.event_id)
    np.testing.assert_allclose(a.ratios, b.ratios, rtol=1e-9)
    np.testing.assert_allclose(a.log_reference, b.log_reference, rtol=1e-9)


def test_one_row_for_each_selected_event(store: Path, tmp_path: Path) -> None:
    output = tmp_path / "mem" / "toy.parquet"
    result = integrate_store(store, job(), CONFIG, 3, output)
    found, metadata = read_coefficients(output)
    assert found.event_id.tolist() == [number for number in range(60) if number % 5 != 4]
    assert [number for number, word in zip(found.event_id, found.status, strict=True) if word != "ok"] == [1, 2, 3]
    assert np.isnan(found.ratios[1:4]).all()
    assert metadata.source == "mem"
    assert metadata.monomials.names == ("1", "first", "second", "first^2", "first*second", "second^2")
    assert metadata.seed == 3
    assert metadata.config["mem"]["points"]["maximum"] == 200
    assert metadata.facts["counts"] == {
        "ok": 45,
        "a jet is NaN or infinite": 1,
        "the missing transverse momentum is NaN or infinite": 1,
        "fewer than 4 jets": 1,
    }
    assert metadata.facts["figures"]["points"] == 45 * 200
    assert not list(output.parent.glob("*.parts"))
    assert str(result).startswith("45 events, median error of P_0 ")
    assert "; without coefficients: 1 a jet is NaN or infinite, 1 fewer than 4 jets, " in str(result)
    assert str(result).endswith(f", in {output}")


def test_result_is_that_of_the_events_alone(store: Path, tmp_path: Path) -> None:
    """Values of the toy, whatever the number of the batch."""
    integrate_store(store, job(), CONFIG, 3, tmp_path / "toy.parquet")
    found, _ = read_coefficients(tmp_path / "toy.parquet")
    names = EventStore.open(store).metadata.event_schema.arrow().names
    reco = EventStore.open(store).read(names, selected_only=True).reco()
    log_reference, ratios = OfJets(2).truth(reco)
    good = found.usable()
    pulls = (found.log_reference - log_reference)[good] / found.relative_error[good]
    assert abs(pulls.mean()) < 4 / math.sqrt(len(pulls))
    assert pulls.std() < 1.6
    error = np.sqrt(found.covariance[good, 1, 1])
    assert np.abs((found.ratios - ratios)[good, 1] / error).max() < 5


def test_killed_run_goes_on_with_the_same_result(store: Path, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        integrate_store(store, job(stop=20), CONFIG, 3, tmp_path / "stopped.parquet")
    assert not (tmp_path / "stopped.parquet").exists()
    assert len(list((tmp_path / "stopped.parquet.parts").glob("*/part-*.parquet"))) == 3
    rest = load("cpu")
    integrate_store(store, MemJob("toy", "f" * 64, lambda _: rest), CONFIG, 3, tmp_path / "stopped.parquet")
    assert rest.proposal.events == 48 - 3 * 7
    integrate_store(store, job(), CONFIG, 3, tmp_path / "whole.parquet")
    same(tmp_path / "stopped.parquet", tmp_path / "whole.parquet")


def test_finished_run_is_not_repeated_and_another_one_is(store: Path, tmp_path: Path) -> None:
    output, ingredients = tmp_path / "toy.parquet", load("cpu")
    again = MemJob("toy", "f" * 64, lambda _: ingredients)
    first = integrate_store(store, again, CONFIG, 3, output)
    assert integrate_store(store, again, CONFIG, 3, output) == first
    other_batches = CONFIG.model_copy(update={"batch_events": 100, "points": CONFIG.points})
    assert integrate_store(store, again, other_batches, 3, output) == first
    assert ingredients.proposal.events == 48
    integrate_store(store, again, CONFIG, 4, output)
    integrate_store(store, job("e" * 64), CONFIG, 4, output)
    assert ingredients.proposal.events == 2 * 48


def test_batches_do_not_change_the_result(store: Path, tmp_path: Path) -> None:
    for size in (1, 13, 100):
        config = CONFIG.model_copy(update={"batch_events": size})
        integrate_store(store, job(), config, 3, tmp_path / f"{size}.parquet")
    same(tmp_path / "1.parquet", tmp_path / "13.parquet")
    same(tmp_path / "1.parquet", tmp_path / "100.parquet")


def test_first_events_only(store: Path, tmp_path: Path) -> None:
    config = CONFIG.model_copy(update={"max_events": 10})
    integrate_store(store, job(), config, 3, tmp_path / "few.parquet")
    integrate_store(store, job(), CONFIG, 3, tmp_path / "all.parquet")
    few, whole = (read_coefficients(tmp_path / f"{name}.parquet")[0] for name in ("few", "all"))
    np.testing.assert_array_equal(few.event_id, whole.event_id[:10])
    np.testing.assert_array_equal(few.log_reference, whole.log_reference[:10])


def test_error_asked_for_and_not_reached_is_said(store: Path, tmp_path: Path) -> None:
    points = PointsConfig(first=100, maximum=200, relative_error=0.001)
    result = integrate_store(
        store, job(), MemConfig(points=points, base=CONFIG.base, workers=1), 3, tmp_path / "toy.parquet"
    )
    assert "45 above the error asked for" in str(result)
    assert result.counts["ok"] == 45


def test_cross_section_is_kept(store: Path, tmp_path: Path) -> None:
    record = CrossSectionRecord(coefficients=(1.0,) * 6, covariance=((0.0,) * 6,) * 6)
    work = MemJob("toy", "f" * 64, load, cross_section=lambda _: record)
    integrate_store(store, work, CONFIG, 3, tmp_path / "toy.parquet")
    assert read_coefficients(tmp_path / "toy.parquet")[1].cross_section == record


def test_no_selected_event(tmp_path: Path) -> None:
    store = write_store(tmp_path / "empty.parquet", events=0)
    with pytest.raises(EventFileError, match="has no events, so there is nothing to integrate"):
        integrate_store(store, job(), CONFIG, 3, tmp_path / "toy.parquet")


def test_store_of_another_collider_is_refused(tmp_path: Path) -> None:
    process = ProcessInfo.of_config(TthConfig(collider_energy=14_000.0))
    store = write_store(tmp_path / "other.parquet", process=process)
    with pytest.raises(SchemaError, match="√S = 14000 GeV, the model knows 13000 GeV"):
        integrate_store(store, job(), CONFIG, 3, tmp_path / "toy.parquet")


def test_device_that_is_not_there(store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    config = CONFIG.model_copy(update={"device": "cuda"})
    with pytest.raises(ConfigError, match="no CUDA device"):
        integrate_store(store, job(), config, 3, tmp_path / "toy.parquet")
    integrate_store(store, job(), CONFIG.model_copy(update={"device": "auto"}), 3, tmp_path / "toy.parquet")


def main(store: str, output: str) -> None:
    """The rest of a process that is killed at its third batch."""
    ingredients = load("cpu")
    calls = iter(range(100))
    density = ingredients.transfer.log_density

    def log_density(x: RecoEvents, momenta: Tensor) -> Tensor:
        if next(calls) == 2:
            os.kill(os.getpid(), signal.SIGKILL)
        return density(x, momenta)

    ingredients.transfer.log_density = log_density
    config = CONFIG.model_copy(update={"points": PointsConfig(first=200, maximum=200)})
    integrate_store(Path(store), MemJob("toy", "f" * 64, lambda _: ingredients), config, 3, Path(output))


def test_sigkill_leaves_whole_parts_only(store: Path, tmp_path: Path, repository: Path) -> None:
    output = tmp_path / "toy.parquet"
    command = f"from tests.mem.integral.test_run import main; main({str(store)!r}, {str(output)!r})"
    done = subprocess.run([sys.executable, "-c", command], cwd=repository, check=False)
    assert done.returncode == -signal.SIGKILL
    parts = sorted(output.with_name("toy.parquet.parts").glob("*/*"))
    assert [part.name for part in parts] == ["part-000000.parquet", "part-000001.parquet"]
    config = CONFIG.model_copy(update={"points": PointsConfig(first=200, maximum=200)})
    integrate_store(store, job(), config, 3, output)
    integrate_store(store, job(), config, 3, tmp_path / "whole.parquet")
    same(output, tmp_path / "whole.parquet")


@pytest.mark.slow
def test_workers_give_the_same_result(store: Path, tmp_path: Path) -> None:
    integrate_store(store, job(), CONFIG, 3, tmp_path / "one.parquet")
    two = CONFIG.model_copy(update={"workers": 2})
    integrate_store(store, job(), two, 3, tmp_path / "two.parquet")
    same(tmp_path / "one.parquet", tmp_path / "two.parquet")


def test_coefficients_of_parts_join(store: Path, tmp_path: Path) -> None:
    integrate_store(store, job(), CONFIG, 3, tmp_path / "toy.parquet")
    found, _ = read_coefficients(tmp_path / "toy.parquet")
    assert isinstance(found, EventCoefficients)
    assert set(found.diagnostics.columns["points"][found.usable()]) == {200}
