"""The whole chain in every decay channel: store, training, model folder, and what the model answers."""

from pathlib import Path

import pytest
import torch

from mem.channel_toys import CUBE, DECAY_CHANNELS, channel_of, reco_of, write_channel_store
from mem.transfer.toys import LAYOUTS, tiny_acceptance, tiny_transfer
from partonic.config.mem_training.proposal import ProposalNetworkConfig
from partonic.errors import ConfigError, SchemaError
from partonic.events.schema import ProcessInfo
from partonic.features.decay_channel import DecayChannel, DecayChannelName
from partonic.features.object_tokens import ObjectTokens
from partonic.mem.proposal.data import proposal_table, with_reflections
from partonic.mem.proposal.drawn_events import Surrogate
from partonic.mem.proposal.train import TrainedProposal, train_proposal
from partonic.physics.process import Process
from partonic.processes.definition import build_process
from partonic.processes.tth.settings import TthConfig
from partonic.trained.model_folder import load_record
from partonic.unfolding.unfolder import Unfolder
from partonic.unfolding.view import DecayChannelView

EVENTS = 200


@pytest.fixture(scope="module")
def process() -> Process:
    return build_process(TthConfig())


def tiny(**training: object) -> ProposalNetworkConfig:
    few = {"batch_size": 48, "epochs": 2, "flow_epochs": 1, "validation_fraction": 0.2}
    return ProposalNetworkConfig.model_validate({"preset": "tiny", "training": {**few, **training}})


def train(
    process: Process, name: DecayChannelName, folder: Path, config: ProposalNetworkConfig | None = None
) -> TrainedProposal:
    store = write_channel_store(folder / "events.parquet", name, EVENTS)
    return train_proposal([store], process, channel_of(name), config or tiny(), 3, folder / "model")


