"""Events of g g, u ubar and ubar u → H t t̄ with our own coefficients, and models that must reproduce them."""

import runpy
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import torch

from partonic.config.reweighting import ReweightConfig
from partonic.events.readers.source import fixed_lists
from partonic.events.schema import ProcessInfo, StoreMetadata
from partonic.events.store import EventWriter
from partonic.physics.particles import vacuum_expectation_value
from partonic.physics.phasespace.rambo import Rambo
from partonic.polynomial import Monomials
from partonic.processes.tth.amplitude import (
    TTH_PARAMETERS,
    TopHiggsCouplings,
    gluon_fusion_tth,
    quark_annihilation_tth,
)

HERE = Path(__file__).parent
write_ufo_model = runpy.run_path(str(HERE / "ufo_model.py"))["write_ufo_model"]
write_top_model = runpy.run_path(str(HERE.parent / "physics" / "amplitudes" / "top_model.py"))["write_top_model"]

ENERGY = 13_000.0
COUPLINGS = TopHiggsCouplings(172.5, 125.0, vacuum_expectation_value(1.16638e-5))
MODEL_NAMES = dict(zip(TTH_PARAMETERS, ("dkt", "ktt", "ctG"), strict=True))


def own_process(parameters=TTH_PARAMETERS):
    monomials = Monomials.up_to_degree(parameters, 2) if parameters else Monomials.constant()
    return ProcessInfo("external", ("H", "t", "tbar"), (25, 6, -6), monomials, ENERGY)


def own_events(initial, seed, count):
    """Return laboratory momenta of the final state, x1, x2, α_s and our coefficients of |M|²."""
    generator = torch.Generator().manual_seed(seed)
    random = lambda *shape: torch.rand(*shape, generator=generator, dtype=torch.float64)  # noqa: E731
    energy = 480.0 + 1500.0 * random(count) ** 2
    final, _ = Rambo((125.0, 172.5, 172.5)).forward(random(count, 5), energy)
    rapidity = 2.0 * random(count) - 1.0
    x1, x2 = energy / ENERGY * torch.exp(rapidity), energy / ENERGY * torch.exp(-rapidity)
    cosh, sinh = torch.cosh(rapidity)[:, None], torch.sinh(rapidity)[:, None]
    e, pz = final[..., 0], final[..., 3]
    lab = torch.stack([cosh * e + sinh * pz, final[..., 1], final[..., 2], sinh * e + cosh * pz], dim=-1)
    beams = torch.tensor([[1.0, 0, 0, 1], [1, 0, 0, -1]], dtype=torch.float64) * energy[:, None, None] / 2
    alpha_s = 0.09 + 0.03 * random(count)
    amplitude = gluon_fusion_tth(COUPLINGS) if initial == (21, 21) else quark_annihilation_tth(initial[0], COUPLINGS)
    return lab, x1, x2, alpha_s, amplitude.coefficients(torch.cat([beams, final], dim=1), alpha_s)


def own_table(initials, count, theta=(0.0, 0.0, 0.0)):
    """Return a table of `count` events of each of the initial states, with weights at θ and our coefficients."""
    monomials = Monomials.up_to_degree(TTH_PARAMETERS, 2)
    columns = {name: [] for name in ("partons", "x1", "x2", "alpha_s", "initial_pdg", "coefficients", "weight")}
    for seed, initial in enumerate(initials, start=1):
        lab, x1, x2, alpha_s, coefficients = own_events(initial, seed, count)
        weight = 1e-3 * (1.0 + np.arange(count) % 3) * np.where(np.arange(count) % 7 == 6, -1.0, 1.0)
        at_theta = coefficients.numpy() @ monomials.evaluate(list(theta))
        columns["partons"].append(lab.reshape(count, -1).numpy())
        columns["x1"].append(x1.numpy())
        columns["x2"].append(x2.numpy())
        columns["alpha_s"].append(alpha_s.numpy())
        columns["initial_pdg"].append(np.tile(initial, (count, 1)))
        columns["coefficients"].append(weight[:, None] * coefficients.numpy() / at_theta[:, None])
        columns["weight"].append(weight)
    joined = {name: np.concatenate(values) for name, values in columns.items()}
    kinds = {"partons": pa.float64(), "coefficients": pa.float64(), "initial_pdg": pa.int32()}
    table = {name: fixed_lists(values, kinds[name]) if name in kinds else values for name, values in joined.items()}
    return pa.table({"event_id": np.arange(len(joined["weight"])), **table})


def write_store(path, table, *, parameters=TTH_PARAMETERS, theta=None):
    """Write a store of the table; without parameters its coefficients are the weights, as of a file without weights."""
    metadata = StoreMetadata.for_process(own_process(parameters), theta=theta or {}, facts={"origin": "test"})
    if not parameters:
        place = table.schema.get_field_index("coefficients")
        weights = np.asarray(table.column("weight"))[:, None]
        table = table.set_column(place, "coefficients", fixed_lists(weights, pa.float64()))
    with EventWriter(path, metadata) as writer:
        writer.write(table)
    return path


@pytest.fixture(scope="session")
def ufo_model(tmp_path_factory):
    return write_ufo_model(tmp_path_factory.mktemp("ufo") / "TopHiggs_UFO")


@pytest.fixture(scope="session")
def serialized_model(tmp_path_factory):
    return write_top_model(tmp_path_factory.mktemp("model") / "top_model.json")


@pytest.fixture(scope="session")
def quark_table():
    return own_table([(2, -2), (-2, 2)], 12)


@pytest.fixture
def quark_store(tmp_path, quark_table):
    """Events of u ubar and ubar u without coefficients of θ."""
    return write_store(tmp_path / "without.parquet", quark_table, parameters=())


@pytest.fixture
def settings(ufo_model):
    """Return settings for the engine ufoamp; keywords change them."""

    def make(**changes):
        section = {
            "engine": "ufoamp", "model": ufo_model, "parameters": MODEL_NAMES, "orders": {"NP": 1},
            "trust_model": True, "workers": 1, "chunk_events": 10,
        }  # fmt: skip
        return ReweightConfig.model_validate(section | changes)

    return make


@pytest.fixture
def write_changed_model(tmp_path):
    """Return a function that writes the UFO model with some of its files changed by functions of their text."""

    def write(**changes):
        texts = runpy.run_path(str(HERE / "ufo_model.py"))["_FILES"]
        changed = {name: change(texts[name]) for name, change in changes.items()}
        return write_ufo_model(tmp_path / "Changed_UFO", **changed)

    return write
