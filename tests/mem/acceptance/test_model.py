import json
import math
from pathlib import Path

import pytest
import torch

from mem.transfer.toys import LAYOUTS, PROCESS, some_partons
from partonic.config.mem_training.transfer import AcceptanceConfig, MemTrainingConfig
from partonic.errors import ModelError, TrainingError
from partonic.mem.acceptance.model import AcceptanceModel, AcceptanceNetwork
from partonic.mem.acceptance.train import acceptance_table, reliability, train_acceptance
from partonic.trained.schema_record import SchemaRecord
from unfolding.toys import write_store

LAYOUT = LAYOUTS["semileptonic"]


def network(seed: int = 1) -> AcceptanceNetwork:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        made = AcceptanceNetwork(AcceptanceConfig(hidden=(8, 8)), LAYOUT)
        made.outer.weight.data *= 5.0
    return made


def test_symmetries_of_the_collision_are_exact() -> None:
    """Rotations about the beam, and the rotation by π across it that exchanges the beams."""
    model, z = AcceptanceModel(network(), SchemaRecord.of(PROCESS)), some_partons(50)
    energy, px, py, pz = z.unbind(-1)
    turned = torch.stack([energy, 0.6 * px - 0.8 * py, 0.8 * px + 0.6 * py, pz], -1)
    exchanged = torch.stack([energy, px, -py, -pz], -1)
    value = model.log_probability(z)
    assert value.std() > 0.05
    torch.testing.assert_close(model.log_probability(turned), value, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(model.log_probability(exchanged), value, atol=1e-4, rtol=1e-4)


def test_calibration_finds_offset_and_slope(torch_rng: torch.Generator) -> None:
    """Events accepted with σ(0.3 + 0.5 ℓ): the calibrated ε is that probability, within the errors of the sample."""
    made, z = network(), some_partons(40_000, seed=4)
    with torch.no_grad():
        truth = torch.sigmoid(0.3 + 0.5 * made(z).double())
    made.calibrate(z, torch.rand(len(z), generator=torch_rng, dtype=torch.float64) < truth)
    assert float(made.calibration[0]) == pytest.approx(0.3, abs=0.05)
    assert float(made.calibration[1]) == pytest.approx(0.5, abs=0.05)
    found = AcceptanceModel(made, SchemaRecord.of(PROCESS)).log_probability(z).exp()
    assert float((found - truth).abs().max()) < 0.02


def test_normalisation_is_that_of_the_events(torch_rng: torch.Generator) -> None:
    made, z = network(), some_partons(5_000, seed=5)
    accepted = torch.rand(len(z), generator=torch_rng) < 0.03
    made.normalise(z, accepted)
    mean = AcceptanceModel(made, SchemaRecord.of(PROCESS)).log_probability(z).exp().mean()
    assert float(mean) == pytest.approx(float(accepted.double().mean()), rel=1e-9)


def test_a_network_that_knows_the_opposite_is_refused(torch_rng: torch.Generator) -> None:
    made, z = network(), some_partons(2_000)
    with torch.no_grad():
        opposite = torch.rand(len(z), generator=torch_rng) < torch.sigmoid(-3.0 * made(z))
    with pytest.raises(TrainingError, match="cannot be calibrated: offset and slope"):
        made.calibrate(z, opposite)


def test_a_network_that_is_certain_of_all_events_is_refused(torch_rng: torch.Generator) -> None:
    made, z = network(), some_partons(200)
    accepted = torch.rand(len(z), generator=torch_rng) < 0.5
    with torch.no_grad():
        made.outer.bias += 1e6  # no event tells of the offset: the information is singular
    with pytest.raises(TrainingError, match="cannot be calibrated: offset and slope"):
        made.calibrate(z, accepted)


def test_saved_and_loaded(tmp_path: Path) -> None:
    made, z = network(), some_partons(20)
    made.calibration.copy_(torch.tensor([0.1, 0.9], dtype=torch.float64))
    AcceptanceModel(made, SchemaRecord.of(PROCESS)).save(tmp_path)
    assert torch.equal(AcceptanceModel.load(tmp_path).log_probability(z),
                       AcceptanceModel(made, SchemaRecord.of(PROCESS)).log_probability(z))  # fmt: skip
    document = json.loads((tmp_path / "model.json").read_text())
    document["record"]["network"] = {"hidden": []}
    (tmp_path / "model.json").write_text(json.dumps(document))
    with pytest.raises(ModelError, match="is no acceptance: its record lacks or misstates"):
        AcceptanceModel.load(tmp_path)


def test_reliability_is_a_table_of_quantiles() -> None:
    probability = torch.linspace(0.0, 1.0, 1000, dtype=torch.float64)
    rows = reliability(probability, probability > 0.5, bins=2)
    assert rows[0][0] == pytest.approx(0.25, abs=1e-3)
    assert (rows[0][1], rows[1][1]) == (0.0, 1.0)
    assert rows[0][2] == pytest.approx(math.sqrt(0.25 * 0.75 / 500), rel=1e-3)


def test_training_learns_what_is_accepted(tmp_path: Path) -> None:
    """Trained on a toy store, again from its checkpoint, and with the same result."""
    store = write_store(tmp_path / "events.parquet", 400)
    training = MemTrainingConfig(epochs=3, batch_size=64, average=None, validation_fraction=0.3)
    arguments = ([store], PROCESS, LAYOUT, (AcceptanceConfig(hidden=(8,)), training), 1)
    first = train_acceptance(*arguments, tmp_path / "model")
    weights = (tmp_path / "model" / "weights.safetensors").read_bytes()
    again = train_acceptance(*arguments, tmp_path / "model")
    assert str(first) == str(again)
    assert (tmp_path / "model" / "weights.safetensors").read_bytes() == weights
    mean = AcceptanceModel.load(tmp_path / "model").log_probability(some_partons(200)).exp()
    assert ((mean > 0) & (mean < 1)).all()
    assert first.events == 280


def test_training_needs_accepted_and_rejected_events(tmp_path: Path) -> None:
    store = write_store(tmp_path / "events.parquet", 4)  # the fifth is the first that is rejected
    with pytest.raises(TrainingError, match="accepted and rejected events, but 4 of 4 events are accepted"):
        acceptance_table([store], LAYOUT)
