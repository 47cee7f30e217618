"""The learned proposal: one density for samples, given points and base numbers; exact under rotations of events."""

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from mem.channel_toys import CUBE, DECAY_CHANNELS, PROCESS, channel_of, random_network, reco_of, write_channel_store
from partonic.config.unfolding import SamplingConfig
from partonic.errors import ModelError
from partonic.events.batch import RecoEvents
from partonic.features.decay_channel import DecayChannel, DecayChannelName
from partonic.mem.protocols import LatentProposal, PartonMap
from partonic.physics.phasespace import PartonCube
from partonic.physics.process import PartonEvents
from partonic.trained.model_folder import load_record, save_model
from partonic.unfolding.decay_channel.targets import RegressionTargets
from partonic.unfolding.sample_events import sample_events
from partonic.unfolding.samples_file import SamplesFile
from partonic.unfolding.unfolder import Unfolder

TTBB = PartonCube((172.5, 172.5, 0.0, 0.0), 13_000.0)


@pytest.fixture(scope="module")
def events(tmp_path_factory: pytest.TempPathFactory) -> Callable[[DecayChannelName], RecoEvents]:
    folder = tmp_path_factory.mktemp("stores")
    found = {name: reco_of(write_channel_store(folder / f"{name}.parquet", name, 20), 6) for name in DECAY_CHANNELS}
    return found.__getitem__


@pytest.fixture(params=[*DECAY_CHANNELS, "ttbb"])
def case(
    request: pytest.FixtureRequest, events: Callable[[DecayChannelName], RecoEvents]
) -> tuple[Unfolder, RecoEvents]:
    name: DecayChannelName = "semileptonic" if request.param == "ttbb" else request.param
    return random_network(name, events(name), TTBB if request.param == "ttbb" else CUBE), events(name)


def turned(reco: RecoEvents, angle: float, mirrored: bool) -> RecoEvents:
    """Rotate events about the beam, and then by π about the x axis."""

    def rotate(values: torch.Tensor, eta: int | None, phi: int) -> torch.Tensor:
        columns = list(values.unbind(dim=-1))
        columns[phi] = (-1.0 if mirrored else 1.0) * (columns[phi] + angle)
        columns[phi] = torch.remainder(columns[phi] + math.pi, 2.0 * math.pi) - math.pi
        if mirrored and eta is not None:
            columns[eta] = -columns[eta]
        return torch.stack(columns, dim=-1)

    return replace(
        reco, jets=rotate(reco.jets, 1, 2), leptons=rotate(reco.leptons, 1, 2), met=rotate(reco.met, None, 1)
    )


def rotated_partons(cube: PartonCube, numbers: torch.Tensor, angle: float, mirrored: bool) -> torch.Tensor:
    """Numbers of partons whose momenta are rotated like the events."""
    flat, _ = cube.partons(numbers.flatten(0, 1))
    energy, px, py, pz = flat.momenta.unbind(-1)
    sign = -1.0 if mirrored else 1.0
    cosine, sine = math.cos(angle), math.sin(angle)
    momenta = torch.stack([energy, cosine * px - sine * py, sign * (sine * px + cosine * py), sign * pz], dim=-1)
    x1, x2 = (flat.x2, flat.x1) if mirrored else (flat.x1, flat.x2)
    return cube.numbers(PartonEvents(momenta, x1, x2))[0].view(numbers.shape)


def test_satisfies_the_protocols(case: tuple[Unfolder, RecoEvents]) -> None:
    network, _ = case
    assert isinstance(network, LatentProposal)
    assert isinstance(network.view, PartonMap)
    assert network.view.dimensions == 3 * len(network.network.decay_channel.parton_pdg) - 2


