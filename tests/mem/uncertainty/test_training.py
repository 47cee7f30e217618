"""Networks of the method trained with each kind of uncertainty, kept, loaded again and drawn from."""

import json
from pathlib import Path

import pytest
import torch
from pydantic import ValidationError

from mem.transfer.toys import LAYOUTS, PROCESS, TINY, draw_events, some_partons
from partonic.config.mem_training.section import MemNetworksConfig
from partonic.config.mem_training.transfer import AcceptanceConfig, MemTrainingConfig
from partonic.errors import ModelError
from partonic.mem.acceptance.model import AcceptanceModel
from partonic.mem.acceptance.train import train_acceptance
from partonic.mem.transfer.train import train_transfer
from partonic.mem.transfer.transfer_function import TransferFunction
from partonic.nn.training import TensorTable
from partonic.trained.model_files import POSTERIOR
from unfolding.toys import write_store

LAYOUT = LAYOUTS["semileptonic"]
KINDS = {
    "mean_field": {"kind": "mean_field", "epochs": 1},
    "laplace": {"kind": "laplace"},
    "repulsive": {"kind": "repulsive", "members": 2},
}
TRAINING = MemTrainingConfig(epochs=1, batch_size=64, learning_rate=5e-3, average=None, validation_fraction=0.3)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_store(tmp_path_factory.mktemp("store") / "events.parquet", 150)


@pytest.mark.parametrize("kind", KINDS)
def test_transfer_functions(store: Path, tmp_path: Path, kind: str) -> None:
    uncertainty = {**KINDS[kind], "calibrate": False}
    sizes = TINY.model_validate({**TINY.model_dump(), "candidates": 4, "uncertainty": uncertainty})
    train_transfer([store], PROCESS, LAYOUT, (sizes, TRAINING), 1, tmp_path)
    model = TransferFunction.load(tmp_path)
    assert json.loads((tmp_path / "model.json").read_text())["record"]["posterior"]["kind"] == kind
    x, z = draw_events(LAYOUT, 4, 1).reco, some_partons(4)[:, None]
    here = model.log_density(x, z)
    drawn = [model.drawn(number).log_density(x, z) for number in (0, 1, 0)]
    assert torch.equal(drawn[0], drawn[2])
    assert bool((drawn[0] != here).all())
    assert bool((drawn[0] != drawn[1]).all())
    if kind == "repulsive":
        with pytest.raises(ModelError, match="2 sets of weights was asked for set 3"):
            model.drawn(2)


@pytest.mark.parametrize("kind", KINDS)
def test_acceptances_keep_their_calibration(store: Path, tmp_path: Path, kind: str) -> None:
    """Each drawn acceptance has been calibrated for itself: the accepted fraction holds its mean in place."""
    config = AcceptanceConfig.model_validate({"hidden": (8,), "uncertainty": {**KINDS[kind], "calibrate": False}})
    train_acceptance([store], PROCESS, LAYOUT, (config, TRAINING), 1, tmp_path)
    model, z = AcceptanceModel.load(tmp_path), some_partons(500)
    here = model.log_probability(z).exp()
    for number in range(2):
        drawn = model.drawn(number)
        assert not torch.equal(drawn.network.calibration, model.network.calibration)
        assert float(drawn.log_probability(z).exp().mean()) == pytest.approx(float(here.mean()), rel=0.5)


def test_the_width_is_set_from_the_losses(store: Path, tmp_path: Path) -> None:
    """With and without, posteriors differ by one factor."""
    found = []
    for calibrate in (False, True):
        sizes = TINY.model_validate({**TINY.model_dump(), "uncertainty": {"kind": "laplace", "calibrate": calibrate}})
        train_transfer([store], PROCESS, LAYOUT, (sizes, TRAINING), 1, tmp_path / str(calibrate))
        posterior = TransferFunction.load(tmp_path / str(calibrate)).posterior
        assert posterior is not None
        found.append(torch.cat([v.flatten() for n, v in posterior.tensors().items() if n.startswith("deviations")]))
    factor = found[1] / found[0]
    torch.testing.assert_close(factor, factor[:1].expand_as(factor), rtol=1e-4, atol=0.0)
    assert float(factor[0]) != 1.0


def test_a_point_model_is_the_one_of_before(store: Path, tmp_path: Path) -> None:
    train_transfer([store], PROCESS, LAYOUT, (TINY, TRAINING), 1, tmp_path)
    model = TransferFunction.load(tmp_path)
    assert model.posterior is None
    assert not (tmp_path / POSTERIOR).exists()
    assert "posterior" not in json.loads((tmp_path / "model.json").read_text())["record"]
    with pytest.raises(ModelError, match="this transfer function is a point model"):
        model.drawn(0)


def test_a_lost_posterior_is_told(store: Path, tmp_path: Path) -> None:
    sizes = TINY.model_validate({**TINY.model_dump(), "uncertainty": KINDS["laplace"]})
    train_transfer([store], PROCESS, LAYOUT, (sizes, TRAINING), 1, tmp_path)
    (tmp_path / POSTERIOR).unlink()
    with pytest.raises(ModelError, match="cannot read the posterior of the weights"):
        TransferFunction.load(tmp_path)


def test_further_training_among_proposed_partons_is_refused() -> None:
    settings = {
        "parts": ("transfer", "acceptance"), "consistency": {}, "transfer": {"uncertainty": {"kind": "laplace"}},
    }  # fmt: skip
    with pytest.raises(ValidationError, match="moves the weights away from those that the uncertainty is of"):
        MemNetworksConfig.model_validate(settings)


@pytest.mark.parametrize("shift", [0.0, 1.0])
def test_a_width_that_is_hardly_known_is_told(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, shift: float
) -> None:
    """Losses of few events differ by chance: a band of nothing, or one of noise, must not pass for knowledge."""

    def losses(_: object, table: TensorTable) -> torch.Tensor:
        return torch.linspace(0.0, 1.0, len(table)).double() + (shift if len(table) < 60 else 0.0)

    monkeypatch.setattr("partonic.mem.uncertainty.training._event_losses", losses)
    monkeypatch.setattr("partonic.mem.uncertainty.training.calibrated_width", lambda *_: 0.5)
    config = AcceptanceConfig.model_validate({"hidden": (8,), "uncertainty": {"kind": "laplace"}})
    train_acceptance([store], PROCESS, LAYOUT, (config, TRAINING), 1, tmp_path)
    assert ("width of the uncertainty of the part 'acceptance' is hardly known" in caplog.text) == (shift == 0.0)
