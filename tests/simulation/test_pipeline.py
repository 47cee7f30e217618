"""The whole simulation: the store, its metadata, weights, workers, interruptions and errors."""

import json
import os
import resource
import signal
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest

from partonic import parallel as workers
from partonic.config.simulation import SimulationConfig
from partonic.errors import ConfigError, EventFileError, OutputError, SimulationError
from partonic.events.store import EventStore
from partonic.polynomial import Monomials
from partonic.simulation.chunk import simulate_chunk
from partonic.simulation.pipeline import simulate

CONFIG = SimulationConfig(workers=1, chunk_events=60)
BRANCHING = 2 * (2 * 0.1086) * 0.6741 * 0.5824


@pytest.fixture(scope="module")
def lhe(write_lhe, tmp_path_factory):
    return write_lhe(tmp_path_factory.mktemp("pipeline") / "tth.lhe.gz", 200)


@pytest.fixture(scope="module")
def whole(lhe, tth, tmp_path_factory):
    """The store of an uninterrupted run."""
    path = tmp_path_factory.mktemp("whole") / "events.parquet"
    simulate(lhe, tth, CONFIG, 5, path)
    return path


def rows(path):
    return next(EventStore.open(path).batches()).table


def test_store(whole, tth):
    store = EventStore.open(whole)
    assert store.num_events == store.metadata.n_generated == 200
    assert store.metadata.process_info == tth
    (batch,) = store.batches()
    assert batch.column("event_id").tolist() == list(range(200))
    assert batch.has("isr_partons")
    selected = batch.column("selected")
    assert (batch.counts("jet_pt")[selected] >= 4).all()
    assert (batch.counts("jet_pt")[~selected] == 0).all()
    assert not batch.valid("jet_pt")[~selected].any()
    np.testing.assert_array_equal(batch.valid("met_pt"), selected)
    jets = batch.filter(selected).reco().jets
    assert (jets[..., 0].diff(dim=1) <= 0).all()
    partons = batch.partons()
    np.testing.assert_allclose(partons.momenta.sum(dim=1)[:, 0], 6500 * (partons.x1 + partons.x2))


def test_weights_and_cut_flow(whole):
    metadata = EventStore.open(whole).metadata
    (batch,) = EventStore.open(whole).batches()
    negative = 29  # of the 200 events, every seventh from the fourth on
    np.testing.assert_allclose(np.abs(batch.weight), 0.4 * BRANCHING / 200)
    assert (batch.weight < 0).sum() == negative
    assert metadata.cross_section.coefficients[0] == pytest.approx(0.4 * BRANCHING * (200 - 2 * negative) / 200)
    flow = metadata.cut_flow
    assert [step.name for step in flow[:2]] == ["generated", "showered"]
    assert len(flow) == 6
    cut = batch.column("cut")
    for index, step in enumerate(flow):
        passed = (cut == -1) | (cut >= index)
        assert step.events == passed.sum()
        assert step.weight == pytest.approx(batch.weight[passed].sum())
    assert flow[-1].events == batch.column("selected").sum() > 0
    assert metadata.facts["branching_fraction"] == pytest.approx(BRANCHING)


def test_workers_give_the_same_events(lhe, tth, whole, tmp_path):
    result = simulate(lhe, tth, replace_workers(2), 5, tmp_path / "events.parquet")
    assert rows(result.path).equals(rows(whole))
    assert not (tmp_path / "events.parquet.parts").exists()


def replace_workers(number):
    return CONFIG.model_copy(update={"workers": number})


@pytest.fixture
def kept_parts(monkeypatch):
    """The parts stay when the run has ended."""
    monkeypatch.setattr("partonic.simulation.pipeline.remove_parts", lambda output: None)


@pytest.mark.usefixtures("kept_parts")
def test_killed_run_goes_on_and_gives_the_same_events(lhe, tth, whole, tmp_path):
    """Kill -9 in the middle; the next run makes the missing chunks only."""
    output = tmp_path / "events.parquet"
    program = (
        "import sys; from pathlib import Path; from partonic.config.simulation import SimulationConfig;"
        "from partonic.events.schema import ProcessInfo; from partonic.polynomial import Monomials;"
        "from partonic.simulation.pipeline import simulate;"
        "process = ProcessInfo('tth', ('H', 't', 'tbar'), (25, 6, -6), Monomials.constant(), 13000.0);"
        "simulate(Path(sys.argv[1]), process, SimulationConfig.model_validate_json(sys.argv[3]), 5, Path(sys.argv[2]))"
    )
    process = subprocess.Popen([sys.executable, "-c", program, str(lhe), str(output), CONFIG.model_dump_json()])
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and len(parts_of(output)) < 2 and process.poll() is None:
        time.sleep(0.005)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    made = parts_of(output)
    assert 2 <= len(made) < 4
    assert not output.exists()
    before = {part: part.stat().st_mtime_ns for part in made}
    next(iter(made)).parent.joinpath(".part-000003.parquet.x.partial").write_bytes(b"half")
    told = Told()
    simulate(lhe, tth, CONFIG, 5, output, told)
    assert told.done_before == 60 * len(made)
    assert {part: part.stat().st_mtime_ns for part in made} == before
    assert rows(output).equals(rows(whole))
    assert not list(output.parent.rglob("*.partial"))