@pytest.mark.parametrize("name", DECAY_CHANNELS)
def test_from_store_to_transport(process: Process, name: DecayChannelName, tmp_path: Path) -> None:
    result = train(process, name, tmp_path)
    network = Unfolder.load(result.folder)
    reco = reco_of(tmp_path / "events.parquet")
    assert set(network.status(reco)) == {"ok"}
    noise = network.base_scale * torch.randn((len(reco), 20, 7), generator=torch.Generator().manual_seed(1))
    numbers, log_slope = network.transport(reco, noise)
    assert bool(numbers.isfinite().all())
    assert torch.isfinite(log_slope).double().mean() > 0.9
    assert network.network.jets_min == {"semileptonic": 6, "dilepton": 4, "all_hadronic": 8}[name]
    assert result.events == round(0.8 * (EVENTS - EVENTS // 5))
    assert "coverage" in str(result)
    assert "−log q" in str(result)


def test_models_know_how_they_were_made_and_training_is_repeatable(process: Process, tmp_path: Path) -> None:
    results = []
    for place in ("first", "second"):
        (tmp_path / place).mkdir()
        results.append(train(process, "semileptonic", tmp_path / place))
    first, second = (load_record(result.folder) for result in results)
    assert first["training"] == second["training"]
    assert first["training"]["epochs"] == {"regression": 1, "joint": 2, "flow": 1}
    assert first["channel"] == {"name": "semileptonic", "parton_pdg": [25, 6, -6]}
    assert results[0].validation == results[1].validation
    weights = [(result.folder / "weights.safetensors").read_bytes() for result in results]
    assert weights[0] == weights[1]


def test_finished_training_is_found_again(process: Process, tmp_path: Path) -> None:
    before = train(process, "dilepton", tmp_path)
    assert train(process, "dilepton", tmp_path) == before


def test_events_of_another_channel_are_refused(process: Process, tmp_path: Path) -> None:
    store = write_channel_store(tmp_path / "events.parquet", "all_hadronic", 30)
    with pytest.raises(SchemaError, match="has what the decay channel 'dilepton' needs"):
        train_proposal([store], process, channel_of("dilepton"), tiny(), 3, tmp_path / "model")


def test_process_and_channel_must_agree(process: Process, tmp_path: Path) -> None:
    decay_channel = DecayChannel("semileptonic", (6, -6))
    with pytest.raises(SchemaError, match=r"the process has the partons \(25, 6, -6\), the decay channel \(6, -6\)"):
        train_proposal([], process, decay_channel, tiny(), 3, tmp_path)


def test_reflected_events_are_those_of_reflected_momenta(tmp_path: Path) -> None:
    """Mirror laboratory momenta, y → −y, of an event whose reference lies at azimuth 0 and in front."""
    store = write_channel_store(tmp_path / "events.parquet", "semileptonic", 30)
    table = proposal_table([store], DecayChannelView.of(channel_of("semileptonic"), CUBE), 16)
    both = with_reflections(table, CUBE)
    first, second = both.part(0, len(table)).columns, both.part(len(table), 2 * len(table)).columns
    signs = torch.tensor([1.0, 1.0, -1.0, 1.0], dtype=torch.float64)
    partons, images = (CUBE.partons(columns["numbers"])[0] for columns in (first, second))
    torch.testing.assert_close(images.momenta, partons.momenta * signs, rtol=1e-8, atol=1e-6)
    tokens, mirrored = (ObjectTokens.of_columns(columns) for columns in (first, second))
    torch.testing.assert_close(mirrored.momenta(), tokens.momenta() * signs.float(), rtol=1e-5, atol=1e-3)
    sums = tokens.event * torch.tensor([1.0, 1.0, -1.0, 1.0, 1.0])
    assert torch.equal(mirrored.event, sums)


def test_training_with_reflections_has_twice_the_events(process: Process, tmp_path: Path) -> None:
    assert train(process, "semileptonic", tmp_path, tiny(reflections=True)).events == 2 * round(0.8 * 0.8 * EVENTS)


def test_as_many_events_as_asked_for_are_used(process: Process, tmp_path: Path) -> None:
    network = Unfolder.load(train(process, "all_hadronic", tmp_path, tiny(max_events=60)).folder)
    info = ProcessInfo.of(process)
    assert network.record["training_events"] == 48
    assert (network.schema.process, network.schema.collider_energy) == (info.name, info.collider_energy)


@pytest.mark.parametrize("name", DECAY_CHANNELS)
def test_drawn_events_train_a_proposal_in_every_channel(
    process: Process, name: DecayChannelName, tmp_path: Path
) -> None:
    store = write_channel_store(tmp_path / "events.parquet", name, EVENTS)
    layout = LAYOUTS[name]
    surrogate = Surrogate(tiny_transfer(layout, spread=0.1), tiny_acceptance(layout), "fingerprint")
    config = ProposalNetworkConfig.model_validate({**tiny().model_dump(), "drawn": {"events": 300}})
    with pytest.raises(ConfigError, match="events are drawn from a transfer function, and none is given"):
        train_proposal([store], process, channel_of(name), config, 3, tmp_path / "none")
    result = train_proposal([store], process, channel_of(name), config, 3, tmp_path / "model", surrogate=surrogate)
    network = Unfolder.load(result.folder)
    assert network.network.config.drawn is not None
    assert 200 < result.events < 280
    reco = reco_of(store)
    noise = torch.randn((len(reco), 20, 7), generator=torch.Generator().manual_seed(1))
    numbers, log_slope = network.transport(reco, noise)
    assert bool(numbers.isfinite().all())
    assert torch.isfinite(log_slope).double().mean() > 0.9


def as_start(result: TrainedProposal) -> Path:
    """Put the model of a training into a folder of models."""
    folder = result.folder.with_name("models")
    folder.mkdir()
    return result.folder.rename(folder / "proposal").parent


def test_training_goes_on_from_a_trained_proposal(process: Process, tmp_path: Path) -> None:
    """Weights and scales are those of the start, but for the steps, which are tiny here."""
    before = train(process, "semileptonic", tmp_path)
    start = as_start(before)
    settings = tiny(epochs=1, flow_epochs=0, learning_rate=1e-9).model_dump()
    config = ProposalNetworkConfig.model_validate({**settings, "start": start})
    on = train_proposal([tmp_path / "events.parquet"], process, channel_of("semileptonic"), config, 4, tmp_path / "on")
    old, new = Unfolder.load(start / "proposal"), Unfolder.load(on.folder)
    assert new.record["epochs"] == {"joint": 1, "flow": 0}
    assert new.record["started_from"] == old.record
    weights = new.network.state_dict()
    for name, values in old.network.state_dict().items():
        if "base_scale" not in name:  # fitted to the validation events at the end
            torch.testing.assert_close(weights[name], values, atol=1e-6, rtol=0, msg=name)


def test_a_proposal_to_start_from_must_fit(process: Process, tmp_path: Path) -> None:
    start = as_start(train(process, "semileptonic", tmp_path))
    same = {**tiny().model_dump(), "start": start}
    wider = ProposalNetworkConfig.model_validate({**same, "encoder": {"width": 32, "heads": 2}})
    with pytest.raises(ConfigError, match=r"models has a proposal of other sizes than `encoder` and `flow` say"):
        train_proposal([], process, channel_of("semileptonic"), wider, 3, tmp_path / "wider")
    config = ProposalNetworkConfig.model_validate(same)
    with pytest.raises(
        ConfigError, match=r"is for partons \(25, 6, -6\) \(semileptonic\) of 125, .* not for .*\(dilepton\)"
    ):
        train_proposal([], process, channel_of("dilepton"), config, 3, tmp_path / "other")
