"""A small process and tables of events of it, shared by the tests of the event room."""

import numpy as np
import pyarrow as pa
import pytest

from partonic.events.schema import ProcessInfo, StoreMetadata
from partonic.polynomial import Monomials


@pytest.fixture(scope="session")
def process_info():
    return ProcessInfo(
        name="tth",
        parton_names=("H", "t", "tbar"),
        parton_pdg=(25, 6, -6),
        monomials=Monomials.up_to_degree(("a", "b"), 2),
        collider_energy=13_000.0,
    )


@pytest.fixture
def metadata(process_info):
    return StoreMetadata.for_process(
        process_info, weight_names=("scale_up",), theta={"a": 0.0}, seed=3, config={"name": "test"}
    )


def _fixed(values, arrow_type):
    return pa.FixedSizeListArray.from_arrays(pa.array(np.ravel(values), arrow_type), np.shape(values)[1])


def event_table(count, seed=1, first_id=0):
    """Random events: every third is rejected and has no reconstructed objects."""
    rng = np.random.default_rng(seed)
    selected = np.arange(count) % 3 != 0

    def lists(sizes, arrow_type, maker):
        rows = [maker(size) if keep else None for size, keep in zip(sizes, selected, strict=True)]
        return pa.array(rows, pa.list_(arrow_type))

    jets = rng.integers(0, 20, count)
    leptons = rng.integers(1, 3, count)
    floats = lambda size: np.sort(rng.exponential(50.0, size))[::-1].astype(np.float32)  # noqa: E731
    columns = {
        "event_id": pa.array(np.arange(first_id, first_id + count)),
        "weight": pa.array(rng.normal(1.0, 1.0, count)),
        "coefficients": _fixed(rng.normal(size=(count, 6)), pa.float64()),
        "weight_scale_up": pa.array(rng.normal(1.0, 1.0, count)),
        "partons": _fixed(rng.normal(size=(count, 12)) * 100, pa.float64()),
        "x1": pa.array(rng.uniform(size=count)),
        "x2": pa.array(rng.uniform(size=count)),
        "selected": pa.array(selected),
        "cut": pa.array(np.where(selected, -1, 2).astype(np.int8)),
        "met_pt": pa.array(rng.exponential(40, count).astype(np.float32), mask=~selected),
        "met_phi": pa.array(rng.uniform(-3, 3, count).astype(np.float32), mask=~selected),
        "lepton_pdg": lists(leptons, pa.int32(), lambda size: np.full(size, -13, dtype=np.int32)),
        "jet_tagged": lists(jets, pa.bool_(), lambda size: rng.uniform(size=size) < 0.3),
    }
    for name in ("pt", "eta", "phi", "mass", "btag"):
        columns[f"jet_{name}"] = lists(jets, pa.float32(), floats)
    for name in ("pt", "eta", "phi", "mass", "isolation"):
        columns[f"lepton_{name}"] = lists(leptons, pa.float32(), floats)
    return pa.table(columns)


@pytest.fixture
def make_table():
    return event_table