def parts_of(output):
    return set(output.parent.glob(f"{output.name}.parts/*/part-*.parquet"))


class Told:
    """A progress that remembers."""

    def __init__(self):
        self.done_before = None
        self.advanced = []

    def start(self, description, total, unit, done=0):
        if description == "simulating":
            self.done_before = done

    def advance(self, amount=1, **figures):
        self.advanced.append((amount, figures))

    def finish(self):
        pass


def test_a_finished_run_is_not_repeated(lhe, tth, whole):
    told, before = Told(), whole.stat().st_mtime_ns
    result = simulate(lhe, tth, CONFIG, 5, whole, told)
    assert told.advanced == []
    assert whole.stat().st_mtime_ns == before
    assert result.events == 200
    assert "200 events selected" in str(result)


def test_another_seed_gives_other_events(lhe, tth, whole, tmp_path):
    simulate(lhe, tth, CONFIG, 6, tmp_path / "events.parquet")
    assert not rows(tmp_path / "events.parquet").column("jet_pt").equals(rows(whole).column("jet_pt"))


def test_interrupted_run_leaves_its_parts(lhe, tth, tmp_path, monkeypatch):
    def interrupted(job, number, *rest):
        if number == 2:
            raise KeyboardInterrupt
        return simulate_chunk(job, number, *rest)

    monkeypatch.setattr("partonic.simulation.pipeline.simulate_chunk", interrupted)
    with pytest.raises(KeyboardInterrupt):
        simulate(lhe, tth, CONFIG, 5, tmp_path / "events.parquet")
    assert len(parts_of(tmp_path / "events.parquet")) == 2


@pytest.mark.usefixtures("kept_parts")
def test_a_damaged_part_is_made_again(lhe, tth, whole, tmp_path):
    output = tmp_path / "events.parquet"
    simulate(lhe, tth, CONFIG, 5, output)
    part = sorted(parts_of(output))[1]
    part.write_bytes(part.read_bytes()[:1000])
    output.unlink()
    simulate(lhe, tth, CONFIG, 5, output)
    assert rows(output).equals(rows(whole))


def test_parts_of_other_settings_are_removed(lhe, tth, tmp_path, monkeypatch):
    stale = tmp_path / "events.parquet.parts" / "0123456789abcdef"
    stale.mkdir(parents=True)
    stale.joinpath("part-000000.parquet").write_text("old")
    seen = []

    def no_tasks(*_):
        seen.append(stale.exists())
        yield from ()

    monkeypatch.setattr("partonic.simulation.pipeline.run_tasks", no_tasks)
    with pytest.raises(EventFileError):  # no parts were made
        simulate(lhe, tth, CONFIG, 5, tmp_path / "events.parquet")
    assert seen == [False]


def test_no_selected_events(lhe, tth, tmp_path):
    config = CONFIG.model_copy(update={"selection": CONFIG.selection.model_copy(update={"jets_min": 50})})
    result = simulate(lhe, tth, config, 5, tmp_path / "events.parquet")
    assert result.selected == 0
    store = EventStore.open(result.path)
    assert store.num_events == 200
    assert list(store.batches(selected_only=True)) == [] or len(next(store.batches(selected_only=True))) == 0


def test_rejected_setting_before_any_work(lhe, tth, tmp_path):
    config = CONFIG.model_copy(update={"pythia_settings": ("TimeShower:nonsense = 1",)})
    with pytest.raises(ConfigError, match="TimeShower:nonsense"):
        simulate(lhe, tth, config, 5, tmp_path / "events.parquet")
    assert list(tmp_path.iterdir()) == []


def test_truncated_lhe_leaves_nothing(lhe, tth, tmp_path):
    cut = tmp_path / "cut.lhe.gz"
    cut.write_bytes(lhe.read_bytes()[:-500])
    with pytest.raises(EventFileError, match="truncated"):
        simulate(cut, tth, CONFIG, 5, tmp_path / "events.parquet")
    assert list(tmp_path.iterdir()) == [cut]


def test_malformed_event_in_a_worker_is_a_clear_error(write_lhe, tth, tmp_path):
    broken = write_lhe(tmp_path / "broken.lhe", 130, edit=BreakAt(100))
    for number in (1, 2):
        with pytest.raises(EventFileError, match="event 100 of the LHE file is malformed"):
            simulate(broken, tth, replace_workers(number), 5, tmp_path / f"events{number}.parquet")
        assert not (tmp_path / f"events{number}.parquet").exists()


class BreakAt:
    """Damages one event."""

    def __init__(self, index):
        self.countdown = index

    def __call__(self, text):
        self.countdown -= 1
        return text.replace(" 9.\n", " nine\n", 1) if self.countdown == -1 else text


