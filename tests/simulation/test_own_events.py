"""Events of our own generator: what the event file says about channel, colour flow and θ must arrive in the store."""

from pathlib import Path

import numpy as np
import pytest
import torch
from tests.simulation.own_lhe import own_events, write_own

from partonic.config.simulation import SimulationConfig
from partonic.events.schema import ProcessInfo
from partonic.events.store import EventStore
from partonic.processes.definition import build_process
from partonic.processes.tth.settings import TthConfig
from partonic.simulation.pipeline import simulate

EVENTS = 40
TTH = ("delta_kappa_t", "kappa_tilde_t", "c_tG")


@pytest.fixture(scope="module")
def process():
    return build_process(TthConfig())


@pytest.fixture(scope="module")
def events(process):
    return own_events(process, EVENTS)


@pytest.fixture(scope="module")
def store(process, events, tmp_path_factory):
    folder: Path = tmp_path_factory.mktemp("own")
    write_own(folder / "events.lhe.gz", process, events)
    config = SimulationConfig(workers=1)
    simulate(folder / "events.lhe.gz", ProcessInfo.of(process), config, 1, folder / "events.parquet")
    return EventStore.open(folder / "events.parquet")


def test_hard_process_arrives(store, process, events):
    batch = store.read(["channel", "colour_flow", "initial_pdg", "partons", "x1", "x2", "scale", "alpha_s"])
    assert np.array_equal(batch.column("channel"), events.channel.numpy())
    assert np.array_equal(batch.column("colour_flow"), events.colour_flow.numpy())
    assert set(events.colour_flow[events.channel == 0].tolist()) == {0, 1}
    initial = [process.channels[index].initial for index in events.channel.tolist()]
    assert np.array_equal(batch.column("initial_pdg"), initial)
    partons = batch.partons()
    torch.testing.assert_close(partons.momenta, events.momenta, rtol=1e-12, atol=1e-9)
    torch.testing.assert_close(partons.x1, events.x1, rtol=1e-12, atol=0)
    torch.testing.assert_close(torch.from_numpy(batch.column("alpha_s").copy()), events.alpha_s)


def test_coefficients_arrive_with_the_branching_fraction(store, events):
    batch = store.read(["coefficients", "weight"])
    fraction = store.metadata.facts["branching_fraction"]
    expected = events.coefficients.numpy() * fraction / EVENTS
    size = np.abs(expected).max(axis=1, keepdims=True)
    assert np.max(np.abs(batch.coefficients - expected) / size) < 1e-12
    np.testing.assert_allclose(batch.weight, expected[:, 0], rtol=1e-12)
    # 2 × 2 × 0.1086 × 0.6741 for one W to e or μ and the other to quarks, 0.5824 for H → bb
    assert fraction == pytest.approx(4 * 0.1086 * 0.6741 * 0.5824)
