"""Fractional smearing in the simulation: weights, copies, errors, interruptions, and without it nothing changes."""

import numpy as np
import pytest
from tests.simulation.own_lhe import own_events, write_own

from partonic.config.simulation import FractionalSmearingConfig, SimulationConfig
from partonic.errors import ConfigError
from partonic.events.schema import ProcessInfo
from partonic.events.store import NORMALISATION_ERROR, EventStore
from partonic.inference.coefficients.rate import FiducialRate
from partonic.processes.definition import build_process
from partonic.processes.tth.settings import TthConfig
from partonic.simulation import pipeline
from partonic.simulation.chunk import simulate_chunk
from partonic.simulation.pipeline import simulate

EVENTS = 60
CONFIG = SimulationConfig(workers=1, chunk_events=25, fractional_smearing=FractionalSmearingConfig(max_copies=5))


@pytest.fixture(scope="module")
def process():
    return build_process(TthConfig())


@pytest.fixture(scope="module")
def lhe(process, tmp_path_factory):
    events = own_events(process, EVENTS, spread=0.9)
    return write_own(tmp_path_factory.mktemp("lhe") / "events.lhe.gz", process, events)


@pytest.fixture(scope="module")
def smeared(process, lhe, tmp_path_factory):
    path = tmp_path_factory.mktemp("smeared") / "events.parquet"
    simulate(lhe, ProcessInfo.of(process), CONFIG, 1, path)
    return EventStore.open(path)


@pytest.fixture(scope="module")
def plain(process, lhe, tmp_path_factory):
    path = tmp_path_factory.mktemp("plain") / "events.parquet"
    simulate(lhe, ProcessInfo.of(process), CONFIG.model_copy(update={"fractional_smearing": None}), 1, path)
    return EventStore.open(path)


def whole(store):
    """All events of a small store in one batch."""
    (batch,) = store.batches()
    return batch


def test_copies_share_the_weights_of_their_parton_event(smeared, plain):
    copies, originals = whole(smeared), whole(plain)
    number = copies.column("parton_event")
    assert copies.column("event_id").tolist() == list(range(len(copies)))
    counts = np.bincount(number)
    assert counts.min() == 1
    assert 1 < counts.max() <= 5
    for name in ("weight", "coefficients"):
        values, expected = getattr(copies, name), getattr(originals, name)
        fractions = expected[number] / counts[number].reshape(-1, *[1] * (values.ndim - 1))
        np.testing.assert_allclose(values, fractions, rtol=1e-9, atol=1e-12 * np.abs(expected).max())
    momenta, of_partons = (np.stack(each.table.column("partons").to_pylist()) for each in (copies, originals))
    np.testing.assert_array_equal(momenta, of_partons[number])
    assert smeared.metadata.n_generated == len(copies)
    sums, expected = (each.metadata.cross_section.coefficients for each in (smeared, plain))
    np.testing.assert_allclose(sums, expected, rtol=1e-10, atol=1e-12 * max(expected))
    # copies tell nothing new of the cross section: its error is that of the parton events
    errors, of_originals = (np.array(each.metadata.cross_section.errors) for each in (smeared, plain))
    np.testing.assert_allclose(errors, of_originals, rtol=1e-6, atol=1e-9 * of_originals.max())


def test_copies_are_simulated_on_their_own(smeared):
    copies = whole(smeared)
    number = copies.column("parton_event")
    rows = np.flatnonzero(number == np.flatnonzero(np.bincount(number) > 1)[0])
    products = copies.table.column("decay_partons").take(rows).to_pylist()
    assert products[0] != products[1]


def test_errors_know_that_copies_belong_together(smeared):
    batch = whole(smeared)
    cut, weight, number = batch.column("cut"), batch.weight, batch.column("parton_event")
    for index, step in enumerate(smeared.metadata.cut_flow):
        kept = (cut < 0) | (cut >= index)
        sums = np.bincount(number[kept], weights=weight[kept])
        assert step.weight_error == pytest.approx(np.sqrt((sums**2).sum()))
    selected = batch.column("selected").astype(bool)
    if selected.any():
        rate = FiducialRate.from_store(smeared)
        sums = np.bincount(number[selected], weights=batch.coefficients[selected, 0], minlength=EVENTS)
        common = smeared.metadata.facts[NORMALISATION_ERROR]
        expected = (sums**2).sum() - sums.sum() ** 2 / EVENTS + (common * sums.sum()) ** 2
        assert rate.covariance[0, 0] == pytest.approx(expected)


def test_a_run_that_was_interrupted_gives_the_same(process, lhe, smeared, tmp_path, monkeypatch):
    def interrupted(job, number, *rest):
        if number == 1:
            raise KeyboardInterrupt
        return simulate_chunk(job, number, *rest)

    output = tmp_path / "events.parquet"
    monkeypatch.setattr(pipeline, "simulate_chunk", interrupted)
    with pytest.raises(KeyboardInterrupt):
        simulate(lhe, ProcessInfo.of(process), CONFIG, 1, output)
    monkeypatch.setattr(pipeline, "simulate_chunk", simulate_chunk)
    simulate(lhe, ProcessInfo.of(process), CONFIG, 1, output)
    assert whole(EventStore.open(output)).table.equals(whole(smeared).table)


def test_an_unknown_target_is_refused(process, lhe, tmp_path):
    smearing = FractionalSmearingConfig(targets=("c_W",))
    config = CONFIG.model_copy(update={"fractional_smearing": smearing})
    with pytest.raises(ConfigError, match="'c_W' is no monomial of the process"):
        simulate(lhe, ProcessInfo.of(process), config, 1, tmp_path / "events.parquet")


def test_settings_without_smearing_are_those_of_before():
    """Events from before it existed are known again."""
    assert "fractional_smearing" not in SimulationConfig().physics()
    assert SimulationConfig(fractional_smearing={}).physics()["fractional_smearing"]["threshold"] == 0.5
