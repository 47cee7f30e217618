import math
from pathlib import Path

import pytest
import torch
from torch import Tensor

from mem.transfer.toys import LAYOUTS, PROCESS, TINY
from partonic.config.mem_training.transfer import ConsistencyConfig, MemTrainingConfig
from partonic.errors import ModelError, SchemaError
from partonic.events.batch import RecoEvents
from partonic.mem.transfer.consistency import Contrast, train_consistency
from partonic.mem.transfer.data import transfer_table
from partonic.mem.transfer.train import train_transfer
from partonic.mem.transfer.transfer_function import TransferFunction
from partonic.physics.process import PartonEvents
from partonic.processes.definition import build_process
from partonic.processes.tth.settings import TthConfig
from unfolding.toys import HARD, gaussian_log_density, write_store

LAYOUT = LAYOUTS["semileptonic"]


class ToyProposal:
    """u = σ(z) of standard normal z, whatever the event."""

    view = HARD

    def __init__(self, broken: bool = False) -> None:
        self.broken = broken

    def sample_and_log_density(self, x: RecoEvents, n: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        numbers = torch.randn(len(x), n, 7, generator=generator, dtype=torch.float64).sigmoid()
        return numbers, self.log_density(x, numbers)

    def log_density(self, reco: RecoEvents, numbers: Tensor) -> Tensor:
        density = gaussian_log_density(numbers)
        return torch.full_like(density, math.nan) if self.broken else density


class Half:
    """An acceptance of one half."""

    def log_probability(self, momenta: Tensor) -> Tensor:
        return torch.full((len(momenta),), math.log(0.5), dtype=torch.float64)


def contrast(broken: bool = False) -> Contrast:
    return Contrast(build_process(TthConfig()), ToyProposal(broken), Half(), 3, torch.Generator().manual_seed(2))


def test_rho_is_the_weight_of_the_integral_without_the_transfer_function(tmp_path: Path) -> None:
    """Worked out anew from the proposed momenta: c_0 ε |dz/du| / q."""
    store = write_store(tmp_path / "events.parquet", 30)
    made = contrast()
    table = transfer_table([store], LAYOUT, extra=made).columns
    assert table["proposed"].shape == (len(table["rho"]), 3, 3, 4)
    assert torch.equal(table["weight"] > 0, torch.ones(len(table["rho"]), dtype=torch.bool))
    partons = table["proposed"].double().flatten(0, 1)
    total = partons.sum(dim=1)
    x1, x2 = ((total[:, 0] + sign * total[:, 3]) / 13_000.0 for sign in (1, -1))
    events = PartonEvents(partons, x1, x2)
    numbers, log_inverse = HARD.numbers(events)
    # t_had stands where t does; toy leptons are μ⁻, which come from t̄, so that the order is that of the process
    first = made.process.coefficients(events)[:, 0]
    expected = first.log() + math.log(0.5) - log_inverse - gaussian_log_density(numbers)
    torch.testing.assert_close(table["rho"][:, 1:].flatten().double(), expected, atol=5e-3, rtol=1e-3)


def test_training_goes_on_from_the_transfer_function_and_resumes(tmp_path: Path) -> None:
    store = write_store(tmp_path / "events.parquet", 150)
    training = MemTrainingConfig(epochs=1, batch_size=32, average=None)
    folder = tmp_path / "model"
    train_transfer([store], PROCESS, LAYOUT, (TINY, training), 1, folder)
    before = (folder / "weights.safetensors").read_bytes()
    section = ConsistencyConfig(epochs=3, proposals=3, used=2, learning_rate=5e-3)
    line = train_consistency([store], contrast(), (section, training), 1, folder)
    assert line.startswith("transfer function among proposed partons: loss")
    assert (folder / "weights.safetensors").read_bytes() != before
    columns = [row.split(",") for row in (folder / "consistency" / "epochs.csv").read_text().splitlines()]
    contrasts = [float(row[columns[0].index("contrast")]) for row in columns[1:]]
    assert contrasts[-1] < contrasts[0]
    assert TransferFunction.load(folder).record["consistency"]["epochs"] == 3


def test_it_needs_a_transfer_function_and_usable_proposals(tmp_path: Path) -> None:
    store = write_store(tmp_path / "events.parquet", 20)
    settings = (ConsistencyConfig(proposals=3, used=2), MemTrainingConfig())
    with pytest.raises(ModelError, match="holds no trained model"):
        train_consistency([store], contrast(), settings, 1, tmp_path / "nothing")
    with pytest.raises(SchemaError, match=r"the proposal has no partons for 16 of 16 training events"):
        transfer_table([store], LAYOUT, extra=contrast(broken=True))
