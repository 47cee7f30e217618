"""The generated matrix elements: the same coefficients as ours and as those of the engine ufoamp."""

import numpy as np
import pytest
from tests.reweighting.conftest import own_table, write_store
from tests.reweighting.test_run import coefficients, deviation, own

from partonic.errors import ProcessError
from partonic.events.store import EventStore
from partonic.polynomial import Monomials
from partonic.reweighting.run import reweight_store

pytestmark = pytest.mark.slow  # matrix elements are generated first, some 20 s

VALUES = {"Gf": 1.16638e-5, "Lambda": 1000.0}
ORDERS = {"QCD": 2, "QED": 1, "NP": 1}


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def generated(settings, serialized_model, cache):
    """Return settings for the engine pyamplicol and the serialized model."""

    def make(*names, **changes):
        followers = {name: name for name in names}
        others = {name: 0.0 for name in ("delta_kappa_t", "kappa_tilde_t", "c_tG") if name not in names}
        own = {
            "engine": "pyamplicol", "model": serialized_model, "parameters": followers, "orders": ORDERS,
            "values": {**VALUES, **others}, "trust_model": False, "cache": cache,
        }  # fmt: skip
        return settings(**(own | changes))

    return make


def test_ten_coefficients_of_quark_annihilation_by_both_engines(
    tmp_path, generated, settings, quark_store, quark_table
):
    """The odd term of κ̃_t and c_tG too, whose sign the handedness of the generator turns."""
    config = generated("delta_kappa_t", "kappa_tilde_t", "c_tG")
    assert not config.runs_code
    result = reweight_store(quark_store, config, tmp_path / "generated.parquet")
    assert deviation(coefficients(result.path), own(quark_table)) < 1e-8
    python = reweight_store(quark_store, settings(), tmp_path / "python.parquet")
    assert deviation(coefficients(result.path), coefficients(python.path)) < 1e-8
    odd = Monomials.up_to_degree(("a", "b", "c"), 2).names.index("b*c")
    assert np.abs(own(quark_table)[:, odd] / own(quark_table)[:, 0]).max() > 1e-6
    facts = EventStore.open(result.path).metadata.facts["reweighting"]
    assert (facts["engine"], facts["version"]) == ("pyamplicol", "1.0.1")
    assert result.largest_residual < 1e-9


def test_yukawa_couplings_in_gluon_fusion_by_both_engines(tmp_path, generated, settings):
    """The generator has no t t g g vertex of the dipole; without the dipole it is exact."""
    table = own_table([(21, 21)], 3)
    store = write_store(tmp_path / "without.parquet", table, parameters=())
    config = generated("delta_kappa_t", "kappa_tilde_t")
    result = reweight_store(store, config, tmp_path / "generated.parquet")
    expected = own(table)[:, [0, 1, 2, 4, 5, 7]]
    assert deviation(coefficients(result.path), expected) < 1e-8
    of_python = {"parameters": {"delta_kappa_t": "dkt", "kappa_tilde_t": "ktt"}, "values": {"ctG": 0.0}}
    python = reweight_store(store, settings(**of_python), tmp_path / "python.parquet")
    assert deviation(coefficients(result.path), coefficients(python.path)) < 1e-8


def test_processes_that_the_model_does_not_contain(tmp_path, generated):
    store = write_store(tmp_path / "without.parquet", own_table([(1, -1)], 3), parameters=())
    with pytest.raises(ProcessError, match=r"no particle with PDG identifier -1, 1.*has the particles .*u \(2\)"):
        reweight_store(store, generated("c_tG"), tmp_path / "out.parquet")
    store = write_store(tmp_path / "same.parquet", own_table([(2, 2)], 3), parameters=())
    with pytest.raises(
        ProcessError, match=r"no amplitude for \[\[2, 2\], \[-6, 6, 25\]\].*has the particles .*u \(2\)"
    ):
        reweight_store(store, generated("c_tG"), tmp_path / "out.parquet")
