"""From parton events to a store by the networks that ship: weights, acceptance, cuts, seeds, kills, refusals."""

from pathlib import Path

import numpy as np
import pytest
import torch
from tests.simulation.own_lhe import own_events, write_own
from tests.surrogate.conftest import PROCESS, simulation

from partonic.config.importing import ImportConfig
from partonic.config.simulation import SimulationConfig
from partonic.errors import ConfigError, SchemaError, SimulationError
from partonic.events.batch import EventBatch, RecoEvents
from partonic.events.importing import import_events
from partonic.events.schema import ProcessInfo
from partonic.events.store import EventStore
from partonic.mem.train import layout_of_stores
from partonic.pretrained import pretrained_folder
from partonic.processes.definition import build_process
from partonic.processes.tth.settings import TthConfig
from partonic.rng import torch_generator
from partonic.surrogate.model import DetectorSurrogate
from partonic.surrogate.simulate import accepted_events, possible, simulate_by_surrogate

INFO = ProcessInfo.of_config(PROCESS)


def rows(path: Path) -> EventBatch:
    return next(EventStore.open(path).batches())


def test_coefficients_are_those_of_the_partons(drawn_store: Path, parton_file: Path, tmp_path: Path) -> None:
    """Beside the same events stored as partons: weights and coefficients times the branching fraction."""
    partons = tmp_path / "partons.parquet"
    import_events(ImportConfig(format="lhe", files=(str(parton_file),)), INFO, partons)
    drawn, before = rows(drawn_store), rows(partons)
    fraction = EventStore.open(drawn_store).metadata.facts["branching_fraction"]
    assert 0.0 < fraction < 0.01
    scale = np.abs(drawn.coefficients).max(axis=1, keepdims=True)  # rounding is relative to the largest
    np.testing.assert_allclose(drawn.coefficients / scale, fraction * before.coefficients / scale, atol=1e-12)
    np.testing.assert_allclose(drawn.partons().momenta, before.partons().momenta, rtol=1e-12)


def test_events_are_within_the_cuts(drawn_store: Path) -> None:
    batch = rows(drawn_store)
    selected = np.asarray(batch.column("selected"))
    assert 50 < selected.sum() < 450
    np.testing.assert_array_equal(batch.valid("jet_pt"), selected)
    np.testing.assert_array_equal(batch.valid("met_pt"), selected)
    np.testing.assert_array_equal(np.asarray(batch.column("cut")), np.where(selected, -1, 0))
    reco = batch.filter(selected).reco()
    assert bool((reco.jet_mask.sum(dim=1) >= 3).all())
    assert bool((reco.jet_tagged.sum(dim=1) >= 1).all())
    assert bool((reco.photon_mask.sum(dim=1) == 2).all())
    assert float(reco.jets[..., 0][reco.jet_mask].min()) >= 25.0
    assert float(reco.jets[..., 1][reco.jet_mask].abs().max()) <= 4.7
    assert bool((reco.jets[..., 0].diff(dim=1) <= 0).all())


def test_selected_fraction_is_that_of_the_acceptance(drawn_store: Path) -> None:
    """Within 4 standard deviations of a sum of Bernoulli trials."""
    surrogate = DetectorSurrogate.load(pretrained_folder("thq") / "mem")
    batch = rows(drawn_store)
    probability = surrogate.acceptance.log_probability(batch.partons().momenta).exp()
    error = float((probability * (1.0 - probability)).sum().sqrt())
    assert abs(int(np.asarray(batch.column("selected")).sum()) - float(probability.sum())) < 4.0 * error


def test_metadata_tells_who_made_the_events(drawn_store: Path) -> None:
    metadata = EventStore.open(drawn_store).metadata
    facts = metadata.facts["surrogate"]
    assert facts["kind"] == "transfer"
    assert facts["fingerprint"] == DetectorSurrogate.load(pretrained_folder("thq") / "mem").fingerprint
    assert len(facts["closure"]["observables"]) == 10
    assert [step.name for step in metadata.cut_flow] == ["generated", "selected by the surrogate"]
    assert metadata.cut_flow[-1].events == np.asarray(rows(drawn_store).column("selected")).sum()
    assert metadata.config["simulation"]["surrogate"] == {"model": "pretrained"}
    assert layout_of_stores([drawn_store]).photons == 2  # other steps read the store as any


def test_same_seed_same_events(drawn_store: Path, parton_file: Path, tmp_path: Path) -> None:
    found = [tmp_path / f"{seed}.parquet" for seed in (5, 6)]
    for seed, path in zip((5, 6), found, strict=True):
        simulate_by_surrogate(parton_file, INFO, simulation(), seed, path)
    assert rows(found[0]).table.equals(rows(drawn_store).table)
    assert not rows(found[1]).table.equals(rows(drawn_store).table)


