"""Whole runs: our own events get our own coefficients back; resumption; what is refused."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pyarrow as pa
import pytest
from tests.reweighting.conftest import MODEL_NAMES, own_table, write_store

from partonic.errors import ConfigError, EventFileError, OutputError, ParameterError, ProcessError
from partonic.events.store import EventStore
from partonic.reweighting import run
from partonic.reweighting.run import reweight_store

TTH = tuple(MODEL_NAMES)


def coefficients(path):
    return EventStore.open(path).read(["coefficients"]).coefficients


def own(table):
    return np.array(table.column("coefficients").to_pylist())


def deviation(found, expected):
    """Largest deviation of a coefficient, in units of the largest of its event."""
    return (np.abs(found - expected) / np.abs(expected).max(axis=1, keepdims=True)).max()


def test_quark_annihilation_gets_its_coefficients_back(tmp_path, quark_store, quark_table, settings):
    result = reweight_store(quark_store, settings(), tmp_path / "out.parquet")
    assert deviation(coefficients(result.path), own(quark_table)) < 1e-10
    assert 0.0 < result.largest_residual < 1e-11
    assert (result.num_events, result.subprocesses, result.points, result.without_alpha_s) == (24, 1, 10, 0)
    store = EventStore.open(result.path)
    assert store.metadata.parameters == TTH
    assert store.metadata.cross_section.coefficients[0] == pytest.approx(np.sum(quark_table.column("weight")))
    before, after = (
        EventStore.open(quark_store).read(["weight", "partons", "x1"]),
        store.read(["weight", "partons", "x1"]),
    )
    assert after.table.equals(before.table)
    facts = store.metadata.facts
    assert facts["origin"] == "test"
    assert facts["reweighting"]["subprocesses"] == {"-2 2 > -6 6 25": 24}
    assert (facts["reweighting"]["engine"], facts["reweighting"]["version"]) == (
        "ufoamp",
        store.metadata.versions["ufoamp"],
    )
    assert len(facts["reweighting"]["basis"]) == 10
    assert len(facts["reweighting"]["model_fingerprint"]) == 64
    assert "ufoamp" in str(result)
    assert not (tmp_path / "out.parquet.parts").exists()


@pytest.mark.slow
def test_gluon_fusion_gets_its_ten_coefficients_back(tmp_path, settings):
    table = own_table([(21, 21)], 2)
    store = write_store(tmp_path / "without.parquet", table, parameters=())
    result = reweight_store(store, settings(check_points=1), tmp_path / "out.parquet")
    assert deviation(coefficients(result.path), own(table)) < 1e-10


def test_events_generated_elsewhere_than_at_the_standard_model(tmp_path, settings):
    theta = {"delta_kappa_t": 0.3, "kappa_tilde_t": -0.5, "c_tG": 0.4}
    table = own_table([(-2, 2)], 5, tuple(theta.values()))
    store = write_store(tmp_path / "with.parquet", table, parameters=(), theta={})
    result = reweight_store(store, settings(), tmp_path / "out.parquet", theta=theta)
    assert deviation(coefficients(result.path), own(table)) < 1e-10
    metadata = EventStore.open(result.path).metadata
    assert metadata.theta == theta
    at_theta = coefficients(result.path) @ metadata.monomials.evaluate(list(theta.values()))
    np.testing.assert_allclose(at_theta, np.asarray(table.column("weight")), rtol=1e-12)


def test_parameters_in_another_convention(tmp_path, quark_store, quark_table, settings):
    """κ = 1 + δκ, and c = −2 c_tG: the polynomial in the new parameters has the same values."""
    followers = {
        "kappa": {"name": "dkt", "offset": -1.0},
        "kappa_tilde_t": "ktt",
        "c": [{"name": "ctG", "factor": -0.5}],
    }
    theta = {"kappa": 1.0}
    result = reweight_store(quark_store, settings(parameters=followers), tmp_path / "out.parquet", theta=theta)
    metadata = EventStore.open(result.path).metadata
    there = coefficients(result.path) @ metadata.monomials.evaluate([1.2, 0.7, -0.8])
    from partonic.polynomial import Monomials

    here = own(quark_table) @ Monomials.up_to_degree(TTH, 2).evaluate([0.2, 0.7, 0.4])
    np.testing.assert_allclose(there, here, rtol=1e-11)


@pytest.mark.slow
def test_workers_and_chunks_do_not_matter(tmp_path, quark_store, settings):
    pytest.importorskip("distributed")
    alone = reweight_store(quark_store, settings(), tmp_path / "one.parquet")
    several = reweight_store(quark_store, settings(workers=2, chunk_events=7), tmp_path / "two.parquet")
    assert deviation(coefficients(several.path), coefficients(alone.path)) < 1e-12


def test_a_finished_result_is_not_made_again(tmp_path, quark_store, settings, monkeypatch):
    first = reweight_store(quark_store, settings(), tmp_path / "out.parquet")
    monkeypatch.setattr(run, "_make_parts", None)
    assert reweight_store(quark_store, settings(chunk_events=3), tmp_path / "out.parquet") == first


def test_an_interrupted_run_goes_on(tmp_path, quark_store, settings, monkeypatch):
    """After a stop only the missing chunks are made; after other settings all are."""
    output, done = tmp_path / "out.parquet", []
    write = run.write_part

    def write_two(path, chunk):
        if len(done) == 2:
            raise KeyboardInterrupt
        write(path, chunk)
        done.append(path.name)

    monkeypatch.setattr(run, "write_part", write_two)
    with pytest.raises(KeyboardInterrupt):
        reweight_store(quark_store, settings(chunk_events=5), output)
    assert not output.exists()
    assert len(list((tmp_path / "out.parquet.parts").rglob("part-*.parquet"))) == 2
    again = []
    monkeypatch.setattr(run, "write_part", lambda path, chunk: (again.append(path.name), write(path, chunk)))
    result = reweight_store(quark_store, settings(chunk_events=5), output)
    assert sorted(done + again) == [f"part-{number:06d}.parquet" for number in range(5)]
    fresh = reweight_store(quark_store, settings(chunk_events=5), tmp_path / "fresh.parquet")
    np.testing.assert_array_equal(coefficients(result.path), coefficients(fresh.path))


PROGRAM = """
import sys, time
from pathlib import Path
from partonic.config.reweighting import ReweightConfig
from partonic.reweighting import run
store, output, settings = sys.argv[1:]
write = run.write_part
run.write_part = lambda path, chunk: (write(path, chunk), time.sleep(1.0))
run.reweight_store(Path(store), ReweightConfig.model_validate_json(settings), Path(output))
"""


def test_a_killed_run_goes_on(tmp_path, quark_store, settings, monkeypatch):
    output = tmp_path / "out.parquet"
    text = settings(chunk_events=4).model_dump_json()
    child = subprocess.Popen([sys.executable, "-c", PROGRAM, str(quark_store), str(output), text], env=dict(os.environ))
    folder = tmp_path / "out.parquet.parts"
    deadline = time.monotonic() + 60.0
    while len(list(folder.rglob("part-*.parquet"))) < 2 and time.monotonic() < deadline:
        time.sleep(0.02)
    child.send_signal(signal.SIGKILL)
    child.wait()
    there = {path.name for path in folder.rglob("part-*.parquet")}
    assert len(there) in (2, 3)
    assert not output.exists()
    made, write = [], run.write_part
    monkeypatch.setattr(run, "write_part", lambda path, chunk: (made.append(path.name), write(path, chunk)))
    result = reweight_store(quark_store, settings(chunk_events=4), output)
    assert not there & set(made)
    assert len(there) + len(made) == 6
    assert result.num_events == 24


def refused(store, config, tmp_path, error, match, **options):
    with pytest.raises(error, match=match):
        reweight_store(store, config, tmp_path / "out.parquet", **options)
    assert not (tmp_path / "out.parquet").exists()


def test_code_of_a_model_needs_consent(tmp_path, quark_store, settings):
    refused(quark_store, settings(trust_model=False), tmp_path, ConfigError, r"runs with your rights.*--trust")


def test_a_model_that_is_not_there(tmp_path, quark_store, settings):
    refused(quark_store, settings(model=tmp_path / "nowhere"), tmp_path, ConfigError, "there is no model .*nowhere")


def test_a_model_without_the_particles(tmp_path, settings):
    table = own_table([(1, -1)], 3)
    store = write_store(tmp_path / "without.parquet", table, parameters=())
    refused(store, settings(), tmp_path, ProcessError, r"no particle with PDG id -1, 1, .*it has: u \(2\), u~ \(-2\)")


def test_a_model_without_an_amplitude(tmp_path, quark_table, settings):
    place = quark_table.schema.get_field_index("initial_pdg")
    same = pa.array([[2, 2]] * len(quark_table), pa.list_(pa.int32(), 2))
    store = write_store(tmp_path / "without.parquet", quark_table.set_column(place, "initial_pdg", same), parameters=())
    refused(store, settings(), tmp_path, ProcessError, r"2 2 > -6 6 25 is zero at all θ: the model has no amplitude")


def test_masses_of_another_sample(tmp_path, quark_store, settings):
    match = r"event 0: parton 2 has the mass 172.5 GeV, but 173 GeV in the model.*\(10 of 10 events\).*values: {MT"
    refused(quark_store, settings(values={"MT": 173.0}), tmp_path, EventFileError, match)


def test_partons_that_do_not_balance(tmp_path, quark_table, settings):
    place = quark_table.schema.get_field_index("x1")
    wrong = pa.array(1.01 * np.asarray(quark_table.column("x1")))
    store = write_store(tmp_path / "without.parquet", quark_table.set_column(place, "x1", wrong), parameters=())
    refused(store, settings(), tmp_path, EventFileError, "do not balance the incoming ones")


def test_no_polynomial_of_this_degree(tmp_path, quark_store, settings):
    """Without a limit of the orders c_tG enters the amplitude twice, and |M|² is of higher degree."""
    refused(quark_store, settings(degree=1), tmp_path, ProcessError, "not a polynomial of the monomials")
    refused(quark_store, settings(orders=None), tmp_path, ProcessError, "not a polynomial of the monomials")


def test_a_parameter_without_effect(tmp_path, quark_store, settings):
    followers = {**MODEL_NAMES, "mass": "Lambda2"}
    refused(quark_store, settings(parameters=followers), tmp_path, ParameterError, "'Lambda2' is no external parameter")
    config = settings(orders={"QCD": 2, "NP": 0})
    refused(quark_store, config, tmp_path, ProcessError, "'delta_kappa_t' has no effect on")


def test_further_coefficients_that_are_on(tmp_path, quark_store, settings):
    config = settings(parameters={"c_tG": "ctG"})
    refused(quark_store, config, tmp_path, ParameterError, r"not zero: {dkt: 0.1, ktt: 0.1}.*`values`")
    values = {"dkt": 0.0, "ktt": 0.0}
    result = reweight_store(quark_store, settings(parameters={"c_tG": "ctG"}, values=values), tmp_path / "out.parquet")
    assert EventStore.open(result.path).metadata.parameters == ("c_tG",)


def test_events_that_the_model_cannot_have_made(tmp_path, quark_store, settings):
    """At δκ_t = −1 there is no coupling of the Higgs boson left."""
    config = settings(parameters={"delta_kappa_t": "dkt"}, values={"ktt": 0.0, "ctG": 0.0})
    theta = {"delta_kappa_t": -1.0}
    refused(quark_store, config, tmp_path, ProcessError, "is zero for 24 of 24 events", theta=theta)


def test_alpha_s_that_is_not_known(tmp_path, quark_table, settings):
    """It cancels where all terms have the same power of it."""
    place = quark_table.schema.get_field_index("alpha_s")
    none = pa.nulls(len(quark_table), pa.float64())
    store = write_store(tmp_path / "without.parquet", quark_table.set_column(place, "alpha_s", none), parameters=())
    result = reweight_store(store, settings(), tmp_path / "out.parquet")
    assert result.without_alpha_s == 24
    assert "24 events have no α_s" in str(result)
    assert deviation(coefficients(result.path), own(quark_table)) < 1e-10


def test_alpha_s_where_the_powers_differ(tmp_path, quark_table, write_changed_model, settings):
    """A dipole without its factor g_s: one α_s for all events is a choice, none is not."""
    model = write_changed_model(couplings=lambda text: text.replace("2*G*ctG", "2*ctG"))
    place = quark_table.schema.get_field_index("alpha_s")
    none = pa.nulls(len(quark_table), pa.float64())
    parameters = {"c_tG": "ctG"}
    values = {"dkt": 0.0, "ktt": 0.0}
    config = settings(model=model, parameters=parameters, values=values)
    store = write_store(tmp_path / "without.parquet", quark_table.set_column(place, "alpha_s", none), parameters=())
    refused(store, config, tmp_path, EventFileError, "its α_s is not known .*different powers")
    fixed = reweight_store(store, config.model_copy(update={"alpha_s": 0.1}), tmp_path / "fixed.parquet")
    known = quark_table.set_column(place, "alpha_s", pa.array(np.full(len(quark_table), 0.1)))
    events = reweight_store(
        write_store(tmp_path / "known.parquet", known, parameters=()), config, tmp_path / "events.parquet"
    )
    np.testing.assert_allclose(coefficients(fixed.path), coefficients(events.path), rtol=1e-9, atol=1e-16)
    real = reweight_store(
        write_store(tmp_path / "real.parquet", quark_table, parameters=()), config, tmp_path / "real_out.parquet"
    )
    ratio = coefficients(real.path)[:, 1] / coefficients(fixed.path)[:, 1]
    np.testing.assert_allclose(ratio, (np.asarray(quark_table.column("alpha_s")) / 0.1) ** -0.5, rtol=1e-9)


def test_a_store_with_other_parameters(tmp_path, quark_table, settings):
    store = write_store(tmp_path / "with.parquet", quark_table)
    config = settings(parameters={"c_tG": "ctG"}, values={"dkt": 0.0, "ktt": 0.0})
    refused(store, config, tmp_path, ConfigError, "has the parameters delta_kappa_t, kappa_tilde_t, c_tG, but")
    theta = {"c_tG": 1.0}
    stated = write_store(tmp_path / "at.parquet", quark_table, theta=theta)
    refused(stated, settings(), tmp_path, ConfigError, "leave θ out", theta={"c_tG": 0.5})
    refused(store, settings(), tmp_path, ParameterError, "unknown theory parameter", theta={"c": 0.5})


def test_a_store_without_partons(tmp_path, quark_table, settings):
    place = quark_table.schema.get_field_index("initial_pdg")
    none = pa.nulls(len(quark_table), pa.list_(pa.int32(), 2))
    store = write_store(tmp_path / "without.parquet", quark_table.set_column(place, "initial_pdg", none), parameters=())
    refused(store, settings(), tmp_path, EventFileError, "24 of 24 events, the first of them event 0, lack the column")


def test_the_store_itself_is_not_overwritten(quark_store, settings):
    with pytest.raises(OutputError, match="file of their own"):
        reweight_store(quark_store, settings(), quark_store)


def test_a_tolerance_that_is_not_met(tmp_path, quark_store, settings):
    refused(quark_store, settings(max_residual=1e-17), tmp_path, ProcessError, "polynomial|powers")
