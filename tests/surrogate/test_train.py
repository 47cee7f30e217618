"""Training on toy events: the folder, its record, its closure; stores that do not fit are refused."""

import json
from pathlib import Path

import pytest
import torch
from tests.mem.single_top_toys import write_single_top_store

from partonic.config.surrogate import SurrogateTrainingConfig
from partonic.errors import ModelError, SchemaError
from partonic.processes.thq.settings import ThqConfig
from partonic.processes.tth.settings import TthConfig
from partonic.rng import torch_generator
from partonic.surrogate.model import DetectorSurrogate
from partonic.surrogate.train import TrainedSurrogate, filled, train_surrogate

TINY = {
    "model": {"kind": "coupling", "transform": "affine", "transforms": 2, "hidden": [16]},
    "training": {"epochs": 3, "batch_size": 64, "average": None},
    "acceptance": {"hidden": [8]},
    "acceptance_training": {"epochs": 2, "batch_size": 64, "average": None, "validation_fraction": 0.3},
    "jets": 5,
    "held_out": 0.4,
}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_single_top_store(tmp_path_factory.mktemp("toys") / "events.parquet", 1000)


@pytest.fixture(scope="module")
def trained(store: Path, tmp_path_factory: pytest.TempPathFactory) -> TrainedSurrogate:
    config = SurrogateTrainingConfig.model_validate(TINY)
    return train_surrogate([store], ThqConfig(), config, 1, tmp_path_factory.mktemp("surrogate"))


def test_the_folder_draws_events(trained: TrainedSurrogate, store: Path) -> None:
    surrogate = DetectorSurrogate.load(trained.folder)
    assert surrogate.kind == "coupling"
    momenta = torch.tensor([[[300.0, 100.0, 50.0, 242.0], [300.0, -90.0, 20.0, 225.0], [92.2, -10.0, -70.0, 59.0]]])
    reco = surrogate.objects.sample(momenta.expand(40, -1, -1), torch_generator(1, "draw"))
    assert bool((reco.jet_mask.sum(dim=1) >= 3).all())
    assert bool((reco.jet_mask.sum(dim=1) <= 5).all())
    assert bool((reco.photon_mask.sum(dim=1) == 2).all())
    assert float(reco.jets[..., 3].max()) > 0.0  # masses are drawn


def test_closure_is_of_the_events_that_were_held_out(trained: TrainedSurrogate) -> None:
    closure = trained.record.closure
    assert closure == DetectorSurrogate.load(trained.folder).facts()["closure"]
    assert trained.record.training["events"] == 600
    assert trained.record.training["held_out"] == 400
    assert closure["events"]["simulated"] == pytest.approx(160, abs=30)  # four fifths of half of 400
    found = closure["selected_fraction"]
    assert found["simulated"] == pytest.approx(0.8, abs=1e-9)
    assert len(closure["observables"]) == 10
    assert set(closure["ratios"]) == {"ht", "pt_photons"}
    assert json.dumps(closure, allow_nan=False)
    assert "surrogate 'coupling': selects" in str(trained)


def test_same_seed_same_surrogate(trained: TrainedSurrogate, store: Path, tmp_path: Path) -> None:
    config = SurrogateTrainingConfig.model_validate(TINY)
    again = train_surrogate([store], ThqConfig(), config, 1, tmp_path)
    assert DetectorSurrogate.load(tmp_path).fingerprint == DetectorSurrogate.load(trained.folder).fingerprint
    assert again.record.closure == trained.record.closure


def test_networks_of_other_events_are_refused(store: Path, tmp_path: Path) -> None:
    """The toys have other cuts than the networks that ship."""
    config = SurrogateTrainingConfig.model_validate({"model": {"kind": "transfer"}})
    with pytest.raises(ModelError, match=r"is made for .* but the stores have"):
        train_surrogate([store], ThqConfig(), config, 1, tmp_path)


def test_stores_of_another_process_are_refused(store: Path, tmp_path: Path) -> None:
    with pytest.raises(SchemaError, match="process 'thq', the model knows 'tth'"):
        train_surrogate([store], TthConfig(), SurrogateTrainingConfig.model_validate(TINY), 1, tmp_path)


def test_events_of_a_surrogate_are_not_learned_from(drawn_store: Path, tmp_path: Path) -> None:
    config = SurrogateTrainingConfig.model_validate(TINY)
    with pytest.raises(SchemaError, match="were made by the surrogate"):
        train_surrogate([drawn_store], ThqConfig(collider_energy=13600.0), config, 1, tmp_path)


def test_noise_fills_slots_without_objects() -> None:
    numbers = 5.0 + 2.0 * torch.randn(20_000, 2, generator=torch_generator(1, "numbers"), dtype=torch.float64)
    numbers[::2, 1] = torch.nan
    whole = filled(numbers, torch_generator(2, "noise"))
    assert torch.equal(whole[:, 0], numbers[:, 0])
    assert torch.equal(whole[1::2], numbers[1::2])
    noise = whole[::2, 1]
    assert float(noise.mean()) == pytest.approx(5.0, abs=4 * 2.0 / 100)
    assert float(noise.std()) == pytest.approx(2.0, rel=0.04)
    assert bool(torch.isfinite(filled(torch.full((4, 1), torch.nan), torch_generator(3, "noise"))).all())
