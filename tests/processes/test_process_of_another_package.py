"""A process of another package goes from its matrix element to a fit of parton truth without a line of ours."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from partonic.events import EventStore

ANALYSIS = """\
name: toy
seed: 5
process: {name: toy_bosons}
generation:
  events: 400
  sampler:
    {vegas_iterations: 3, vegas_points: 2000, vegas_bins: 16, bins: 4, units: 8, rounds: 2, points_per_round: 2000,
     steps_per_round: 5, batch_size: 256}
  pilot_points: 10000
  chunk_points: 10000
  overweight_limit: 0.05
simulation:
  workers: 1
  hadronization: false
  selection: {lepton_pt_min: 15.0}
inference: {source: truth, data: pseudo, truth: {k: 1.0}, luminosity: 1.0}
report: {sections: [summary], formats: [png]}
"""


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    paths = os.pathsep.join([str(folder), *filter(None, [os.environ.get("PYTHONPATH")])])
    command = [sys.executable, "-c", "from partonic.cli import main; main()", *arguments]
    return subprocess.run(
        command, env={**os.environ, "PYTHONPATH": paths}, cwd=folder, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the package, and the results of the analysis."""
    folder = tmp_path_factory.mktemp("package")
    source = Path(__file__).parent / "toy_bosons.py"
    (folder / "toy_bosons.py").write_text(source.read_text(encoding="utf-8"), encoding="utf-8")
    info = folder / "toy_bosons-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: toy_bosons\nVersion: 1.0\n", encoding="utf-8")
    (info / "entry_points.txt").write_text("[partonic.processes]\ntoy_bosons = toy_bosons:definition\n")
    (folder / "analysis.yaml").write_text(ANALYSIS, encoding="utf-8")
    done = run(folder, "run", "analysis.yaml")
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture(scope="module")
def store(folder: Path) -> EventStore:
    return EventStore.open(folder / "runs/toy/simulate/events.parquet")


def mass(momenta: np.ndarray) -> np.ndarray:
    return np.sqrt(momenta[..., 0] ** 2 - (momenta[..., 1:] ** 2).sum(axis=-1))


def test_store_knows_final_states_and_resonances(store: EventStore) -> None:
    metadata = store.metadata
    assert metadata.final_states == ((-11, 12, 25), (11, -12, 25))
    assert [(one.name, one.slots, one.decayed_by) for one in metadata.resonances] == [
        ("W", (0, 1), "matrix element"), ("H", (2,), "shower"),
    ]  # fmt: skip
    assert metadata.theta == {"k": 1.0}  # nothing was said, and the Standard Model is not k = 0
    assert metadata.facts["branching_fraction"] == 0.5824
    assert metadata.process_info.decay_tree.provenances == ("W", "H")


def test_final_state_is_that_of_the_channel(store: EventStore) -> None:
    batch = store.read(["channel", "parton_pdg", "initial_pdg", "colour_flow"])
    pdg, initial, channel = (batch.column(name) for name in ("parton_pdg", "initial_pdg", "channel"))
    of_channel = np.array([(-11, 12, 25), (-11, 12, 25), (11, -12, 25), (11, -12, 25)])
    beams = np.array([(2, -1), (-1, 2), (1, -2), (-2, 1)])
    assert set(channel.tolist()) == {0, 1, 2, 3}
    assert np.array_equal(pdg, of_channel[channel])
    assert np.array_equal(initial, beams[channel])
    assert (batch.column("colour_flow") == 0).all()


def test_shower_keeps_the_mass_and_the_products_of_the_matrix_element(store: EventStore) -> None:
    batch = store.read(["parton_pdg", "partons", "x1", "x2", "decay_partons", "decay_pdg", "decay_origin"])
    hard = mass(batch.partons().momenta[:, :2].sum(dim=1).numpy())
    assert hard.std() > 5.0  # the toy's W is broad: nothing puts it on a pole
    for event, state in enumerate(batch.column("parton_pdg").tolist()):
        pdg, origin = (np.array(batch.table[f"decay_{name}"][event].as_py()) for name in ("pdg", "origin"))
        momenta = np.array(batch.table["decay_partons"][event].as_py()).reshape(-1, 4)
        assert pdg[:2].tolist() == state[:2]
        assert origin.tolist() == [24 if state[1] > 0 else -24] * 2 + [25, 25]
        assert pdg[2:].tolist() == [5, -5]
        assert mass(momenta[:2].sum(axis=0)) == pytest.approx(hard[event], rel=1e-6)
        assert mass(momenta[2:].sum(axis=0)) == pytest.approx(125.0, abs=0.1)


def test_leptons_and_jets_are_those_of_the_resonances(store: EventStore) -> None:
    batch = store.read(
        ["parton_pdg", "lepton_pdg", "jet_provenance", "isr_partons", "hadronic_top"], selected_only=True
    )
    charged = batch.column("parton_pdg")[:, 0]
    first = np.array([ids[0] for ids in batch.table["lepton_pdg"].to_pylist()])
    assert len(first) > 100
    assert (first == charged).mean() > 0.97
    provenance = batch.flat("jet_provenance")
    assert set(provenance.tolist()) <= {0, 2}
    assert (provenance == 2).sum() > 0.8 * len(first)
    assert batch.table["isr_partons"].null_count == len(batch)
    assert (batch.column("hadronic_top") == 0).all()


def test_cut_of_the_process_is_kept(store: EventStore) -> None:
    momenta = store.read(["partons", "x1", "x2"]).partons().momenta[:, 0].numpy()
    assert np.hypot(momenta[:, 1], momenta[:, 2]).min() > 10.0


def test_truth_is_fitted(folder: Path) -> None:
    result = json.loads((folder / "runs/toy/infer/result.json").read_text(encoding="utf-8"))
    best = result["best_fit"]["k"]
    assert abs(best["value"] - 1.0) < 4.0 * best["statistical"] < 0.4


def test_own_file_is_imported_with_its_final_states(folder: Path, store: EventStore) -> None:
    section = "{format: lhe, files: [runs/toy/generate/events.lhe.gz]}"
    text = f"name: again\nprocess: {{name: toy_bosons}}\nimport: {section}\n"
    (folder / "again.yaml").write_text(text, encoding="utf-8")
    done = run(folder, "import", "again.yaml")
    assert done.returncode == 0, done.stdout + done.stderr
    again = EventStore.open(next((folder / "runs/again").rglob("*.parquet"))).read(
        ["parton_pdg", "partons", "decay_origin"]
    )
    ours = store.read(["parton_pdg", "partons"])
    assert np.array_equal(again.column("parton_pdg"), ours.column("parton_pdg"))
    np.testing.assert_allclose(again.column("partons"), ours.column("partons"), rtol=1e-12, atol=1e-9)
    assert {abs(origin) for origin in again.flat("decay_origin").tolist()} == {24}  # H is not decayed in the file


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("simulation: {decays: {tops: dilepton}}", "shower decays no t or t̄ of the process 'toy_bosons': it decays H"),
        ("simulation: {decays: {w: leptonic}}", "shower decays no W"),
        ("generation: {theta: {c_tG: 1.0}}", "has no theory parameter 'c_tG'"),
    ],
)
def test_what_the_process_does_not_have_is_refused(folder: Path, change: str, message: str) -> None:
    (folder / "bad.yaml").write_text(f"name: bad\nprocess: {{name: toy_bosons}}\n{change}\n", encoding="utf-8")
    done = run(folder, "run", "bad.yaml")
    assert done.returncode != 0
    assert message in " ".join(done.stderr.split())
    assert "bad.yaml:3" in done.stderr
