"""Networks found by name, put together with a process, and `partonic mem` from beginning to end with tiny ones."""

from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner, Result
from tests.mem.channel_toys import random_network, reco_of, write_channel_store
from tests.mem.initial_state.toys import random_model
from tests.mem.transfer.toys import tiny_transfer
from tests.unfolding.toys import PROCESS, write_store

from partonic.cli import main
from partonic.config.mem import MemConfig, PointsConfig
from partonic.config.mem_training.transfer import AcceptanceConfig
from partonic.errors import ConfigError, ModelError, ProcessError, SchemaError
from partonic.events.schema import ProcessInfo, StoreMetadata
from partonic.events.store import EventStore
from partonic.inference.coefficients.coefficients_file import read_coefficients
from partonic.mem.acceptance.model import AcceptanceModel, AcceptanceNetwork
from partonic.mem.initial_state.model import InitialStateModel
from partonic.mem.integral.importance_sampling import StatesFaults
from partonic.mem.integral.integrate_events import fiducial_cross_section, hypothesis_of_store, integrate_events
from partonic.mem.integral.normalisation import (
    acceptance_cross_section,
    accepted_cross_section,
    integrated_cross_section,
)
from partonic.mem.models import Hypothesis, component_folders, mem_folder, mem_model_files, proposal_kind
from partonic.mem.proposal.uniform import UniformProposal
from partonic.mem.protocols import Acceptance, InitialStateRatio, LatentProposal, TransferDensity
from partonic.mem.transfer.layout import TransferLayout
from partonic.pretrained import pretrained_folder
from partonic.processes.tth.settings import TthConfig
from partonic.rng import torch_generator
from partonic.trained.model_folder import load_record, save_model
from partonic.trained.schema_record import SchemaRecord
from partonic.unfolding.unfolder import Unfolder

LAYOUT = TransferLayout("semileptonic", PROCESS.parton_pdg, 4, 0, 0.01, 20.0, 0.01, 20.0)
"""Cuts that all toy events pass."""


