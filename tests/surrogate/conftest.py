"""Parton events of tHq, and the store that the networks that ship for it make of them."""

from pathlib import Path

import pytest
from tests.simulation.own_lhe import own_events, write_own

from partonic.config.simulation import SimulationConfig
from partonic.events.schema import ProcessInfo
from partonic.processes.definition import build_process
from partonic.processes.thq.settings import ThqConfig
from partonic.surrogate.simulate import simulate_by_surrogate

PROCESS = ThqConfig(collider_energy=13600.0)
SETTINGS: dict[str, object] = {
    "decays": {"higgs": "gammagamma", "tops": "hadronic"},
    "jets": {"pt_min": 25.0, "eta_max": 4.7},
    "selection": {"leptons": 0, "photons": 2, "photon_pt_min": 25.0, "jets_min": 3, "b_tags_min": 1},
    "surrogate": {},
    "chunk_events": 100,
    "workers": 1,
}


def simulation(**changes: object) -> SimulationConfig:
    return SimulationConfig.model_validate({**SETTINGS, **changes})


@pytest.fixture(scope="session")
def parton_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """500 parton events with weights at θ points."""
    process = build_process(PROCESS)
    path = tmp_path_factory.mktemp("partons") / "events.lhe.gz"
    return write_own(path, process, own_events(process, 500))


@pytest.fixture(scope="session")
def drawn_store(parton_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the networks that ship make of them."""
    path = tmp_path_factory.mktemp("drawn") / "events.parquet"
    simulate_by_surrogate(parton_file, ProcessInfo.of_config(PROCESS), simulation(), 5, path)
    return path
