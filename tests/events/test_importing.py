import numpy as np
import pytest
from tests.events.readers.lhe_files import tth_file
from tests.events.readers.root_files import delphes_branches, nanoaod_branches, write_tree

from partonic.config.importing import ImportConfig
from partonic.config.simulation import SelectionConfig
from partonic.errors import ConfigError, EventFileError, OutputError
from partonic.events.importing import import_events
from partonic.events.store import EventStore


class Counting:
    """A progress that counts."""

    def __init__(self):
        self.total, self.done, self.finished = None, 0, False

    def start(self, description, total, unit, done=0):
        self.total = total

    def advance(self, amount=1, **figures):
        self.done += amount

    def finish(self):
        self.finished = True


def test_parton_events(tmp_path, process_info):
    truth, momenta, _ = tth_file(tmp_path / "e.lhe.gz", count=20)
    config = ImportConfig(format="lhe", files=[tmp_path / "e.lhe.gz"], batch_size=6)
    progress = Counting()
    result = import_events(config, process_info, tmp_path / "out" / "events.parquet", progress)
    assert (progress.total, progress.done, progress.finished) == (20, 20, True)
    store = EventStore.open(result.path)
    assert (store.num_events, result.num_events, result.num_selected) == (20, 20, None)
    assert np.allclose(store.metadata.cross_section.coefficients, truth.mean(axis=0))
    spread, stated = truth.std(axis=0) / np.sqrt(20), 0.01 / 0.5 * truth.mean(axis=0)  # XERRUP/XSECUP
    assert np.allclose(store.metadata.cross_section.errors, np.hypot(spread, stated))
    assert [step.events for step in store.metadata.cut_flow] == [20]
    assert 0.0 < store.metadata.facts["largest_theta_residual"] < 1e-12
    assert store.metadata.source == "lhe: e.lhe.gz"
    assert store.metadata.config["import"]["format"] == "lhe"
    batch = next(store.batches())
    assert np.allclose(batch.column("partons"), momenta)
    assert list(store.batches(selected_only=True)) == []
    assert "20 events imported, " in str(result)
    assert "selected" not in str(result)


@pytest.mark.parametrize("kind", ["nanoaod", "delphes"])
def test_selected_events(tmp_path, process_info, kind):
    if kind == "nanoaod":
        path = write_tree(tmp_path / "e.root", "Events", nanoaod_branches())
    else:
        path = write_tree(tmp_path / "e.root", "Delphes", delphes_branches())
    config = ImportConfig(
        format=kind, files=[path], theta_independent=True, cross_section=0.5, selection=SelectionConfig().model_dump(),
        btag={"working_point": 0.3}, sample="signal",
    )  # fmt: skip
    result = import_events(config, process_info, tmp_path / "events.parquet")
    assert (result.num_events, result.num_selected) == (3, 1)
    assert "3 events imported, 1 selected, 0.5 ± 0.37 pb at θ = 0: " in str(result)
    metadata = EventStore.open(result.path).metadata
    assert [step.events for step in metadata.cut_flow] == [3, 1, 1, 1, 1]
    assert metadata.cut_flow[0].weight == pytest.approx(0.5)
    assert metadata.process == "signal"
    batch = next(EventStore.open(result.path).batches(selected_only=True))
    assert batch.reco().jet_mask.sum() == 4
    assert batch.weight.tolist() == pytest.approx([0.25])


def test_collision_data_have_no_cross_section(tmp_path, process_info):
    path = write_tree(tmp_path / "e.root", "Events", nanoaod_branches())
    settings = {"data": True, "theta_independent": True, "btag": {"working_point": 0.3}}
    result = import_events(
        ImportConfig(format="nanoaod", files=[path], **settings), process_info, tmp_path / "e.parquet"
    )
    assert result.cross_section is None
    assert " pb" not in str(result)


def test_a_bad_event_leaves_no_store(tmp_path, process_info):
    tth_file(tmp_path / "e.lhe", count=10)
    text = (tmp_path / "e.lhe").read_text()
    (tmp_path / "e.lhe").write_text('<wgt id="x">'.join(text.rsplit('<wgt id="theta_2">', 1)))
    config = ImportConfig(format="lhe", files=[tmp_path / "e.lhe"], batch_size=2)
    output = tmp_path / "out"
    with pytest.raises(EventFileError, match="event 9"):
        import_events(config, process_info, output / "events.parquet")
    assert list(output.iterdir()) == []


def test_a_place_that_cannot_be_written(tmp_path, process_info):
    tth_file(tmp_path / "e.lhe", count=2)
    (tmp_path / "taken").write_text("")
    config = ImportConfig(format="lhe", files=[tmp_path / "e.lhe"])
    with pytest.raises(OutputError, match="cannot write"):
        import_events(config, process_info, tmp_path / "taken" / "events.parquet")


def test_hepmc_needs_the_simulation(tmp_path, process_info):
    with pytest.raises(ConfigError, match="simulation"):
        import_events(ImportConfig(format="hepmc", files=["x"]), process_info, tmp_path / "e.parquet")
