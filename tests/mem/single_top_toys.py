"""Event stores of toy tHq events, t → bqq' and H → γγ: jets and photons are smeared decay products."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import torch
from tests.mem.channel_toys import _fixed, _objects

from partonic.config.simulation import SimulationConfig
from partonic.events.schema import ProcessInfo, StoreMetadata
from partonic.events.store import EventWriter
from partonic.physics.phasespace import PartonCube
from partonic.processes.thq.settings import ThqConfig

PROCESS = ProcessInfo.of_config(ThqConfig())
CUBE = PartonCube((125.0, 172.5, 0.0), PROCESS.collider_energy)
SIMULATION = SimulationConfig.model_validate(
    {
        "decays": {"higgs": "gammagamma", "tops": "hadronic"},
        "jets": {"pt_min": 0.01, "eta_max": 20.0},
        "selection": {
            "leptons": 0, "photons": 2, "photon_pt_min": 0.01, "photon_eta_max": 20.0, "jets_min": 3, "b_tags_min": 1,
        },
    }
)  # fmt: skip
"""Cuts that all toy events pass."""

_PHOTONS, _JETS = (0.55, 0.45), (0.4, 0.35, 0.25)
"""Shares of the momentum of H and of t."""


def write_single_top_store(
    path: Path, events: int = 300, seed: int = 1, *, photons: bool = True, higgs: str = "gammagamma"
) -> Path:
    """Write toy events; every fifth is rejected."""
    simulation = SIMULATION.model_dump(mode="json")
    simulation["decays"] = {**simulation["decays"], "higgs": higgs}
    metadata = StoreMetadata.for_process(PROCESS, seed=seed, config={"simulation": simulation})
    with EventWriter(path, metadata.model_copy(update={"photons": photons}), row_group=100) as writer:
        writer.write(_table(events, np.random.default_rng(seed), photons=photons))
    return path


def _table(count: int, rng: np.random.Generator, *, photons: bool) -> pa.Table:
    partons, _ = CUBE.partons(torch.from_numpy(rng.uniform(0.2, 0.8, (count, CUBE.dimensions))))
    three, selected = partons.momenta.numpy()[..., 1:], np.arange(count) % 5 != 4
    higgs, top, quark = three.transpose(1, 0, 2)
    jets = np.stack([*(share * top for share in _JETS), quark], axis=1)
    of_higgs = np.stack([share * higgs + 20.0 * rng.normal(size=higgs.shape) for share in _PHOTONS], axis=1)
    columns = {
        "event_id": np.arange(count),
        "weight": np.full(count, 0.5 / count),
        "coefficients": _fixed(rng.uniform(0.1, 1.0, (count, len(PROCESS.monomials)))),
        "partons": _fixed(partons.momenta.flatten(1).numpy()),
        "x1": partons.x1.numpy(),
        "x2": partons.x2.numpy(),
        "initial_pdg": _fixed(np.tile(np.array([2, 5], dtype=np.int32), (count, 1))),
        "hadronic_top": pa.array(np.zeros(count, dtype=int), pa.int8()),
        "selected": pa.array(selected),
        "cut": pa.array(np.where(selected, -1, 2), pa.int8()),
        "met_pt": pa.array(rng.uniform(5.0, 40.0, count).astype(np.float32), mask=~selected),
        "met_phi": pa.array(rng.uniform(-3.0, 3.0, count).astype(np.float32), mask=~selected),
    }
    no_leptons = np.zeros((count, 0, 4))
    columns |= _objects("jet", jets, selected, rng) | _objects("lepton", no_leptons, selected, rng)
    return pa.table(columns | (_photons(of_higgs, selected, rng) if photons else {}))


def _photons(momenta: np.ndarray, selected: np.ndarray, rng: np.random.Generator) -> dict[str, pa.Array]:
    with_charge = np.concatenate([momenta, np.zeros((*momenta.shape[:2], 1))], axis=-1)
    found = _objects("photon", with_charge, selected, rng)
    isolation = found.pop("photon_mass")
    numbers = {name: found[name] for name in ("photon_pt", "photon_eta", "photon_phi")}
    return numbers | {"photon_isolation": isolation}
