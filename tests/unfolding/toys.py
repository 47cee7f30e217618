"""An event store of toy ttH events, with partons of both views and jets near them, and a sampler of a known density."""

import math
from pathlib import Path

import numpy as np
import pyarrow as pa
import torch
from torch import Tensor

from partonic.event_status import OK
from partonic.events.batch import RecoEvents
from partonic.events.schema import ProcessInfo, StoreMetadata
from partonic.events.store import EventWriter
from partonic.features.event_status import event_status
from partonic.processes.tth.settings import TthConfig
from partonic.trained.schema_record import SchemaRecord
from partonic.unfolding.partons import PartonSamples
from partonic.unfolding.view import PartonView

PROCESS = ProcessInfo.of_config(TthConfig())
HARD = PartonView.of("hard", TthConfig())
WITH_ISR = PartonView.of("with_isr", TthConfig())

# Decay products: the resonance (H, t_had, t_lep), its PDG id, its own PDG id, its share of the momentum.
_DECAYS = [
    (0, 25, 5, 0.6), (0, 25, -5, 0.4), (1, 6, 5, 0.4), (1, 6, 2, 0.35), (1, 6, -1, 0.25), (2, -6, -5, 0.5),
    (2, -6, 13, 0.3), (2, -6, -14, 0.2),
]  # fmt: skip
_JETS = range(6)


def write_store(
    path: Path, events: int = 60, seed: int = 1, process: ProcessInfo = PROCESS, faults: bool = False
) -> Path:
    """Write toy events: every fifth is rejected; with `faults`, selected events 1, 2 and 3 cannot be unfolded."""
    table = _table(events, np.random.default_rng(seed), faults)
    with EventWriter(path, StoreMetadata.for_process(process, seed=seed), row_group=50) as writer:
        writer.write(table)
    return path


class GaussianSampler:
    """Numbers that are σ(z) of standard normal z, whatever the event: a density that is known."""

    def __init__(self, view: PartonView = HARD) -> None:
        self.view = view
        self.events = 0

    def check(self, metadata: StoreMetadata, where: str) -> None:
        SchemaRecord.of(PROCESS).check(metadata, where)

    def sample(
        self, reco: RecoEvents, samples: int, generator: torch.Generator, precision: str = "float32"
    ) -> PartonSamples:
        self.events += len(reco)
        status = event_status(reco)
        shape = (len(reco), samples)
        numbers = torch.randn(*shape, self.view.dimensions, generator=generator, dtype=torch.float64).sigmoid()
        partons, _ = self.view.partons(numbers.flatten(0, 1))
        bad = torch.tensor([word != OK for word in status])
        parts = {
            "momenta": partons.momenta.unflatten(0, shape),
            "x1": partons.x1.unflatten(0, shape),
            "x2": partons.x2.unflatten(0, shape),
            "numbers": numbers,
            "log_density": gaussian_log_density(numbers),
        }
        for values in parts.values():
            values[bad] = math.nan
        return PartonSamples(**parts, status=status)


def gaussian_log_density(numbers: Tensor) -> Tensor:
    """log q(u) of u = σ(z), z ~ N(0, 1) in each dimension."""
    z = numbers.logit()
    return (-0.5 * z.square() - 0.5 * math.log(2 * math.pi) - (numbers * (1 - numbers)).log()).sum(dim=-1)


def _table(count: int, rng: np.random.Generator, faults: bool) -> pa.Table:
    hard, _ = HARD.partons(torch.from_numpy(rng.uniform(0.2, 0.8, (count, HARD.dimensions))))
    isr, _ = WITH_ISR.partons(torch.from_numpy(rng.uniform(0.2, 0.8, (count, WITH_ISR.dimensions))))
    selected = np.arange(count) % 5 != 4
    decays = np.stack([share * hard.momenta[:, origin].numpy() for origin, _, _, share in _DECAYS], axis=1)
    columns: dict[str, object] = {
        "event_id": np.arange(count),
        "weight": np.full(count, 0.5 / max(count, 1)),
        "coefficients": _fixed(rng.uniform(0.1, 1.0, (count, len(PROCESS.monomials)))),
        "partons": _fixed(hard.momenta.flatten(1).numpy()),
        "x1": hard.x1.numpy(),
        "x2": hard.x2.numpy(),
        "isr_partons": _fixed(isr.momenta.flatten(1).numpy()),
        "isr_x1": isr.x1.numpy(),
        "isr_x2": isr.x2.numpy(),
        "hadronic_top": pa.array(np.full(count, 6), pa.int8()),
        "decay_partons": _lists(decays.reshape(count, 4 * len(_DECAYS)), np.ones(count, dtype=bool)),
        "decay_pdg": pa.array([[pdg for _, _, pdg, _ in _DECAYS]] * count, pa.list_(pa.int32())),
        "decay_origin": pa.array([[origin for _, origin, _, _ in _DECAYS]] * count, pa.list_(pa.int8())),
        "selected": pa.array(selected),
        "cut": pa.array(np.where(selected, -1, 2), pa.int8()),
    }
    return pa.table(columns | _objects(decays, selected, rng, faults))


