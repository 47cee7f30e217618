"""The classical method over a store: the interface, and the same numbers as without it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.mem.classical.test_integrator import FEW, integrator
from tests.mem.classical.toys import ToyProcess
from tests.unfolding.toys import write_store

from partonic.config.mem import MemConfig
from partonic.errors import SchemaError
from partonic.estimators.estimator import Estimator
from partonic.estimators.run import estimate_store
from partonic.events.batch import RECO_COLUMNS
from partonic.events.store import EventStore
from partonic.inference.coefficients.coefficients_file import read_coefficients
from partonic.mem.classical.estimator import ClassicalEstimator, classical_job

TINY = replace(FEW, points=200, adaptation_points=20, pilot_points=20, max_lost=2, max_assignments=2)


def test_run_over_a_store_has_the_numbers_of_the_integrator(tmp_path: Path) -> None:
    store = write_store(tmp_path / "events.parquet", events=7, faults=True)
    events = EventStore.open(store)
    machine = integrator(TINY, ToyProcess(collider_energy=events.metadata.collider_energy))
    job = classical_job(machine.hypothesis, machine.transfer, 3, "f" * 64, TINY)
    assert isinstance(job.load("cpu"), Estimator)
    settings = MemConfig(workers=1, batch_events=3)
    result = estimate_store(store, job, settings, tmp_path / "classical.parquet")
    found, metadata = read_coefficients(result.path)
    batch = events.read(["event_id", *RECO_COLUMNS], selected_only=True)
    numbers = batch.column("event_id").astype(np.int64)
    expected = machine.integrate(batch.reco(), numbers, 3)
    assert found.status == expected.status
    assert found.usable().any()
    assert not found.usable().all()
    np.testing.assert_allclose(found.ratios, expected.ratios, rtol=1e-9)
    assert (metadata.source, metadata.config["classical"]["points"]) == ("classical", 200)
    assert result.figures["points"] == expected.diagnostics.columns["points"].sum()


def test_events_at_another_energy_are_refused(tmp_path: Path) -> None:
    metadata = EventStore.open(write_store(tmp_path / "events.parquet")).metadata
    other = ToyProcess(collider_energy=metadata.collider_energy / 2)
    with pytest.raises(SchemaError, match=r"events.parquet has events at .* GeV, but the process"):
        ClassicalEstimator(integrator(TINY, other), 3).check(metadata, "events.parquet")
