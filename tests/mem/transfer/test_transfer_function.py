import json
import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from mem.transfer.toys import LAYOUTS, PROCESS, draw_events, some_partons, tiny_transfer
from partonic.errors import ModelError, ProcessError, SchemaError
from partonic.events.batch import RecoEvents
from partonic.events.schema import StoreMetadata
from partonic.mem.transfer.layout import TransferLayout
from partonic.mem.transfer.transfer_function import TransferFunction

by_channel = pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)


def take(reco: RecoEvents, rows: slice | list[int]) -> RecoEvents:
    return RecoEvents(**{name: values[rows] for name, values in vars(reco).items()})


@by_channel
def test_density_is_normalised_over_all_events(layout: TransferLayout) -> None:
    """∫ p_T(x|z) dx = 1, by importance sampling of x from a density with a Jacobian of its own."""
    events = draw_events(layout, 10_000, seed=5)
    z = some_partons(1).expand(len(events.reco), -1, -1)[:, None]
    weights = (tiny_transfer(layout, spread=0.05).log_density(events.reco, z)[:, 0] - events.log_density).exp()
    error = float(weights.std() / math.sqrt(len(weights)))
    assert error < 0.04
    assert abs(float(weights.mean()) - 1.0) < 4 * error


@by_channel
def test_turning_event_and_partons_about_the_beam_changes_nothing(layout: TransferLayout) -> None:
    reco, momenta, turn = draw_events(layout, 20, seed=6).reco, some_partons(20)[:, None], 2.1
    transfer = tiny_transfer(layout)
    cosine, sine = math.cos(turn), math.sin(turn)
    energy, px, py, pz = momenta.unbind(-1)
    turned = torch.stack([energy, cosine * px - sine * py, sine * px + cosine * py, pz], -1)

    def rotated(phi):
        return torch.remainder(phi + turn + math.pi, 2 * math.pi) - math.pi

    jets, leptons, met = reco.jets.clone(), reco.leptons.clone(), reco.met.clone()
    jets[..., 2] = torch.where(reco.jet_mask, rotated(jets[..., 2]), 0.0)
    leptons[..., 2], met[:, 1] = rotated(leptons[..., 2]), rotated(met[:, 1])
    photons = reco.photons.clone()
    photons[..., 2] = rotated(photons[..., 2])
    again = replace(reco, jets=jets, leptons=leptons, met=met, photons=photons)
    torch.testing.assert_close(
        transfer.log_density(again, turned), transfer.log_density(reco, momenta), atol=2e-3, rtol=1e-4
    )


def test_photons_are_objects_like_jets() -> None:
    """Every number of each photon counts; without them, or in another order, the event is none of these."""
    layout = LAYOUTS["photons"]
    transfer, reco, momenta = (
        tiny_transfer(layout, candidates=4),
        draw_events(layout, 8, 7).reco,
        some_partons(8)[:, None],
    )
    value = transfer.log_density(reco, momenta)
    assert bool(value.isfinite().all())
    for place in (0, 1):
        for number, factor in enumerate((1.02 if place == 0 else 0.98, 0.9, 0.9)):
            photons = reco.photons.clone()
            photons[:, place, number] *= factor
            assert (transfer.log_density(replace(reco, photons=photons), momenta) - value).abs().min() > 1e-5
    for photons, mask in (
        (reco.photons.flip(1), reco.photon_mask),
        (reco.photons, reco.photon_mask & (torch.arange(2) < 1)),
        (reco.photons[:, :0], reco.photon_mask[:, :0]),
    ):
        without = replace(reco, photons=photons, photon_mask=mask)
        assert bool((transfer.log_density(without, momenta) == -math.inf).all())


def test_density_depends_on_the_partons_and_on_every_object() -> None:
    layout = LAYOUTS["semileptonic"]
    transfer, reco, momenta = tiny_transfer(layout), draw_events(layout, 8, seed=7).reco, some_partons(8)[:, None]
    value = transfer.log_density(reco, momenta)
    assert (transfer.log_density(reco, momenta * torch.tensor([1.0, 1.2, 0.9, 1.1])) - value).abs().min() > 1e-3
    for change in (
        {"jets": reco.jets * torch.tensor([1.0, 0.9, 1.0, 1.0, 1.0])},
        {"leptons": reco.leptons * torch.tensor([1.0, 0.9, 1.0, 1.0, 1.0])},
        {"met": reco.met * 0.9},
    ):
        assert (transfer.log_density(replace(reco, **change), momenta) - value).abs().min() > 1e-4


def test_events_do_not_depend_on_their_company() -> None:
    """Neither on other events, nor on how many sets of partons are asked for at a time."""
    layout = LAYOUTS["semileptonic"]
    transfer, reco = tiny_transfer(layout), draw_events(layout, 12, seed=8).reco
    momenta = some_partons(12 * 5).view(12, 5, 3, 4)
    together = transfer.log_density(reco, momenta)
    alone = torch.cat([transfer.log_density(take(reco, [i]), momenta[i : i + 1, 2:3]) for i in range(12)])
    torch.testing.assert_close(alone, together[:, 2:3], atol=1e-4, rtol=1e-5)


