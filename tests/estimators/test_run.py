"""The run over a store with an estimator that is none of the package's: it knows the interface and nothing else."""

from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from tests.inference.line_toy import MONOMIALS, coefficients, draw, write_store

from partonic.errors import EventFileError, OutputError, ParameterError, SchemaError
from partonic.estimators.estimator import Estimator, EstimatorJob
from partonic.estimators.run import estimate_store
from partonic.estimators.truth import TruthEstimator, truth_job
from partonic.event_status import OK
from partonic.events.store import EventStore
from partonic.inference.coefficients.coefficients_file import read_coefficients
from partonic.inference.coefficients.diagnostics import Diagnostics
from partonic.inference.coefficients.event_coefficients import EventCoefficients
from partonic.inference.coefficients.rate import FiducialRate
from partonic.inference.coefficients.truth import truth_coefficients


@dataclass
class Settings:
    workers: int | None = 1
    scheduler: str | None = None
    device: str = "cpu"
    batch_events: int = 7
    max_events: int | None = None


@dataclass
class Counting:
    """The ratios of truth with an error; every fifth event is beyond it. It stops at an event if it is told to."""

    stop: int | None = None
    calls: list[int] = field(default_factory=list)
    source = "counting"
    monomials = MONOMIALS
    reference_point = {}  # noqa: RUF012
    columns = ("coefficients",)

    def check(self, metadata, where):
        if metadata.process != "toy":
            raise SchemaError(f"{where} is of '{metadata.process}'")

    def estimate(self, batch):
        numbers = batch.column("event_id").astype(np.int64)
        if self.stop is not None and self.stop in numbers:
            raise KeyboardInterrupt
        self.calls += numbers.tolist()
        bad = numbers % 5 == 0
        ratios = np.where(bad[:, None], np.nan, batch.coefficients / batch.coefficients[:, :1])
        return EventCoefficients(
            monomials=MONOMIALS, event_id=numbers, ratios=ratios, log_reference=np.where(bad, np.nan, 0.0),
            covariance=np.zeros((len(batch), 6, 6)), status=tuple("too hard" if each else OK for each in bad),
            relative_error=np.full(len(batch), 0.1), source=self.source,
            diagnostics=Diagnostics({"loss": numbers / 2, "layers": numbers}),
        )  # fmt: skip

    def cross_section(self):
        return None

    def facts(self):
        return {"layers": 3}

    def figures(self, coefficients):
        return {"loss": float(coefficients.diagnostics.columns["loss"].max())}

    def quality(self, coefficients):
        return {}


def job(estimator: Counting, **changes: object) -> EstimatorJob:
    facts = {"name": "toy", "source": "counting", "fingerprint": "f" * 64, "reads_objects": False}
    return EstimatorJob(**(facts | changes), load=partial(_itself, estimator))


def _itself(estimator: Counting, device: str) -> Counting:
    return estimator


@pytest.fixture
def store(tmp_path: Path, rng: np.random.Generator) -> Path:
    return write_store(tmp_path / "events.parquet", draw(rng, 30)).path


def test_estimators_have_the_interface(store: Path) -> None:
    assert isinstance(Counting(), Estimator)
    assert isinstance(TruthEstimator(EventStore.open(store), {}), Estimator)


def test_all_that_the_estimator_says_is_in_the_file(store: Path, tmp_path: Path) -> None:
    result = estimate_store(store, job(Counting(), seed=3), Settings(), tmp_path / "toy.parquet")
    found, metadata = read_coefficients(result.path)
    assert found.event_id.tolist() == list(range(30))
    assert [number for number in range(30) if found.status[number] != OK] == [0, 5, 10, 15, 20, 25]
    assert {name: values.dtype.kind for name, values in found.diagnostics.columns.items()} == {
        "loss": "f",
        "layers": "i",
    }
    np.testing.assert_array_equal(found.diagnostics.columns["loss"], np.arange(30) / 2)
    assert (metadata.source, metadata.seed, metadata.facts["layers"]) == ("counting", 3, 3)
    assert metadata.facts["counts"] == result.counts == {"too hard": 6, OK: 24}
    assert result.figures == {"loss": 14.5}
    assert str(result) == f"24 events; without coefficients: 6 too hard, in {tmp_path / 'toy.parquet'}"


def test_interrupted_run_goes_on_where_it_was(store: Path, tmp_path: Path) -> None:
    output = tmp_path / "toy.parquet"
    with pytest.raises(KeyboardInterrupt):
        estimate_store(store, job(Counting(stop=15)), Settings(), output)
    rest = Counting()
    estimate_store(store, job(rest), Settings(), output)
    assert rest.calls == list(range(14, 30))
    assert not list(tmp_path.glob("*.parts"))
    estimate_store(store, job(rest), Settings(batch_events=100), output)
    assert len(rest.calls) == 16  # nothing that matters has changed
    estimate_store(store, job(rest, settings={"layers": 4}), Settings(), output)
    estimate_store(store, job(rest, fingerprint="e" * 64), Settings(), output)
    assert len(rest.calls) == 16 + 2 * 30


def test_first_events_only(store: Path, tmp_path: Path) -> None:
    estimate_store(store, job(Counting()), Settings(max_events=10), tmp_path / "toy.parquet")
    assert len(read_coefficients(tmp_path / "toy.parquet")[0]) == 10


def test_truth_over_a_store_is_truth(store: Path, tmp_path: Path) -> None:
    estimate_store(store, truth_job(store), Settings(), tmp_path / "truth.parquet")
    (found, metadata), expected = (
        read_coefficients(tmp_path / "truth.parquet"),
        truth_coefficients(EventStore.open(store)),
    )
    np.testing.assert_array_equal(found.ratios, expected.ratios)
    np.testing.assert_array_equal(found.log_reference, expected.log_reference)
    assert metadata.cross_section == FiducialRate.from_store(EventStore.open(store)).record()
    assert (found.source, found.status, found.diagnostics.columns) == ("truth", expected.status, {})


def test_what_does_not_fit_is_refused(store: Path, tmp_path: Path, rng: np.random.Generator) -> None:
    with pytest.raises(OutputError, match="is the event store"):
        estimate_store(store, job(Counting()), Settings(), store)
    with pytest.raises(EventFileError, match=r"parton-level events only|lack the columns|no selected event"):
        estimate_store(store, job(Counting(), reads_objects=True), Settings(), tmp_path / "objects.parquet")
    none = write_store(tmp_path / "none.parquet", draw(rng, 3), selected=np.zeros(3, dtype=np.bool_)).path
    with pytest.raises(EventFileError, match="nothing to estimate"):
        estimate_store(none, job(Counting()), Settings(), tmp_path / "none_out.parquet")


def test_diagnostics_are_one_number_an_event(rng: np.random.Generator) -> None:
    events = coefficients(draw(rng, 4))
    with pytest.raises(ParameterError, match="must have 4 numbers"):
        EventCoefficients(**(vars(events) | {"diagnostics": Diagnostics({"loss": np.zeros(3)})}))
    with pytest.raises(ParameterError, match="one float64 or int64 number an event"):
        Diagnostics({"loss": np.zeros((4, 2))})
    with pytest.raises(ParameterError, match="cannot join events with the diagnostics"):
        Diagnostics.concatenate([Diagnostics({"loss": np.zeros(3)}), Diagnostics()])