def test_beams_and_process_must_fit(lhe, tth, tmp_path):
    with pytest.raises(EventFileError, match="13000 GeV, but the process is at 14000"):
        simulate(lhe, replace(tth, collider_energy=14000.0), CONFIG, 5, tmp_path / "events.parquet")
    other = tth.with_partons(("Z",), (23,))
    with pytest.raises(EventFileError, match="has no Z"):
        simulate(lhe, other, CONFIG, 5, tmp_path / "events.parquet")


def test_decays_in_the_file_are_not_forced_again(write_lhe, tth, tmp_path):
    decayed = write_lhe(tmp_path / "decayed.lhe", 70, edit=lambda text: text.replace("\n6 1 1 2", "\n6 2 1 2"))
    with pytest.raises(EventFileError, match="event 0 of the LHE file holds the decay of particle 6"):
        simulate(decayed, tth, CONFIG, 5, tmp_path / "events.parquet")


def test_no_events(write_lhe, tth, tmp_path):
    with pytest.raises(EventFileError, match="has no events"):
        simulate(write_lhe(tmp_path / "none.lhe", 0), tth, CONFIG, 5, tmp_path / "events.parquet")


def test_output_that_cannot_be_written(lhe, tth, tmp_path):
    obstacle = tmp_path / "a_file"
    obstacle.write_text("not a folder")
    with pytest.raises(OutputError, match="cannot write"):
        simulate(lhe, tth, CONFIG, 5, obstacle / "events.parquet")


def test_full_disk_in_the_middle(lhe, tth, tmp_path, monkeypatch):
    """A limit on the size of files stands for a full disk, from the second chunk on."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)

    def filling(job, number, *rest):
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft if number == 0 else 1000, hard))
        try:
            return simulate_chunk(job, number, *rest)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    monkeypatch.setattr("partonic.simulation.pipeline.simulate_chunk", filling)
    with pytest.raises(OutputError, match=r"cannot write .*part-000001.parquet"):
        simulate(lhe, tth, CONFIG, 5, tmp_path / "events.parquet")
    assert not (tmp_path / "events.parquet").exists()
    assert len(parts_of(tmp_path / "events.parquet")) == 1
    assert not list(tmp_path.rglob("*.partial"))


def test_coefficients_from_named_weights(write_lhe, lhe_texts, tth, tmp_path):
    """Weights at θ = 0, ±1 give the coefficients of (1, a, a²) back; another weight stays a column."""
    generator = np.random.default_rng(8)
    truth = generator.normal(0.4, 0.1, (70, 3))
    preamble = lhe_texts[0].replace(
        "<header>\n",
        "<header>\n<initrwgt>\n<weight id='w0'> a=0.0 </weight>\n<weight id='w1'> a=1.0 </weight>\n"
        "<weight id='w2'> a=-1.0 </weight>\n<weight id='muR up'> scale </weight>\n</initrwgt>\n"
        f"<partonic>{json.dumps({'theta': {'a': 0.5}, 'cross_section': {'value': 0.4, 'error': 0.02}})}</partonic>\n",
    )
    path = write_lhe(tmp_path / "weights.lhe", 70, preamble, AddWeights(truth))
    process = replace(tth, monomials=Monomials.up_to_degree(["a"], 2))
    simulate(path, process, CONFIG.model_copy(update={"chunk_events": 70}), 5, tmp_path / "events.parquet")
    (batch,) = EventStore.open(tmp_path / "events.parquet").batches()
    np.testing.assert_allclose(batch.coefficients, truth * BRANCHING / 70, rtol=1e-12)
    np.testing.assert_allclose(batch.column("weight_muR_up"), 0.7 * BRANCHING / 70)
    metadata = EventStore.open(tmp_path / "events.parquet").metadata
    assert metadata.theta == {"a": 0.5}
    section = metadata.cross_section
    spread = np.sqrt(70) * batch.coefficients.std(axis=0)
    np.testing.assert_allclose(section.errors, np.hypot(spread, 0.05 * np.array(section.coefficients)), rtol=1e-6)
    assert batch.column("channel").tolist() == [0] * 70


class AddWeights:
    """Adds weights of known coefficients to the events."""

    def __init__(self, coefficients):
        self.left = iter(coefficients)

    def __call__(self, text):
        c0, c1, c2 = map(float, next(self.left))
        values = {"w0": c0, "w1": c0 + c1 + c2, "w2": c0 - c1 + c2, "muR up": 0.7}
        block = "".join(f"<wgt id='{name}'> {value!r} </wgt>\n" for name, value in values.items())
        return text.replace("</event>", f"<rwgt>\n{block}</rwgt>\n</event>")


def crash(number):
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.slow
def test_dying_workers_are_a_clear_error():
    with pytest.raises(SimulationError, match="a worker process died"):
        list(workers.run_tasks(crash, [(1,)], SimulationConfig(workers=2)))


def test_unreachable_scheduler(monkeypatch):
    monkeypatch.setattr(workers, "_PATIENCE", "1s")
    with pytest.raises(SimulationError, match="cannot reach the Dask scheduler 'tcp://127"):
        list(workers.run_tasks(crash, [(1,)], SimulationConfig(scheduler="tcp://127.0.0.1:1")))
