"""The unfolder as a proposal of an integral: its map of base numbers, and that it is the density it says."""

import pytest
import torch
from tests.unfolding.toys import write_store

from partonic.events.batch import RecoEvents
from partonic.events.store import EventStore
from partonic.mem.protocols import LatentProposal, Proposal
from partonic.trained.model_files import find_model
from partonic.unfolding.unfolder import Unfolder


@pytest.fixture(scope="module")
def unfolder() -> Unfolder:
    return Unfolder.load(find_model("pretrained", "tth", "hard"))


@pytest.fixture(scope="module")
def reco(tmp_path_factory: pytest.TempPathFactory) -> RecoEvents:
    """Events 1, 2 and 3 cannot be unfolded."""
    path = write_store(tmp_path_factory.mktemp("unfolder") / "events.parquet", events=10, faults=True)
    return EventStore.open(path).read(EventStore.open(path).metadata.event_schema.arrow().names, True).reco()


def test_it_satisfies_the_protocols(unfolder: Unfolder) -> None:
    assert isinstance(unfolder, Proposal)
    assert isinstance(unfolder, LatentProposal)


def test_transport_of_base_noise_is_sampling(unfolder: Unfolder, reco: RecoEvents) -> None:
    numbers, log_density = unfolder.sample_and_log_density(reco, 300, torch.Generator().manual_seed(1))
    samples = unfolder.sample(reco, 300, torch.Generator().manual_seed(1))
    inside = log_density.isfinite()
    torch.testing.assert_close(numbers[inside], samples.numbers[inside], rtol=0, atol=1e-12)
    torch.testing.assert_close(log_density[inside], samples.log_density[inside], rtol=0, atol=1e-5)
    assert inside[4:].double().mean() > 0.99


def test_density_of_transported_points_is_the_evaluated_one(unfolder: Unfolder, reco: RecoEvents) -> None:
    """Numbers at a face that the density is evaluated at lose digits of their distance to it: most agree closely."""
    numbers, log_density = unfolder.sample_and_log_density(reco, 300, torch.Generator().manual_seed(1))
    inside = log_density.isfinite()
    difference = (unfolder.log_density(reco, numbers) - log_density)[inside].abs()
    assert difference.quantile(0.99) < 1e-3
    assert difference.median() < 5e-5


def test_rows_of_unusable_events_are_nan(unfolder: Unfolder, reco: RecoEvents) -> None:
    noise = torch.randn((len(reco), 5, 7), generator=torch.Generator().manual_seed(1))
    numbers, log_slope = unfolder.transport(reco, noise)
    usable = torch.tensor([word == "ok" for word in unfolder.status(reco)])
    assert usable.tolist() == [True, False, False, False, *[True] * 4]
    assert numbers[~usable].isnan().all()
    assert log_slope[~usable].isnan().all()
    assert numbers[usable].isfinite().all()
