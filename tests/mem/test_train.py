from dataclasses import replace
from pathlib import Path

import pytest
import torch

from partonic.config.mem_training.section import MemNetworksConfig
from partonic.config.simulation import SelectionConfig, SimulationConfig
from partonic.errors import SchemaError
from partonic.events.schema import StoreMetadata
from partonic.events.store import EventStore, EventWriter
from partonic.mem.acceptance.model import AcceptanceModel
from partonic.mem.train import layout_of_stores, train_mem
from partonic.mem.transfer.transfer_function import TransferFunction
from partonic.processes.tth.settings import TthConfig
from partonic.unfolding.unfolder import Unfolder
from unfolding.toys import PROCESS, write_store

TINY = MemNetworksConfig(preset="tiny")


def simulated(path: Path, b_tags: int = 3, events: int = 120) -> Path:
    """A toy store that says which cuts its events passed."""
    toy = EventStore.open(write_store(path.with_name(f"toy_{path.name}"), events))
    simulation = SimulationConfig(selection=SelectionConfig(b_tags_min=b_tags))
    metadata = StoreMetadata.for_process(PROCESS, config={"simulation": simulation.model_dump(mode="json")})
    with EventWriter(path, metadata) as writer:
        for batch in toy.batches():
            writer.write(batch.table)
    return path


def test_parts_are_trained_with_the_cuts_of_the_store(tmp_path: Path) -> None:
    store = simulated(tmp_path / "events.parquet")
    lines = train_mem([store], TthConfig(), TINY, 1, tmp_path / "out")
    assert [line.partition(":")[0] for line in lines] == ["acceptance", "transfer function"]
    transfer = TransferFunction.load(tmp_path / "out" / "transfer")
    assert transfer.layout == AcceptanceModel.load(tmp_path / "out" / "acceptance").layout
    assert (transfer.layout.b_tags_min, transfer.layout.decays) == (3, "semileptonic")


def test_stores_of_other_cuts_or_origin_are_refused(tmp_path: Path) -> None:
    first, other = simulated(tmp_path / "a.parquet"), simulated(tmp_path / "b.parquet", b_tags=2)
    with pytest.raises(SchemaError, match=r"b\.parquet has other partons, channel or cuts"):
        layout_of_stores([first, other])
    with pytest.raises(SchemaError, match="does not say which cuts its events passed"):
        layout_of_stores([write_store(tmp_path / "c.parquet", 5)])


def test_section_is_consistent() -> None:
    assert TINY.transfer.width == 16
    assert MemNetworksConfig(preset="tiny", transfer={"width": 8}).transfer.layers == 1
    with pytest.raises(ValueError, match="expected each part once") as caught:
        MemNetworksConfig(parts=("transfer", "transfer"))
    assert "transfer" in str(caught.value)
    with pytest.raises(ValueError, match="needs the part 'acceptance'"):
        MemNetworksConfig(parts=("transfer",), consistency={})
    with pytest.raises(ValueError, match="needs the part 'proposal'"):
        MemNetworksConfig(consistency={"source": "network"})
    with pytest.raises(ValueError, match="not more can be used than are proposed"):
        MemNetworksConfig(consistency={"proposals": 2, "used": 3})
    with pytest.raises(ValueError, match=r"proposal\.drawn.*needs the part 'transfer'|needs the part 'transfer'"):
        MemNetworksConfig(parts=("acceptance", "proposal"), proposal={"drawn": {}})
    with pytest.raises(ValueError, match="each needs the other"):
        MemNetworksConfig(
            parts=("acceptance", "transfer", "proposal"), proposal={"drawn": {}}, consistency={"source": "network"}
        )


def test_a_proposal_is_trained_on_events_drawn_from_what_was_trained_before(tmp_path: Path) -> None:
    store = simulated(tmp_path / "events.parquet")
    config = MemNetworksConfig(
        preset="tiny", parts=("proposal", "transfer", "acceptance"), proposal={"drawn": {"events": 400}}
    )
    lines = train_mem([store], TthConfig(), config, 1, tmp_path / "out")
    assert [line.partition(":")[0] for line in lines] == ["acceptance", "transfer function", "proposal"]
    network = Unfolder.load(tmp_path / "out" / "proposal")
    assert 300 < network.record["training_events"] < 450  # of 400, less those for validation
    x = next(iter(EventStore.open(store).batches(selected_only=True))).reco()
    noise = torch.randn((len(x), 5, 7), generator=torch.Generator().manual_seed(1))
    heavier = replace(x, jets=x.jets + torch.tensor([0.0, 0.0, 0.0, 30.0, 0.0]) * x.jet_mask[..., None])
    for seen, unseen in zip(network.transport(x, noise), network.transport(heavier, noise), strict=True):
        torch.testing.assert_close(seen, unseen, rtol=0.0, atol=0.0)


def test_a_proposal_of_a_trained_model_needs_nothing_else(tmp_path: Path) -> None:
    store = simulated(tmp_path / "events.parquet")
    train_mem([store], TthConfig(), TINY, 1, tmp_path / "models")
    drawn = {"events": 400, "model": str(tmp_path / "models")}
    config = MemNetworksConfig(preset="tiny", parts=("proposal",), proposal={"drawn": drawn})
    (line,) = train_mem([store], TthConfig(), config, 1, tmp_path / "out")
    assert line.startswith("proposal")
    assert not (tmp_path / "out" / "transfer").exists()
