"""A library that the test compiles: u ubar → e- e+ through a photon and a contact term."""

import runpy
import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from partonic.config.reweighting import ReweightConfig
from partonic.errors import ConfigError, ParameterError, ProcessError
from partonic.events.readers.source import fixed_lists
from partonic.events.schema import ProcessInfo, StoreMetadata
from partonic.events.store import EventStore, EventWriter
from partonic.polynomial import Monomials
from partonic.reweighting.engine import Engine, open_engine
from partonic.reweighting.run import reweight_store

STANDALONE = runpy.run_path(str(Path(__file__).parents[1] / "physics" / "amplitudes" / "test_standalone.py"))
ENERGY = 13_000.0


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    if shutil.which("cc") is None and shutil.which("gcc") is None:
        pytest.skip("no C compiler to build the test's library")
    folder = tmp_path_factory.mktemp("library")
    (folder / "param_card.dat").write_text(STANDALONE["CARD"])
    source = STANDALONE["SOURCE"] + STANDALONE["ONE_PROCESS"]
    return STANDALONE["compile_library"](folder, "libone", source)


@pytest.fixture
def store(tmp_path):
    """Events of e+ e- → mu- mu+, in an order other than that of the library."""
    rng = np.random.default_rng(4)
    cosine, energy, count = rng.uniform(-1, 1, 9), 200.0, 9
    sine = np.sqrt(1 - cosine**2)
    forward = energy / 2 * np.stack([np.ones(count), sine, np.zeros(count), cosine], axis=1)
    momenta = np.concatenate([forward, forward * [1, -1, -1, -1]], axis=1)
    metadata = StoreMetadata.for_process(
        ProcessInfo("external", ("antimuon", "muon"), (-13, 13), Monomials.constant(), ENERGY)
    )
    table = {
        "event_id": np.arange(count), "weight": np.full(count, 0.1), "x1": np.full(count, energy / ENERGY),
        "x2": np.full(count, energy / ENERGY), "partons": fixed_lists(momenta, pa.float64()),
        "coefficients": fixed_lists(np.full((count, 1), 0.1), pa.float64()),
        "initial_pdg": fixed_lists(np.array([[-11, 11], [11, -11], [-11, 11]] * 3), pa.int32()),
    }  # fmt: skip
    with EventWriter(tmp_path / "events.parquet", metadata) as writer:
        writer.write(pa.table(table))
    return tmp_path / "events.parquet"


def config(library, **changes):
    section = {
        "engine": "madgraph", "model": library, "card": library.parent / "param_card.dat", "workers": 1,
        "processes": [[11, -11, 13, -13]], "parameters": {"c": "contact"}, "strong_coupling": None, "trust_model": True,
    }  # fmt: skip
    return ReweightConfig.model_validate(section | changes)


def test_coefficients(tmp_path, store, library):
    """|M|² has the factor (1 + c)² everywhere."""
    result = reweight_store(store, config(library), tmp_path / "out.parquet")
    found = EventStore.open(result.path).read(["coefficients"]).coefficients
    np.testing.assert_allclose(found, np.tile([0.1, 0.2, 0.1], (9, 1)), rtol=1e-12)
    facts = EventStore.open(result.path).metadata.facts["reweighting"]
    assert (facts["engine"], facts["version"]) == ("madgraph", "")
    assert "madgraph" in str(result)


def test_it_is_an_engine(library):
    engine = open_engine(config(library))
    assert isinstance(engine, Engine)
    built = engine.build((-11, 11, -13, 13))
    assert built.element.particles == (11, -11, 13, -13)
    assert built.masses == (0.0, 0.0, 0.0, 0.0)
    assert built.blocks["contact"] == "NPINPUTS"
    other = open_engine(config(library, values={"aEWM1": 100.0}))
    assert other.fingerprint == engine.fingerprint
    assert other.build((11, -11, 13, -13)).element.parameters["aEWM1"] == 100.0


def test_what_is_refused(library):
    with pytest.raises(ConfigError, match=r"machine code.*--trust"):
        open_engine(config(library, trust_model=False))
    with pytest.raises(ProcessError, match=r"subprocess -2 2 > -13 13, but the library .* hold 11 -11 > 13 -13"):
        open_engine(config(library)).build((2, -2, 13, -13))
    with pytest.raises(ParameterError, match="'Lambda' is not on the parameter card"):
        open_engine(config(library, values={"Lambda": 1.0})).build((11, -11, 13, -13))
    with pytest.raises(ProcessError, match="parameter card not found"):
        open_engine(config(library, card=library.parent / "absent.dat"))
