"""The head of flow matching inside the transfer function: normalised, drawn from, trained, resumed, integrated over."""

import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from mem.transfer.test_consistency import contrast
from mem.transfer.test_sampling import drawn, features
from mem.transfer.toys import FLOW_SIZES, LAYOUTS, PROCESS, draw_events, some_partons, tiny_flow_transfer
from partonic.config.mem_training.transfer import ConsistencyConfig, MemTrainingConfig, TransferConfig
from partonic.mem.transfer.consistency import train_consistency
from partonic.mem.transfer.heads.flow_matching import FlowMatchingHead
from partonic.mem.transfer.heads.objects_of_kind import ObjectsOfKind
from partonic.mem.transfer.objects import ObjectTable, object_table
from partonic.mem.transfer.partons import turned
from partonic.mem.transfer.train import train_transfer
from partonic.mem.transfer.transfer_function import TransferFunction
from unfolding.toys import write_store

LAYOUT = LAYOUTS["semileptonic"]
TINY_FLOW = TransferConfig.model_validate({**FLOW_SIZES, "flow": {"width": 8, "solver": {"steps": 3}}})
FLOW = pytest.mark.parametrize("keys", [0, 4])


def objects_in(transfer: TransferFunction, table: ObjectTable, slot: int) -> tuple[FlowMatchingHead, ObjectsOfKind]:
    """The objects in one slot of events of equal partons, and their head."""
    network = transfer.network
    momenta = some_partons(1).expand(len(table), -1, -1)[:, None]
    in_frame = turned(momenta, table.azimuth[:, None].to(momenta)).float()
    states, near = network.states(table, in_frame), network.near_candidates(table, in_frame)
    head = network.head_of(int(table.kind[slot]))
    assert isinstance(head, FlowMatchingHead)
    return head, ObjectsOfKind(network.layout, table, states[:, :, slot : slot + 1], range(slot, slot + 1), near)


@FLOW
@pytest.mark.parametrize("slot", [0, 1, 2, 4], ids=["lepton", "missing momentum", "first jet", "a further jet"])
@torch.no_grad()
def test_density_of_one_object_is_normalised(slot: int, keys: int) -> None:
    """∫ p(t_pT, t_η, φ) over one object's numbers, given all others, on a grid in standard numbers of the line."""
    transfer = tiny_flow_transfer(LAYOUT, keys=keys)
    one = object_table(draw_events(LAYOUT, 1, seed=3).reco, LAYOUT)
    has_eta, has_phi = slot != 1, slot != 0
    axes = [torch.linspace(-9.0, 9.0, 55), torch.linspace(-9.0, 9.0, 55) if has_eta else torch.zeros(1)]
    axes.append((2.0 * (torch.arange(24) + 0.5) / 24 - 1.0) * math.pi if has_phi else torch.zeros(1))
    points = torch.stack([values.flatten() for values in torch.meshgrid(*axes, indexing="ij")], dim=1)
    columns = {
        name: values.expand(len(points), *values.shape[1:]).clone()
        for name, values in vars(one).items()
        if name != "kind"
    }
    table = ObjectTable(kind=one.kind, **columns)
    head, objects = objects_in(transfer, table.rows(torch.arange(1)), slot)
    mean, deviation, _ = head._scales(objects)
    table.line[:, slot], table.phi[:, slot] = points[:, :2] * deviation + mean, points[:, 2]
    whole = 0.0
    for rows in torch.arange(len(points)).split(8_000):
        _, objects = objects_in(transfer, table.rows(rows), slot)
        whole += float(head.log_prob(objects).double().exp().sum())
    volume = (18.0 / 54) ** (2 if has_eta else 1) * (2.0 * math.pi / 24 if has_phi else 1.0)
    assert whole * volume * float(deviation[0, : 2 if has_eta else 1].prod()) == pytest.approx(1.0, abs=0.01)


