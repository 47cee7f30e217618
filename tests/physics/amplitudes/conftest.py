"""Matrix elements of the external generator, generated once for all tests and all workers."""

import os
import runpy
from pathlib import Path

import pytest

from partonic.physics.amplitudes.ufo import ExternalMatrixElement, ExternalModel, GenerationOptions

write_top_model = runpy.run_path(str(Path(__file__).with_name("top_model.py")))["write_top_model"]


@pytest.fixture(scope="session")
def generator_cache(tmp_path_factory) -> Path:
    """Folder of generated matrix elements, shared by the workers of one test run."""
    base = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        base = base.parent
    folder = base / "matrix_elements"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def top_model(tmp_path_factory) -> ExternalModel:
    """QCD with a Higgs boson and the three anomalous couplings of ttH, see `top_model.py`."""
    return ExternalModel(source=write_top_model(tmp_path_factory.mktemp("model") / "top_model.json"))


@pytest.fixture(scope="session")
def generation(generator_cache) -> GenerationOptions:
    """At most one new coupling in an amplitude; kept in the cache of this test run."""
    return GenerationOptions(orders={"QCD": 2, "QED": 1, "NP": 1}, cache=generator_cache)


@pytest.fixture(scope="session")
def tth_generator(top_model, generation) -> dict[str, ExternalMatrixElement]:
    """External matrix elements of g g -> H t tbar, with colour flows, and of u ubar -> H t tbar."""
    processes = {"gg": "g g > H t t~", "uubar": "u u~ > H t t~"}
    return {
        name: ExternalMatrixElement.generate(process, top_model, options=generation, colour_flows=name == "gg")
        for name, process in processes.items()
    }
