"""A small event store with every column that the report uses, made of toy kinematics."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from partonic.config.detector import FlavourTagConfig
from partonic.config.simulation import SimulationConfig
from partonic.events.schema import CutFlowStep, ProcessInfo, StoreMetadata
from partonic.events.store import EventWriter
from partonic.polynomial import Monomials
from partonic.simulation.tagging import tag_probability

MONOMIALS = Monomials.up_to_degree(("kappa_tilde_t", "c_tG"), 2)
PROCESS = ProcessInfo("tth", ("H", "t", "tbar"), (25, 6, -6), MONOMIALS, 13000.0)
MASSES = np.array([125.0, 172.5, 172.5])
PROVENANCE = np.array([1, 1, 2, 2, 2, 3])
FLAVOUR = np.array([5, 5, 5, 0, 4, 5])
Changes = Callable[[dict[str, object]], None]


def vectors(pt: np.ndarray, eta: np.ndarray, phi: np.ndarray, mass: np.ndarray) -> np.ndarray:
    """Four-vectors (E, px, py, pz)."""
    momentum = [pt * np.cos(phi), pt * np.sin(phi), pt * np.sinh(eta)]
    return np.stack([np.sqrt(sum(p**2 for p in momentum) + mass**2), *momentum], axis=-1)


def hard_process(rng: np.random.Generator, number: int) -> dict[str, object]:
    """Return partons that balance in the transverse plane, and coefficients that depend on pT(H)."""
    pt, phi = rng.gamma(2.0, 45.0, (number, 2)), rng.uniform(-np.pi, np.pi, (number, 2))
    first = vectors(pt, rng.normal(0, 1, (number, 2)), phi, np.broadcast_to(MASSES[:2], (number, 2)))
    last = -first[..., 1:3].sum(axis=1)
    z = rng.normal(0, 150, number)
    energy = np.sqrt((last**2).sum(axis=1) + z**2 + MASSES[2] ** 2)
    momenta = np.concatenate([first, np.column_stack([energy, last, z])[:, None]], axis=1)
    total = momenta.sum(axis=1)
    slope = pt[:, 0] / 300
    m0, m1, m2 = np.ones(number), 0.5 * slope, 0.3 + slope * rng.normal(1.0, 0.2, number)
    terms = np.stack([m0**2, np.zeros(number), 2 * m0 * m2, m1**2, np.zeros(number), m2**2], axis=-1)
    return {
        "partons": momenta.reshape(number, 12),
        "x1": (total[:, 0] + total[:, 3]) / 13000.0,
        "x2": (total[:, 0] - total[:, 3]) / 13000.0,
        "coefficients": 0.07 / max(number, 1) * terms,
        "weight": np.full(number, 0.07 / max(number, 1)),
    }


def jets_of(rng: np.random.Generator, number: int) -> dict[str, np.ndarray]:
    """Return six jets an event, sorted by pT: response 1 with 15% resolution, b tags of the detector response."""
    true = 25.0 + rng.exponential(50.0, (number, 6))
    pt = true * rng.normal(1.0, 0.15, (number, 6)).clip(0.3)
    flavour = np.broadcast_to(FLAVOUR, (number, 6))
    tagged = rng.uniform(size=(number, 6)) < tag_probability(pt.ravel(), flavour.ravel(), FlavourTagConfig()).reshape(
        -1, 6
    )
    order = np.argsort(-pt, axis=1)
    found = {
        "pt": pt, "eta": rng.uniform(-2.4, 2.4, (number, 6)), "phi": rng.uniform(-np.pi, np.pi, (number, 6)),
        "mass": 0.1 * pt, "btag": tagged.astype(np.float64), "tagged": tagged, "flavour": flavour,
        "provenance": np.broadcast_to(PROVENANCE, (number, 6)),
        "match": np.broadcast_to(np.arange(6), (number, 6)),
        "true_pt": np.where(rng.uniform(size=(number, 6)) < 0.05, np.nan, true),
    }  # fmt: skip
    return {f"jet_{name}": np.take_along_axis(values, order, axis=1) for name, values in found.items()}


def reconstruction(rng: np.random.Generator, number: int) -> dict[str, object]:
    """Return jets, leptons and missing momentum, null for rejected events."""
    jets = jets_of(rng, number)
    lepton = rng.uniform(size=number) < 0.7
    tags = jets["jet_tagged"].sum(axis=1)
    cut = np.where(~lepton, 0, np.where(tags < 3, 1, -1)).astype(np.int8)
    selected = cut < 0
    quarks = np.empty((number, 6))
    np.put_along_axis(quarks, jets["jet_match"], np.nan_to_num(jets["jet_true_pt"], nan=50.0), axis=1)
    decays = vectors(quarks / 0.95, np.zeros((number, 6)), np.zeros((number, 6)), np.zeros((number, 6)))
    single = {
        "lepton_pt": 29 + rng.exponential(40, number), "lepton_eta": rng.uniform(-2.4, 2.4, number),
        "lepton_phi": rng.uniform(-3, 3, number), "lepton_mass": np.full(number, 0.1),
        "lepton_pdg": np.full(number, 13), "lepton_isolation": np.full(number, 0.02),
    }  # fmt: skip
    lists = {**jets, **{name: values[:, None] for name, values in single.items()}}
    return {
        "selected": selected,
        "cut": cut,
        "met_pt": [float(x) if ok else None for x, ok in zip(rng.exponential(60, number), selected, strict=True)],
        "met_phi": [float(x) if ok else None for x, ok in zip(rng.uniform(-3, 3, number), selected, strict=True)],
        "decay_partons": decays.reshape(number, 24),
        "decay_pdg": np.broadcast_to([5, -5, 5, -1, 4, -5], (number, 6)),
        **{name: [list(row) if ok else None for row, ok in zip(values.tolist(), selected, strict=True)]
           for name, values in lists.items()},
    }  # fmt: skip


def write_store(path: Path, columns: dict[str, object], metadata: StoreMetadata) -> Path:
    """Write `columns` as a store of `metadata`."""
    schema = metadata.event_schema.arrow()
    number = len(columns["weight"])
    arrays = {"event_id": pa.array(np.arange(number))}
    for name, values in columns.items():
        rows = list(values) if isinstance(values, np.ndarray) and values.ndim == 2 else values
        arrays[name] = pa.array(rows, type=schema.field(name).type)
    with EventWriter(path, metadata) as writer:
        writer.write(pa.table(arrays))
    return path


def tth_metadata(columns: dict[str, object]) -> StoreMetadata:
    """Return metadata with the cut flow of the toy."""
    weight, cut = np.asarray(columns["weight"]), np.asarray(columns["cut"])
    steps = {"generated": cut >= -1, "one lepton": cut != 0, "3 b tags": cut == -1}
    return StoreMetadata.for_process(
        PROCESS,
        n_generated=len(weight),
        seed=11,
        config={"simulation": SimulationConfig().model_dump(mode="json")},
        versions={"partonic": "0.1.0"},
        cut_flow=tuple(
            CutFlowStep(name=name, events=int(m.sum()), weight=float(weight[m].sum()),
                        weight_error=float(np.sqrt((weight[m] ** 2).sum())))
            for name, m in steps.items()
        ),
    )  # fmt: skip


@pytest.fixture
def make_store(tmp_path: Path, rng: np.random.Generator) -> Callable[..., Path]:
    """Return a maker of ttH stores: ``make_store(number=500, change=...)``; `change` may edit the columns."""

    def make(number: int = 500, change: Changes | None = None) -> Path:
        columns = hard_process(rng, number) | reconstruction(rng, number)
        metadata = tth_metadata(columns)
        if change is not None:
            change(columns)
        return write_store(tmp_path / "events.parquet", columns, metadata)

    return make


@pytest.fixture
def imported_store(tmp_path: Path, rng: np.random.Generator) -> Path:
    """Return a store without partons, selection, θ or truth: as imported from a data file."""
    process = ProcessInfo("data", (), (), MONOMIALS, 13000.0)
    config = {"import": {"format": "nanoaod", "data": True}}
    metadata = StoreMetadata.for_process(process, n_generated=300, source="nanoaod: data.root", config=config)
    jets = {
        name: values
        for name, values in jets_of(rng, 300).items()
        if name in ("jet_pt", "jet_eta", "jet_phi", "jet_mass")
    }
    constant = np.eye(len(MONOMIALS))[np.zeros(300, dtype=int)]
    columns = {"weight": np.ones(300), "coefficients": constant, "selected": np.ones(300, dtype=bool), **jets}
    return write_store(tmp_path / "imported.parquet", columns, metadata)