def test_transport_and_density_agree(case: tuple[Unfolder, RecoEvents], torch_rng: torch.Generator) -> None:
    network, reco = case
    noise = network.base_scale * torch.randn((len(reco), 60, network.view.dimensions), generator=torch_rng)
    numbers, log_slope = network.transport(reco, noise)
    within = torch.isfinite(log_slope)
    assert within.double().mean() > 0.9
    expected = network.network.flow.flow.base_log_prob(noise).double() + log_slope
    found = network.log_density(reco, numbers)
    torch.testing.assert_close(found[within], expected[within], rtol=0.0, atol=5e-3)
    assert bool(((numbers >= 0.0) & (numbers <= 1.0)).all())


def test_samples_are_those_of_their_noise(case: tuple[Unfolder, RecoEvents], seed: int) -> None:
    network, reco = case
    numbers, log_density = network.sample_and_log_density(reco, 8, torch.Generator().manual_seed(seed))
    shape = (len(reco), 8, network.view.dimensions)
    noise = torch.randn(shape, generator=torch.Generator().manual_seed(seed)) * network.base_scale
    again, log_slope = network.transport(reco, noise)
    assert torch.equal(numbers, again)
    assert torch.equal(log_density, network.network.flow.flow.base_log_prob(noise).double() + log_slope)


def test_density_integrates_to_one(case: tuple[Unfolder, RecoEvents], torch_rng: torch.Generator) -> None:
    """∫ q du of one event, by points of a proposal of our own: the network's, from a base 1.3 times as wide."""
    network, reco = case
    one, n, scale = reco.select(torch.tensor([0])), 20_000, 1.3 * network.base_scale
    noise = scale * torch.randn((1, n, network.view.dimensions), generator=torch_rng)
    numbers, log_slope = network.transport(one, noise)
    log_base = -0.5 * (noise / scale).double().square().sum(-1)
    log_base = log_base - network.view.dimensions * math.log(scale * math.sqrt(2.0 * math.pi))
    density = network.log_density(one, numbers)
    weights = (density - log_base - log_slope).exp()[0]
    error = float(weights.std()) / math.sqrt(n)
    assert error < 0.03
    assert abs(float(weights.mean()) - 1.0) < 4.0 * error + 2e-3


@pytest.mark.parametrize(("angle", "mirrored"), [(0.7, False), (-2.5, True)])
def test_partons_turn_with_the_event(
    case: tuple[Unfolder, RecoEvents], angle: float, mirrored: bool, torch_rng: torch.Generator
) -> None:
    network, reco = case
    numbers, log_slope = network.transport(
        reco, torch.randn((len(reco), 20, network.view.dimensions), generator=torch_rng) * network.base_scale
    )
    within = torch.isfinite(log_slope)
    before = network.log_density(reco, numbers)
    there = rotated_partons(network.view, numbers, angle, mirrored)
    after = network.log_density(turned(reco, angle, mirrored), there)
    torch.testing.assert_close(after[within], before[within], rtol=0.0, atol=1e-2)


@pytest.mark.parametrize("name", ["all_hadronic", "ttbb"])
def test_partons_that_look_alike_may_be_exchanged(
    name: str, events: Callable[[DecayChannelName], RecoEvents], torch_rng: torch.Generator
) -> None:
    decay_channel: DecayChannelName = "all_hadronic" if name == "all_hadronic" else "semileptonic"
    reco = events(decay_channel)
    network = random_network(decay_channel, reco, TTBB if name == "ttbb" else CUBE)
    cube = network.view
    numbers = 0.02 + 0.96 * torch.rand((len(reco), 30, cube.dimensions), generator=torch_rng, dtype=torch.float64)
    partons, _ = cube.partons(numbers.flatten(0, 1))
    order = [*range(len(cube.masses) - 2), len(cube.masses) - 1, len(cube.masses) - 2]
    other = cube.numbers(PartonEvents(partons.momenta[:, order], partons.x1, partons.x2))[0].view(numbers.shape)
    torch.testing.assert_close(network.log_density(reco, other), network.log_density(reco, numbers), rtol=0, atol=1e-2)