def test_an_interrupted_run_goes_on(
    drawn_store: Path, parton_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "events.parquet"
    from partonic.surrogate import simulate as module

    own, calls = module._draw_packed, []

    def killed(*arguments: object, **named: object) -> object:
        calls.append(arguments[3])
        if len(calls) == 3:
            raise KeyboardInterrupt
        return own(*arguments, **named)

    monkeypatch.setattr(module, "_draw_packed", killed)
    with pytest.raises(KeyboardInterrupt):
        simulate_by_surrogate(parton_file, INFO, simulation(), 5, path)
    assert not path.exists()
    simulate_by_surrogate(parton_file, INFO, simulation(), 5, path)
    assert calls == [0, 1, 2, 2, 3, 4]  # two chunks were kept
    assert rows(path).table.equals(rows(drawn_store).table)
    simulate_by_surrogate(parton_file, INFO, simulation(), 5, path)
    assert len(calls) == 6  # finished: nothing is done


def test_copies_have_fractions_of_the_weight(parton_file: Path, tmp_path: Path) -> None:
    path = tmp_path / "events.parquet"
    simulate_by_surrogate(parton_file, INFO, simulation(fractional_smearing={"max_copies": 3}), 5, path)
    batch = rows(path)
    parton_event = np.asarray(batch.column("parton_event"))
    counts = np.bincount(parton_event)
    assert len(counts) == 500
    assert set(counts) > {1}
    several = int(np.argmax(counts > 1))
    assert len(np.unique(batch.weight[parton_event == several])) == 1
    plain = EventStore.open(path).metadata.cross_section
    assert plain is not None


def test_other_settings_are_refused(parton_file: Path, tmp_path: Path) -> None:
    wrong = simulation(jets={"pt_min": 25.0, "eta_max": 4.7, "radius": 0.8})
    with pytest.raises(ConfigError, match=r"simulation\.jets\.radius: 0\.8, the surrogate knows 0\.4"):
        simulate_by_surrogate(parton_file, INFO, wrong, 5, tmp_path / "events.parquet")
    assert not list(tmp_path.iterdir())


def test_without_a_surrogate_there_is_nothing_to_draw_from(parton_file: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="names no surrogate"):
        simulate_by_surrogate(parton_file, INFO, simulation(surrogate=None), 5, tmp_path / "events.parquet")


def test_networks_of_another_process_are_refused(parton_file: Path, tmp_path: Path) -> None:
    other = simulation(surrogate={"model": pretrained_folder("tth") / "mem"})
    with pytest.raises(SchemaError, match=r"draws events of the partons \(25, 6, -6\)"):
        simulate_by_surrogate(parton_file, INFO, other, 5, tmp_path / "events.parquet")


def test_a_surrogate_that_changes_in_between_is_told(parton_file: Path, tmp_path: Path) -> None:
    from partonic.surrogate.simulate import _loaded

    with pytest.raises(SimulationError, match="was changed while events were drawn"):
        _loaded(str(pretrained_folder("thq") / "mem"), "another")


class Wild:
    """Draws impossible events at first."""

    def __init__(self, times: int, good: RecoEvents) -> None:
        self.times, self.good = times, good

    def sample(self, momenta: torch.Tensor, generator: torch.Generator) -> RecoEvents:
        chosen = self.good.select(torch.zeros(len(momenta), dtype=torch.long))
        if self.times:
            self.times -= 1
            chosen.jets[..., 0] = torch.where(chosen.jet_mask, 1e6, 0.0)
        return chosen


def test_impossible_events_are_drawn_again(drawn_store: Path) -> None:
    surrogate = DetectorSurrogate.load(pretrained_folder("thq") / "mem")
    batch = rows(drawn_store)
    good = batch.filter(np.asarray(batch.column("selected"))).reco()
    momenta = batch.partons().momenta
    assert bool(possible(good, 13600.0).all())
    object.__setattr__(surrogate, "objects", Wild(3, good))
    _, reco = accepted_events(surrogate, momenta, 13600.0, torch_generator(1, "again"))
    assert reco is not None
    assert bool(possible(reco, 13600.0).all())
    object.__setattr__(surrogate, "objects", Wild(1000, good))
    with pytest.raises(SimulationError, match="100 times with more energy than 13600 GeV"):
        accepted_events(surrogate, momenta, 13600.0, torch_generator(1, "again"))


def test_leptons_of_semileptonic_pairs_have_the_charge_of_their_top(tmp_path: Path) -> None:
    """ℓ⁻ beside a hadronic t, and both kinds of events: else t and t̄ are exchanged where they are told apart."""
    config = TthConfig(collider_energy=13000.0)
    process = build_process(config)
    partons = write_own(tmp_path / "events.lhe.gz", process, own_events(process, 300))
    settings = SimulationConfig.model_validate({"surrogate": {}, "workers": 1})
    path = tmp_path / "events.parquet"
    simulate_by_surrogate(partons, ProcessInfo.of_config(config), settings, 5, path)
    batch = rows(path)
    chosen = batch.filter(np.asarray(batch.column("selected")))
    charge = chosen.reco().lepton_pdg[:, 0].sign().numpy()
    assert set(charge) == {-1, 1}
    np.testing.assert_array_equal(charge, np.sign(chosen.column("hadronic_top").astype(int)))
    channel = DetectorSurrogate.load(pretrained_folder("tth") / "mem").layout.decay_channel
    back = channel.process_order(channel.truth(chosen).momenta[:, None], chosen.reco())[:, 0]
    torch.testing.assert_close(back, chosen.partons().momenta)