@by_channel
def test_padding_may_hold_anything(layout: TransferLayout) -> None:
    reco, momenta = draw_events(layout, 12, seed=9).reco, some_partons(12)[:, None]
    filled = replace(reco, jets=torch.where(reco.jet_mask[..., None], reco.jets, math.nan))
    transfer = tiny_transfer(layout)
    assert torch.equal(transfer.log_density(filled, momenta), transfer.log_density(reco, momenta))


def test_density_vanishes_outside_the_cuts() -> None:
    layout = LAYOUTS["semileptonic"]
    transfer = tiny_transfer(layout)
    reco, momenta = draw_events(layout, 6, seed=10).reco, some_partons(6)[:, None]
    jets, leptons = reco.jets.clone(), reco.leptons.clone()
    jets[0, 3, 0] = 29.0  # softer than any jet counts
    jets[1, 0, 1] = 2.5
    leptons[2, 0, 0] = 28.0
    tagged, mask = reco.jet_tagged.clone(), reco.jet_mask.clone()
    tagged[3] = False
    mask[4, 3:] = False
    jets[5, [0, 1]] = jets[5, [1, 0]]  # not in descending order
    changed = replace(reco, jets=jets, leptons=leptons, jet_tagged=tagged & mask, jet_mask=mask)
    assert torch.isfinite(transfer.log_density(reco, momenta)).all()
    assert torch.isneginf(transfer.log_density(changed, momenta)).all()


def test_an_event_at_the_edge_has_a_finite_density() -> None:
    layout = LAYOUTS["semileptonic"]
    reco = draw_events(layout, 3, seed=11).reco
    jets, met = reco.jets.clone(), reco.met.clone()
    jets[0, 3, 0] = 30.0
    jets[1, 1, 0] = jets[1, 0, 0]
    met[2, 0] = 0.0
    edge = replace(reco, jets=jets, met=met)
    assert torch.isfinite(tiny_transfer(layout).log_density(edge, some_partons(3)[:, None])).all()


def test_order_of_leptons_does_not_matter() -> None:
    """In the dilepton decay channel they are told apart by their charge."""
    layout = LAYOUTS["dilepton"]
    reco, momenta = draw_events(layout, 6, seed=12).reco, some_partons(6)[:, None]
    exchanged = replace(reco, leptons=reco.leptons.flip(1), lepton_pdg=reco.lepton_pdg.flip(1))
    transfer = tiny_transfer(layout)
    assert torch.equal(transfer.log_density(exchanged, momenta), transfer.log_density(reco, momenta))


def test_saved_and_loaded(tmp_path: Path) -> None:
    layout = LAYOUTS["semileptonic"]
    transfer, reco, momenta = tiny_transfer(layout), draw_events(layout, 4, seed=13).reco, some_partons(4)[:, None]
    transfer.save(tmp_path)
    loaded = TransferFunction.load(tmp_path)
    assert loaded.layout == layout
    assert torch.equal(loaded.log_density(reco, momenta), transfer.log_density(reco, momenta))


def test_a_record_of_something_else_is_refused(tmp_path: Path) -> None:
    tiny_transfer(LAYOUTS["semileptonic"]).save(tmp_path)
    document = json.loads((tmp_path / "model.json").read_text())
    del document["record"]["layout"]["jets_min"]
    (tmp_path / "model.json").write_text(json.dumps(document))
    with pytest.raises(ModelError, match="no transfer function: its record lacks or misstates"):
        TransferFunction.load(tmp_path)


def test_events_of_another_collider_are_refused() -> None:
    transfer = tiny_transfer(LAYOUTS["semileptonic"])
    transfer.check(StoreMetadata.for_process(PROCESS), "here")
    other = StoreMetadata.for_process(replace(PROCESS, collider_energy=14000.0))
    with pytest.raises(SchemaError, match=r"√S = 14000 GeV, the model knows 13000"):
        transfer.check(other, "here")


def test_a_layout_needs_one_channel() -> None:
    from partonic.config.simulation import DecayConfig, SimulationConfig

    simulation = SimulationConfig(decays=DecayConfig(tops="inclusive"))
    with pytest.raises(ProcessError, match=r"decay 'inclusive'; set simulation\.decays\.tops"):
        TransferLayout.of(simulation, PROCESS.parton_pdg)
    layout = TransferLayout.of(SimulationConfig(), PROCESS.parton_pdg)
    assert (layout.decays, layout.jets_min, layout.b_tags_min, layout.lepton_pt_min) == ("semileptonic", 4, 3, 29.0)
    assert TransferLayout.of_record(json.loads(json.dumps(layout.record()))) == layout
