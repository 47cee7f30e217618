"""The models that ship with the package: they load, are small, say how they were made, and know partons from others."""

from pathlib import Path

import pytest
import torch

from partonic.events.batch import EventBatch
from partonic.events.store import EventStore
from partonic.physics.kinematics import transverse_momentum
from partonic.pretrained import pretrained_folder, pretrained_models
from partonic.trained.model_folder import load_record
from partonic.unfolding.unfolder import Unfolder

VIEWS = ("hard", "with_isr")
LARGEST_FILE = 10_000_000


@pytest.fixture(params=VIEWS)
def folder(request: pytest.FixtureRequest) -> Path:
    return pretrained_folder("tth") / request.param


def test_both_views_ship() -> None:
    assert tuple(pretrained_models()["tth"]) == VIEWS


def test_files_are_small_and_name_no_folder(folder: Path) -> None:
    assert all(path.stat().st_size < LARGEST_FILE for path in folder.iterdir())
    assert "/" not in "".join(load_record(folder)["training"]["stores"])


def test_record_says_how_it_was_made(folder: Path) -> None:
    training = load_record(folder)["training"]
    assert training["events"] >= 300_000
    assert training["skipped_steps"] == 0
    assert training["config"]["preset"] == "small"
    assert training["versions"]["torch"]


@pytest.fixture(scope="module")
def events() -> EventBatch:
    """400 selected events of our simulation that no training has seen."""
    store = EventStore.open(Path(__file__).parents[1] / "reference" / "tth_selected.parquet")
    return next(iter(store.batches(selected_only=True, size=400)))


def test_truth_is_more_probable_than_the_truth_of_another_event(folder: Path, events: EventBatch) -> None:
    unfolder = Unfolder.load(folder)
    unfolder.check(events.metadata, "the reference events")
    numbers, _ = unfolder.view.numbers(unfolder.view.truth(events))
    own = unfolder.log_density(events.reco(), numbers[:, None])[:, 0]
    others = unfolder.log_density(events.reco(), numbers.roll(1, dims=0)[:, None])[:, 0]
    assert len(events) == 400
    assert float((own - others).median()) > 5.0
    # 8.96 and 10.57 on 50,000 events, with a spread of 6 from event to event
    assert float(own.mean()) == pytest.approx({"hard": 8.96, "with_isr": 10.57}[folder.name], abs=4 * 6.0 / 20.0)


def test_regions_of_highest_density_cover(folder: Path, events: EventBatch, seed: int) -> None:
    """The part of the truths within the regions that hold 68% and 95% of the samples, in units of its error."""
    unfolder = Unfolder.load(folder)
    numbers, _ = unfolder.view.numbers(unfolder.view.truth(events))
    own = unfolder.log_density(events.reco(), numbers[:, None])
    drawn = unfolder.sample(events.reco(), 60, torch.Generator().manual_seed(seed)).log_density
    level = (drawn > own).double().mean(dim=1)
    for content in (0.68, 0.95):
        error = (content * (1.0 - content) / len(events)) ** 0.5
        assert float((level < content).double().mean()) == pytest.approx(content, abs=3.5 * error)


def test_regression_finds_the_partons(folder: Path, events: EventBatch) -> None:
    """Half of the tops are within 30% in pT, and the boost of the event within 150 GeV."""
    unfolder = Unfolder.load(folder)
    truth, regressed = unfolder.view.truth(events).momenta, unfolder.regress(events.reco())
    ratio = transverse_momentum(regressed.momenta[:, 1:3]) / transverse_momentum(truth[:, 1:3])
    assert float((ratio - 1.0).abs().median()) < 0.3
    assert float((regressed.p_z - truth[..., 3].sum(dim=1)).abs().median()) < 150.0