def test_which_partons_look_alike() -> None:
    assert not channel_of("semileptonic").exchangeable
    assert not channel_of("dilepton").exchangeable
    assert channel_of("all_hadronic").exchangeable
    assert DecayChannel("dilepton", (6, -6, 5, -5)).exchangeable


@pytest.mark.parametrize("exchangeable", [False, True])
def test_azimuths_do_not_break_at_the_seam(exchangeable: bool) -> None:
    """Events on both sides of φ = 0 = 2π have nearly the same targets, and centres that lead back to them."""
    targets = RegressionTargets(CUBE, exchangeable)
    numbers = torch.full((2, CUBE.dimensions), 0.4, dtype=torch.float64)
    numbers[:, list(CUBE.azimuth_numbers)] = torch.tensor([[1e-6], [1.0 - 1e-6]], dtype=torch.float64)
    outputs = targets(numbers)
    assert float((outputs[0] - outputs[1]).abs().max()) < 1e-4
    periods = torch.tensor([1.0, 2.0 if exchangeable else 1.0], dtype=torch.float64)
    centre = targets.centre(outputs)[:, list(CUBE.azimuth_numbers)] * periods
    expected = numbers[:, list(CUBE.azimuth_numbers)] * periods
    distance = torch.remainder(centre - expected + 0.5, 1.0) - 0.5
    assert float(distance.abs().max()) < 1e-5


def test_density_is_continuous_at_the_seam(events: Callable[[DecayChannelName], RecoEvents]) -> None:
    """Two points on either side of φ = 0 = 2π of an event have the same density, wherever its centre is."""
    reco = events("semileptonic")
    network = random_network("semileptonic", reco)
    left = torch.full((len(reco), 1, 7), 0.45, dtype=torch.float64)
    right = left.clone()
    left[..., 4], right[..., 4] = 1.0 - 1e-7, 1e-7
    densities = [network.log_density(reco, numbers) for numbers in (left, right)]
    torch.testing.assert_close(densities[0], densities[1], rtol=0.0, atol=1e-2)


def test_order_of_leptons_does_not_matter(
    events: Callable[[DecayChannelName], RecoEvents], torch_rng: torch.Generator
) -> None:
    reco = events("dilepton")
    network = random_network("dilepton", reco)
    numbers = torch.rand((len(reco), 4, 7), generator=torch_rng, dtype=torch.float64)
    order = [1, 0, 2, 3]
    swapped = replace(
        reco, leptons=reco.leptons[:, order], lepton_pdg=reco.lepton_pdg[:, order],
        lepton_mask=reco.lepton_mask[:, order],
    )  # fmt: skip
    first, second = (network.log_density(x, numbers) for x in (reco, swapped))
    torch.testing.assert_close(second, first, rtol=0.0, atol=1e-3)


def test_bad_events_are_nan_and_cost_nothing_else(case: tuple[Unfolder, RecoEvents]) -> None:
    network, reco = case
    jets = reco.jets.clone()
    jets[1, 0, 0] = torch.nan
    bad = replace(reco, jets=jets)
    noise = torch.randn((len(reco), 3, network.view.dimensions), generator=torch.Generator().manual_seed(1)) * 0.5
    numbers, log_slope = network.transport(bad, noise)
    assert network.status(bad)[1] == "a jet is NaN or infinite"
    assert bool(numbers[1].isnan().all())
    assert bool(log_slope[1].isnan().all())
    others = torch.tensor([row != 1 for row in range(len(reco))])
    good, _ = network.transport(reco, noise)
    torch.testing.assert_close(numbers[others], good[others], rtol=0.0, atol=1e-5)


def test_a_batch_without_usable_events_is_empty_handed(case: tuple[Unfolder, RecoEvents]) -> None:
    network, reco = case
    nothing = replace(reco, jet_mask=torch.zeros_like(reco.jet_mask))
    numbers, log_density = network.sample_and_log_density(nothing, 4, torch.Generator().manual_seed(1))
    assert numbers.shape == (len(reco), 4, network.view.dimensions)
    assert bool(log_density.isnan().all())


