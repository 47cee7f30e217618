"""Training from event stores to model folders, what the models answer, and training that was killed."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from partonic.config.unfolding import UnfoldingConfig
from partonic.errors import EventFileError, ModelError
from partonic.event_status import OK
from partonic.events.batch import RecoEvents
from partonic.events.store import EventStore
from partonic.processes.tth.settings import TthConfig
from partonic.trained.model_folder import load_record
from partonic.unfolding.train import TrainedModel, train_unfolding
from partonic.unfolding.unfolder import Unfolder
from unfolding.toys import write_store

EVENTS = 240


def tiny(**training: object) -> UnfoldingConfig:
    few = {"batch_size": 48, "provenance_epochs": 1, "regression_epochs": 1, "joint_epochs": 1, "flow_epochs": 1}
    return UnfoldingConfig.model_validate(
        {"preset": "tiny", "views": ["hard", "with_isr"], "training": {**few, "validation_fraction": 0.2, **training}}
    )


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_store(tmp_path_factory.mktemp("store") / "events.parquet", EVENTS)


@pytest.fixture(scope="module")
def trained(store: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[TrainedModel, ...]:
    return train_unfolding([store], TthConfig(), tiny(), 3, tmp_path_factory.mktemp("train"))


@pytest.fixture(scope="module")
def reco(store: Path) -> RecoEvents:
    return next(iter(EventStore.open(store).batches(selected_only=True, size=12))).reco()


@pytest.fixture(params=["hard", "with_isr"])
def unfolder(request: pytest.FixtureRequest, trained: tuple[TrainedModel, ...]) -> Unfolder:
    folder = next(model.folder for model in trained if model.view == request.param)
    return Unfolder.load(folder)


def test_models_know_how_they_were_made(trained: tuple[TrainedModel, ...]) -> None:
    for model in trained:
        record = load_record(model.folder)
        assert record["view"]["name"] == model.view
        assert record["training"]["training_events"] == model.events
        assert record["training"]["epochs"] == {"provenance": 1, "regression": 1, "joint": 1, "flow": 1}
        assert "torch" in record["training"]["versions"]
        assert str(model.view) in str(model)


def test_samples_are_partons_with_their_density(unfolder: Unfolder, reco: RecoEvents, seed: int) -> None:
    drawn = unfolder.sample(reco, 20, torch.Generator().manual_seed(seed))
    view = unfolder.view
    assert drawn.momenta.shape == (len(reco), 20, len(view.masses), 4)
    total = drawn.momenta.sum(dim=2)
    assert total[..., 1:3].abs().max() < 1e-6
    squares = drawn.momenta[..., 0].square() - drawn.momenta[..., 1:].square().sum(-1)
    expected = torch.tensor(view.masses, dtype=torch.float64).square().expand_as(squares)
    torch.testing.assert_close(squares, expected, rtol=1e-6, atol=1.0)
    again = unfolder.log_density(reco, drawn.numbers)
    torch.testing.assert_close(again, drawn.log_density, rtol=0.0, atol=5e-3)


def test_same_seed_same_samples(unfolder: Unfolder, reco: RecoEvents, seed: int) -> None:
    first, second = (unfolder.sample(reco, 5, torch.Generator().manual_seed(seed)) for _ in range(2))
    assert torch.equal(first.numbers, second.numbers)
    assert torch.equal(first.log_density, second.log_density)


def test_turned_events_have_turned_partons(unfolder: Unfolder, reco: RecoEvents, seed: int) -> None:
    """The networks are exactly equivariant: rotate the event about the beam, and its samples rotate."""
    angle = 0.7

    def turned(values: torch.Tensor, column: int) -> torch.Tensor:
        columns = list(values.unbind(dim=-1))
        columns[column] = torch.remainder(columns[column] + angle + torch.pi, 2 * torch.pi) - torch.pi
        return torch.stack(columns, dim=-1)

    rotated = replace(reco, jets=turned(reco.jets, 2), leptons=turned(reco.leptons, 2), met=turned(reco.met, 1))
    before = unfolder.sample(reco, 5, torch.Generator().manual_seed(seed)).momenta
    after = unfolder.sample(rotated, 5, torch.Generator().manual_seed(seed)).momenta
    cosine, sine = torch.cos(torch.tensor(angle)).double(), torch.sin(torch.tensor(angle)).double()
    expected = torch.stack(
        [
            before[..., 0],
            cosine * before[..., 1] - sine * before[..., 2],
            sine * before[..., 1] + cosine * before[..., 2],
            before[..., 3],
        ],
        dim=-1,
    )
    assert float((after - expected).abs().max()) < 2e-3 * float(before[..., 0].max())


def test_order_of_jets_does_not_matter(unfolder: Unfolder, reco: RecoEvents, seed: int) -> None:
    last = int(reco.jet_mask.sum(dim=1).min())
    order = [*reversed(range(last)), *range(last, reco.jets.shape[1])]
    shuffled = replace(reco, jets=reco.jets[:, order], jet_mask=reco.jet_mask[:, order])
    first = unfolder.sample(reco, 3, torch.Generator().manual_seed(seed))
    second = unfolder.sample(shuffled, 3, torch.Generator().manual_seed(seed))
    torch.testing.assert_close(second.numbers, first.numbers, rtol=0.0, atol=2e-4)


def test_bad_events_are_flagged_and_cost_nothing_else(unfolder: Unfolder, reco: RecoEvents, seed: int) -> None:
    jets, mask = reco.jets.clone(), reco.jet_mask.clone()
    jets[1, 0, 0] = torch.nan
    mask[2, 3:] = False
    bad = replace(reco, jets=jets, jet_mask=mask)
    drawn = unfolder.sample(bad, 4, torch.Generator().manual_seed(seed))
    assert "jet is NaN" in drawn.status[1]
    assert "fewer than 4 jets" in drawn.status[2]
    assert bool(drawn.log_density[1:3].isnan().all())
    others = [row for row, word in enumerate(drawn.status) if word == OK]
    assert len(others) == len(reco) - 2
    assert bool(drawn.numbers[others].isfinite().all())
    assert bool(unfolder.regress(bad).momenta[others].isfinite().all())
    assert bool(unfolder.provenance(bad)[2].isnan().all())


def test_a_batch_without_usable_events_is_empty_handed(unfolder: Unfolder, reco: RecoEvents, seed: int) -> None:
    nothing = replace(reco, jet_mask=torch.zeros_like(reco.jet_mask))
    drawn = unfolder.sample(nothing, 4, torch.Generator().manual_seed(seed))
    assert all("fewer than 4 jets" in word for word in drawn.status)
    assert bool(drawn.momenta.isnan().all())


def test_regressed_partons_balance(unfolder: Unfolder, reco: RecoEvents) -> None:
    regressed = unfolder.regress(reco)
    squares = regressed.momenta[..., 0].square() - regressed.momenta[..., 1:].square().sum(-1)
    expected = torch.tensor(unfolder.view.masses, dtype=torch.float64).square().expand_as(squares)
    torch.testing.assert_close(squares, expected, rtol=1e-5, atol=1.0)
    if unfolder.view.name == "with_isr":
        total = regressed.momenta.sum(dim=1)
        assert total[:, 1:3].abs().max() < 1e-6
        torch.testing.assert_close(total[:, 3], regressed.p_z, rtol=1e-6, atol=1e-6)


def test_a_model_that_is_no_model_is_refused(trained: tuple[TrainedModel, ...], tmp_path: Path) -> None:
    weights = trained[0].folder / "weights.safetensors"
    folder = tmp_path / "broken"
    folder.mkdir()
    (folder / "model.json").write_bytes((trained[0].folder / "model.json").read_bytes())
    (folder / "weights.safetensors").write_bytes(weights.read_bytes()[:-100])
    with pytest.raises(ModelError):
        Unfolder.load(folder)
    with pytest.raises(ModelError):
        Unfolder.load(tmp_path / "nothing")


def test_stores_without_truth_are_refused(store: Path, tmp_path: Path) -> None:
    with pytest.raises(EventFileError, match="nothing to train on"):
        train_unfolding([write_store(tmp_path / "none.parquet", 0)], TthConfig(), tiny(), 1, tmp_path / "t")


def _weights(folder: Path) -> dict[str, bytes]:
    return {path.parent.name: path.read_bytes() for path in sorted(folder.glob("*/weights.safetensors"))}


_SCRIPT = """
    import sys
    from pathlib import Path
    import torch
    from partonic.processes.tth.settings import TthConfig
    from partonic.config.unfolding import UnfoldingConfig
    from partonic.unfolding.train import train_unfolding

    torch.set_num_threads(1)
    config = UnfoldingConfig.model_validate_json(Path(sys.argv[3]).read_text())
    train_unfolding([Path(sys.argv[1])], TthConfig(), config, 3, Path(sys.argv[2]))
"""


@pytest.mark.slow
def test_a_killed_training_ends_with_the_same_weights(store: Path, tmp_path: Path) -> None:
    """Killed (SIGKILL) again and again, after whatever it was doing, and continued."""
    script, config = tmp_path / "train.py", tmp_path / "config.json"
    script.write_text(textwrap.dedent(_SCRIPT))
    config.write_text(tiny(joint_epochs=3, flow_epochs=3).model_dump_json())
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    begin = time.monotonic()
    subprocess.run([sys.executable, script, store, whole, config], check=True)
    whole_time = time.monotonic() - begin
    kills = 0
    for patience in (0.5 * whole_time, 0.7 * whole_time, 0.85 * whole_time, 600.0):
        process = subprocess.Popen([sys.executable, script, store, killed, config])
        deadline = time.monotonic() + patience
        while process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.05)
        if process.poll() is None:
            os.kill(process.pid, signal.SIGKILL)
            kills += 1
        process.wait()
    assert kills > 0
    assert _weights(killed) == _weights(whole)
    assert set(_weights(whole)) == {"hard", "with_isr"}