def write_models(folder: Path, process: ProcessInfo = PROCESS) -> Path:
    transfer = tiny_transfer(LAYOUT)
    transfer.schema = SchemaRecord.of(process)
    transfer.save(folder / "transfer")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        network = AcceptanceNetwork(AcceptanceConfig(hidden=(8,)), LAYOUT)
    AcceptanceModel(network, SchemaRecord.of(PROCESS)).save(folder / "acceptance")
    return folder


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_models(tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_store(tmp_path_factory.mktemp("store") / "events.parquet", events=10, faults=True)


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def test_ingredients_of_trained_models(models: Path) -> None:
    config = MemConfig(model=models)
    ingredients = Hypothesis(TthConfig()).ingredients(config)
    assert isinstance(ingredients.transfer, TransferDensity)
    assert isinstance(ingredients.acceptance, Acceptance)
    assert isinstance(ingredients.proposal, LatentProposal)
    assert isinstance(ingredients.proposal, StatesFaults)
    assert ingredients.process.name == "tth"
    assert ingredients.decay_channel.names == ("H", "t_had", "t_lep")
    uniform = config.model_copy(update={"proposal": config.proposal.model_copy(update={"kind": "uniform"})})
    assert isinstance(Hypothesis(TthConfig()).ingredients(uniform).proposal, UniformProposal)
    assert "proposal" not in component_folders(uniform, "tth")


def test_fingerprint_knows_models_and_process(models: Path, tmp_path: Path) -> None:
    config = MemConfig(model=models)
    first = Hypothesis(TthConfig()).fingerprint(config)
    assert first == Hypothesis(TthConfig()).fingerprint(config)
    assert first != Hypothesis(TthConfig(top_mass=173.0)).fingerprint(config)
    assert first != Hypothesis(TthConfig(), branching_fraction=0.5).fingerprint(config)
    other = write_models(tmp_path / "other")
    record = load_record(other / "transfer")
    transfer = tiny_transfer(LAYOUT, seed=2)
    save_model(other / "transfer", transfer.network, record)
    assert first != Hypothesis(TthConfig()).fingerprint(MemConfig(model=other))


def test_models_that_are_not_there(models: Path, tmp_path: Path) -> None:
    assert mem_folder("pretrained", "tth") == mem_folder(None, "tth") == pretrained_folder("tth") / "mem"
    with pytest.raises(ModelError, match=r"nowhere holds no model 'transfer' \(transfer/model\.json\)"):
        mem_model_files(MemConfig(model=tmp_path / "nowhere"), "tth")
    with pytest.raises(ModelError, match="no pretrained transfer of 'other' ships with partonic"):
        mem_model_files(MemConfig(), "other")
    network = MemConfig.model_validate({"model": models, "proposal": {"kind": "network"}})
    with pytest.raises(ModelError, match=r"holds no model 'proposal' \(proposal/model\.json\)"):
        component_folders(network, "tth")
    assert component_folders(network, "tth", (models,))["proposal"] == models / "proposal"


def test_a_network_beside_the_other_parts_is_taken_if_there_is_one(tmp_path: Path) -> None:
    folder = write_models(tmp_path / "models")
    config = MemConfig(model=folder)
    assert proposal_kind(config, "tth") == "unfolding"
    store = write_channel_store(tmp_path / "events.parquet", "semileptonic", 20)
    random_network("semileptonic", reco_of(store)).save(folder / "proposal")
    assert proposal_kind(config, "tth") == "network"
    assert component_folders(config, "tth")["proposal"] == folder / "proposal"
    assert isinstance(Hypothesis(TthConfig()).ingredients(config).proposal, Unfolder)
    flow = MemConfig.model_validate({"model": folder, "proposal": {"kind": "unfolding"}})
    assert proposal_kind(flow, "tth") == "unfolding"
    elsewhere = MemConfig.model_validate({"model": write_models(tmp_path / "more"), "proposal": {"model": folder}})
    assert component_folders(elsewhere, "tth")["proposal"] == folder / "proposal"


def test_initial_states_are_told_apart_where_there_is_a_network_for_it(tmp_path: Path, store: Path) -> None:
    folder = write_models(tmp_path / "models")
    without = Hypothesis(TthConfig()).fingerprint(MemConfig(model=folder))
    network = random_model().network
    InitialStateModel(network, SchemaRecord.of(PROCESS)).save(folder / "initial_state")
    with pytest.raises(ModelError, match=r"is made for .*, the transfer function beside it for .*: train it"):
        Hypothesis(TthConfig()).ingredients(MemConfig(model=folder))
    network.layout = LAYOUT
    InitialStateModel(network, SchemaRecord.of(PROCESS)).save(folder / "initial_state")
    config, off = MemConfig(model=folder), MemConfig(model=folder, initial_state=False)
    assert component_folders(config, "tth")["initial_state"] == folder / "initial_state"
    assert "initial_state" not in component_folders(off, "tth")
    hypothesis = Hypothesis(TthConfig())
    assert hypothesis.fingerprint(config) != without
    assert hypothesis.fingerprint(off) == without
    assert hypothesis.ingredients(off).initial_state is None
    assert isinstance(hypothesis.ingredients(config).initial_state, InitialStateRatio)
    found = []
    for number, each in enumerate((config, off)):
        points = {"points": PointsConfig(first=50, maximum=50), "workers": 1}
        output = tmp_path / f"{number}.parquet"
        integrate_events(store, output, hypothesis, each.model_copy(update=points), 1)
        found.append(read_coefficients(output)[0])
        told = read_coefficients(output)[1].facts["initial_states"]
        assert told == (["gg", "qq"] if each.initial_state else None)
    good = found[0].usable()
    assert good.sum() == 5
    assert (found[0].log_reference[good] != found[1].log_reference[good]).all()
    assert (found[0].ratios[good, -1] != found[1].ratios[good, -1]).all()


def test_model_of_another_process(tmp_path: Path) -> None:
    other = ProcessInfo("ttbb", PROCESS.parton_names, PROCESS.parton_pdg, PROCESS.monomials, PROCESS.collider_energy)
    folder = write_models(tmp_path / "other", other)
    with pytest.raises(SchemaError, match="the transfer function was trained on events of 'ttbb', but the hypothesis"):
        Hypothesis(TthConfig()).ingredients(MemConfig(model=folder))


def test_command_from_store_to_coefficients(models: Path, store: Path, tmp_path: Path) -> None:
    output = tmp_path / "coefficients.parquet"
    options = ("--store", store, "--output", output, "--model", models, "--points", 200, "--workers", 1)
    done = run("mem", *options)
    assert done.exit_code == 0, done.output
    assert "mem: 5 events" in done.output
    found, metadata = read_coefficients(output)
    assert found.status.count("ok") == 5
    assert found.status[1:4] == (
        "a jet is NaN or infinite", "the missing transverse momentum is NaN or infinite", "fewer than 4 jets"
    )  # fmt: skip
    good = found.usable()
    assert np.isfinite(found.ratios[good]).all()
    assert (found.diagnostics.columns["effective_sample_size"][good] >= 1.0).all()
    events = EventStore.open(store).read(["coefficients"], selected_only=True)
    assert metadata.cross_section is not None
    np.testing.assert_allclose(metadata.cross_section.coefficients, events.coefficients.sum(axis=0))
    again = run("mem", *options)
    assert again.output.splitlines()[-1] == done.output.splitlines()[-1]


def test_wrong_use_of_the_command(store: Path, tmp_path: Path) -> None:
    assert "give an ANALYSIS, or --store" in run("mem", "--store", store).output
    assert "--points, --base" not in run("mem", "a.yaml").output
    wrong = run("mem", "a.yaml", "--points", 100)
    assert wrong.exit_code == 2
    assert "--points: the analysis file has these settings, in its section `mem`" in wrong.output
    missing = run("mem", "--store", store, "--output", tmp_path / "out.parquet", "--model", tmp_path / "no")
    assert missing.exit_code == 1
    assert "holds no model 'transfer'" in missing.output
    itself = run("mem", "--store", store, "--output", store)
    assert "is the event store; give the coefficients a file of their own" in itself.output


def test_force_integrates_again(models: Path, store: Path, tmp_path: Path) -> None:
    config = MemConfig.model_validate({"model": models, "points": {"first": 50, "maximum": 50}, "workers": 1})
    output, hypothesis = tmp_path / "coefficients.parquet", Hypothesis(TthConfig())
    integrate_events(store, output, hypothesis, config, 1)
    before = output.stat().st_mtime_ns
    integrate_events(store, output, hypothesis, config, 1)
    assert output.stat().st_mtime_ns == before
    integrate_events(store, output, hypothesis, config, 1, force=True)
    assert output.stat().st_mtime_ns > before


@pytest.mark.parametrize("method", ["accepted", "acceptance", "process"])
def test_fiducial_cross_section_as_asked_for(models: Path, store: Path, method: str) -> None:
    config = MemConfig.model_validate({"model": models, "normalisation": {"method": method, "points": 1000}})
    ingredients = Hypothesis(TthConfig()).ingredients(config)
    found = fiducial_cross_section(store, ingredients, config, 1)
    assert found.coefficients[0] > 0
    events, acceptance, decay_channel = EventStore.open(store), ingredients.acceptance, ingredients.decay_channel
    generator = torch_generator(1, "mem", "tth", "cross section")
    expected = {
        "accepted": lambda: accepted_cross_section(events),
        "acceptance": lambda: acceptance_cross_section(events, acceptance, decay_channel),
        "process": lambda: integrated_cross_section(ingredients.process, acceptance, decay_channel, 1000, generator),
    }[method]()
    np.testing.assert_allclose(found.coefficients, expected.coefficients, rtol=1e-12)
    np.testing.assert_allclose(found.covariance, expected.covariance, rtol=1e-12)


def test_hypothesis_that_a_store_was_made_under() -> None:
    facts = {"facts": {"branching_fraction": 0.2}, "config": {"simulation": {"decays": {"tops": "dilepton"}}}}
    found = hypothesis_of_store(StoreMetadata.for_process(PROCESS, **facts), TthConfig())
    assert (found.decays, found.branching_fraction) == ("dilepton", 0.2)
    assert hypothesis_of_store(StoreMetadata.for_process(PROCESS), TthConfig()).decays == "semileptonic"
    with pytest.raises(ConfigError, match="the events are of √S = 13000 GeV, the process of 14000 GeV"):
        hypothesis_of_store(StoreMetadata.for_process(PROCESS), TthConfig(collider_energy=14_000.0))
    inclusive = {"config": {"simulation": {"decays": {"tops": "inclusive"}}}}
    with pytest.raises(ProcessError, match="needs one decay channel"):
        hypothesis_of_store(StoreMetadata.for_process(PROCESS, **inclusive), TthConfig())