def test_saved_and_loaded(case: tuple[Unfolder, RecoEvents], tmp_path: Path) -> None:
    network, reco = case
    network.network.flow.flow.config = replace(network.network.flow.flow.config, base_scale=1.07)
    network.save(tmp_path / "model")
    loaded = Unfolder.load(tmp_path / "model")
    noise = torch.randn((len(reco), 5, network.view.dimensions), generator=torch.Generator().manual_seed(2))
    for one, other in zip(network.transport(reco, noise), loaded.transport(reco, noise), strict=True):
        assert torch.equal(one, other)
    assert loaded.base_scale == 1.07
    assert (loaded.view, loaded.network.jets_min) == (network.view, network.network.jets_min)
    assert loaded.schema.process == PROCESS.name


def test_other_models_are_refused(events: Callable[[DecayChannelName], RecoEvents], tmp_path: Path) -> None:
    network = random_network("semileptonic", events("semileptonic"))
    network.save(tmp_path / "model")
    record = load_record(tmp_path / "model")
    for name, told in (("cube", "cube"), ("channel", "view or channel"), ("jets_min", "jets_min")):
        save_model(tmp_path / name, network.network, {key: value for key, value in record.items() if key != name})
        with pytest.raises(ModelError, match=f"is no model of unfolding: its record lacks or misstates '{told}'"):
            Unfolder.load(tmp_path / name)
    save_model(tmp_path / "pdg", network.network, {**record, "channel": {"name": "dilepton", "parton_pdg": [25]}})
    with pytest.raises(ModelError, match="needs one t and one t̄"):
        Unfolder.load(tmp_path / "pdg")


def test_sampled_partons_are_draws_from_the_density(case: tuple[Unfolder, RecoEvents]) -> None:
    """In every decay channel, partons are sampled as for CMS-DP-2023-85, with the density that `log_density` gives."""
    network, reco = case
    drawn = network.sample(reco, 40, torch.Generator().manual_seed(4))
    assert drawn.momenta.shape == (len(reco), 40, len(network.view.masses), 4)
    assert network.view.particles == network.network.decay_channel.names
    difference = (network.log_density(reco, drawn.numbers) - drawn.log_density).abs()
    assert difference.median() < 1e-4
    assert difference.quantile(0.95) < 5e-3
    if network.network.decay_channel.exchangeable:  # both orders are drawn
        azimuths = drawn.numbers[..., -1]
        turned = torch.remainder(azimuths - azimuths[:, :1] + 0.25, 1.0) < 0.5
        assert 0.3 < turned.double().mean() < 0.7


def test_what_only_other_networks_regress_is_refused(case: tuple[Unfolder, RecoEvents]) -> None:
    network, reco = case
    with pytest.raises(ModelError, match="and regresses momenta for none"):
        network.regress(reco)
    with pytest.raises(ModelError, match="and assigns jets for none"):
        network.provenance(reco)


@pytest.mark.parametrize("name", ["dilepton", "all_hadronic"])
def test_the_events_of_a_store_are_sampled_in_any_decay_channel(name: DecayChannelName, tmp_path: Path) -> None:
    store = write_channel_store(tmp_path / "events.parquet", name, 20)
    random_network(name, reco_of(store)).save(tmp_path / "model")
    config = SamplingConfig(samples_per_event=5)
    result = sample_events(store, tmp_path / "samples.parquet", tmp_path / "model", None, config, 1)
    assert result.counts == {"ok": 16}
    file = SamplesFile.open(result.path)
    assert (file.metadata.view, file.metadata.particles) == (name, ("H", "t", "tbar"))
    (events,) = file.batches(size=100)
    assert events.samples.momenta.shape == (16, 5, 3, 4)
    assert bool(events.samples.log_density.isfinite().all())
