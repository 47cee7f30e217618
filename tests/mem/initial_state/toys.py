"""Toy stores whose events have initial states: gluons come with harder partons, and make harder jets."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import torch
from tests.mem.transfer.toys import LAYOUTS, PROCESS
from tests.unfolding.toys import write_store

from partonic.config.mem_training.initial_state import InitialStateConfig
from partonic.config.simulation import SelectionConfig, SimulationConfig
from partonic.events.schema import StoreMetadata
from partonic.events.store import EventStore, EventWriter
from partonic.mem.initial_state.model import InitialStateModel
from partonic.mem.initial_state.network import InitialStateNetwork
from partonic.trained.schema_record import SchemaRecord

LAYOUT = LAYOUTS["semileptonic"]
CLASSES = ("gg", "qq")
SMALL = InitialStateConfig(width=8, layers=1, heads=2, feedforward=16, hidden=16, share_hidden=(16,), share_epochs=2)
HARDER = 1.5
"""Factor of the pT of the jets of gluons' events."""


def random_network(seed: int = 1, classes: tuple[str, ...] = CLASSES) -> InitialStateNetwork:
    """A network that was not trained, whose evidence and shares differ much between events."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = InitialStateNetwork(SMALL, LAYOUT, classes)
        with torch.no_grad():
            for parameter in network.parameters():
                parameter.add_(0.2 * torch.randn_like(parameter))
            network.outer.weight.mul_(10.0)
    return network


def random_model(seed: int = 1) -> InitialStateModel:
    return InitialStateModel(random_network(seed), SchemaRecord.of(PROCESS))


def write_initial_states(path: Path, events: int = 400, seed: int = 1) -> Path:
    """Write toy events that say which cuts they passed; the jets of those with two gluons are `HARDER`."""
    toy = EventStore.open(write_store(path.with_name(f"toy_{path.name}"), events, seed))
    simulation = SimulationConfig(selection=SelectionConfig(b_tags_min=3))
    metadata = StoreMetadata.for_process(PROCESS, config={"simulation": simulation.model_dump(mode="json")})
    rng = np.random.default_rng(seed)
    with EventWriter(path, metadata, row_group=50) as writer:
        for batch in toy.batches():
            energy = batch.partons().momenta[..., 0].sum(dim=1).numpy()
            gluons = rng.uniform(size=len(batch)) < np.where(energy > np.median(energy), 0.8, 0.4)
            writer.write(with_initial_states(batch.table, gluons, rng))
    return path


def with_initial_states(table: pa.Table, gluons: np.ndarray, rng: np.random.Generator) -> pa.Table:
    quarks = rng.choice([-2, -1, 1, 2], len(gluons))
    initial = np.where(gluons[:, None], 21, np.stack([quarks, -quarks], axis=1)).astype(np.int32)
    column = pa.FixedSizeListArray.from_arrays(pa.array(initial.ravel(), pa.int32()), 2)
    pt = [
        None if row is None else [HARDER * value if gluon else value for value in row]
        for row, gluon in zip(table["jet_pt"].to_pylist(), gluons, strict=True)
    ]
    place = table.column_names.index("jet_pt")
    table = table.set_column(place, "jet_pt", pa.array(pt, table.schema.field("jet_pt").type))
    if "initial_pdg" in table.column_names:
        table = table.drop_columns(["initial_pdg"])
    return table.append_column("initial_pdg", column)