@pytest.mark.parametrize("layout", [LAYOUTS["photons"], LAYOUTS["all_hadronic"]], ids=["photons", "all hadronic"])
def test_drawn_events_have_the_density(layout) -> None:
    """E_p[f p'/p] = E_p'[f] for two networks p and p', as of the other heads."""
    first, second = (tiny_flow_transfer(layout, spread=spread) for spread in (0.06, 0.08))
    count = 3_000
    x, z = drawn(first, count)
    weights = (second.log_density(x, z[:, None]) - first.log_density(x, z[:, None]))[:, 0].exp()
    error = float(weights.std()) / math.sqrt(count)
    assert 1e-4 < error < 0.05
    assert abs(float(weights.mean()) - 1.0) < 4.0 * error
    found = features(drawn(second, count, seed=3)[0])
    for name, values in features(x).items():
        reweighted = weights * values
        error = math.sqrt(float(reweighted.var() + found[name].var()) / count)
        assert error < 0.05, name
        assert abs(float(reweighted.mean() - found[name].mean())) < 4.5 * error, name


def test_density_is_that_of_the_event_alone_and_of_its_turn_about_the_beam() -> None:
    transfer, reco = tiny_flow_transfer(LAYOUT), draw_events(LAYOUT, 12, seed=8).reco
    momenta = some_partons(12 * 3).view(12, 3, 3, 4)
    together = transfer.log_density(reco, momenta)
    assert bool(torch.isfinite(together).all())
    for event in (0, 7):
        alone = transfer.log_density(reco.select(torch.tensor([event])), momenta[event : event + 1, 1:2])
        torch.testing.assert_close(alone[0, 0], together[event, 1], atol=1e-4, rtol=1e-5)
    turn = torch.tensor(1.3)
    turned_momenta = turned(momenta, (-turn).expand(12, 3).to(momenta))

    def rotated(phi: Tensor) -> Tensor:
        return torch.remainder(phi + turn + math.pi, 2.0 * math.pi) - math.pi

    jets, leptons, met = reco.jets.clone(), reco.leptons.clone(), reco.met.clone()
    jets[..., 2], leptons[..., 2], met[:, 1] = rotated(jets[..., 2]), rotated(leptons[..., 2]), rotated(met[:, 1])
    again = transfer.log_density(replace(reco, jets=jets, leptons=leptons, met=met), turned_momenta)
    torch.testing.assert_close(again, together, atol=5e-3, rtol=1e-4)


def test_training_lowers_the_density_loss_resumes_and_goes_among_proposed_partons(tmp_path: Path) -> None:
    """Training validates by −log p itself; the consistency phase differentiates through the solver."""
    store = write_store(tmp_path / "events.parquet", 200)
    training = MemTrainingConfig(epochs=5, batch_size=32, learning_rate=5e-3, average=None)
    folder = tmp_path / "model"
    arguments = ([store], PROCESS, LAYOUT, (TINY_FLOW, training), 1)
    result = train_transfer(*arguments, folder)
    epochs = [line.split(",") for line in (folder / "phase" / "epochs.csv").read_text().splitlines()[1:]]
    assert float(epochs[-1][7]) < float(epochs[0][7]) - 0.5
    weights = (folder / "weights.safetensors").read_bytes()
    half = train_transfer(*arguments[:3], (TINY_FLOW, training), 1, tmp_path / "again")
    assert (tmp_path / "again" / "weights.safetensors").read_bytes() == weights
    assert half.validation == result.validation
    assert str(train_transfer(*arguments, folder)) == str(result)
    loaded = TransferFunction.load(folder)
    assert loaded.network.config == TINY_FLOW
    section = ConsistencyConfig(epochs=1, proposals=3, used=2, learning_rate=1e-3)
    line = train_consistency([store], contrast(), (section, training), 1, folder)
    assert "among proposed partons" in line
    assert (folder / "weights.safetensors").read_bytes() != weights