def _objects(decays: np.ndarray, selected: np.ndarray, rng: np.random.Generator, faults: bool) -> dict[str, object]:
    """Jets, lepton and missing momentum: the decay products, their energies smeared by 10%."""
    smeared = decays[..., 1:] * rng.normal(1.0, 0.1, (*decays.shape[:2], 1))
    pt = np.hypot(smeared[..., 0], smeared[..., 1])
    eta, phi = np.arcsinh(smeared[..., 2] / pt), np.arctan2(smeared[..., 1], smeared[..., 0])
    order = np.argsort(-pt[:, :6], axis=1)
    jets = {
        name: np.take_along_axis(values[:, :6], order, axis=1) for name, values in (("p", pt), ("e", eta), ("f", phi))
    }
    counts = np.full(len(decays), 6)
    lepton_pt, met = pt[:, 6:7].copy(), pt[:, 7].astype(np.float32)
    leptons = selected.copy()
    if faults:
        jets["p"][1, 2] = np.nan
        met[2] = np.inf
        counts[3] = 3
    tags = np.take_along_axis(np.broadcast_to([1.0, 1.0, 1.0, 0.0, 0.0, 1.0], order.shape), order, axis=1)
    origin = np.take_along_axis(np.broadcast_to([1, 1, 2, 2, 2, 3], order.shape), order, axis=1)

    def jet_lists(values: np.ndarray, kind: pa.DataType) -> pa.Array:
        rows = [row[:n] if keep else None for row, n, keep in zip(values, counts, selected, strict=True)]
        return pa.array(rows, pa.list_(kind))

    def lepton_lists(values: np.ndarray, kind: pa.DataType) -> pa.Array:
        return pa.array([row if keep else None for row, keep in zip(values, leptons, strict=True)], pa.list_(kind))

    return {
        "jet_pt": jet_lists(jets["p"], pa.float32()),
        "jet_eta": jet_lists(jets["e"], pa.float32()),
        "jet_phi": jet_lists(jets["f"], pa.float32()),
        "jet_mass": jet_lists(np.full(order.shape, 8.0), pa.float32()),
        "jet_btag": jet_lists(tags, pa.float32()),
        "jet_tagged": jet_lists(tags > 0.5, pa.bool_()),
        "jet_provenance": jet_lists(origin, pa.int8()),
        "jet_match": jet_lists(order, pa.int8()),
        "lepton_pt": lepton_lists(lepton_pt, pa.float32()),
        "lepton_eta": lepton_lists(eta[:, 6:7], pa.float32()),
        "lepton_phi": lepton_lists(phi[:, 6:7], pa.float32()),
        "lepton_mass": lepton_lists(np.zeros_like(lepton_pt), pa.float32()),
        "lepton_pdg": lepton_lists(np.full(lepton_pt.shape, 13), pa.int32()),
        "lepton_isolation": lepton_lists(np.zeros_like(lepton_pt), pa.float32()),
        "met_pt": pa.array(met, pa.float32(), mask=~selected),
        "met_phi": pa.array(phi[:, 7], pa.float32(), mask=~selected),
    }


def _fixed(values: np.ndarray) -> pa.Array:
    return pa.FixedSizeListArray.from_arrays(pa.array(values.reshape(-1)), values.shape[1])


def _lists(values: np.ndarray, keep: np.ndarray) -> pa.Array:
    return pa.array([row if kept else None for row, kept in zip(values, keep, strict=True)], pa.list_(pa.float64()))
