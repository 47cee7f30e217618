"""Event stores and networks of toy ttH events in all decay channels: jets and leptons are smeared decay products."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import torch

from partonic.config.mem_training.proposal import ProposalNetworkConfig
from partonic.events.batch import RecoEvents
from partonic.events.schema import ProcessInfo, StoreMetadata
from partonic.events.store import EventStore, EventWriter
from partonic.features.decay_channel import DecayChannel, DecayChannelName
from partonic.physics.phasespace import PartonCube
from partonic.processes.tth.settings import TthConfig
from partonic.trained.schema_record import SchemaRecord
from partonic.unfolding.decay_channel.network import DecayChannelNetwork
from partonic.unfolding.unfolder import Unfolder
from partonic.unfolding.view import DecayChannelView

PROCESS = ProcessInfo.of_config(TthConfig())
CUBE = PartonCube((125.0, 172.5, 172.5), 13_000.0)
DECAY_CHANNELS: tuple[DecayChannelName, ...] = ("semileptonic", "dilepton", "all_hadronic")

_PAIR, _LEPTONIC, _HADRONIC = (0.6, 0.4), (0.5, 0.3, 0.2), (0.4, 0.35, 0.25)
"""Shares of the momentum of H, and of b, ℓ, ν or b, q, q' of a top."""


def channel_of(name: DecayChannelName) -> DecayChannel:
    return DecayChannel(name, PROCESS.parton_pdg)


def write_channel_store(path: Path, name: DecayChannelName, events: int = 120, seed: int = 1) -> Path:
    """Write toy events; every fifth is rejected."""
    with EventWriter(path, StoreMetadata.for_process(PROCESS, seed=seed), row_group=50) as writer:
        writer.write(_table(name, events, np.random.default_rng(seed)))
    return path


def reco_of(path: Path, events: int = 12) -> RecoEvents:
    return next(iter(EventStore.open(path).batches(selected_only=True, size=events))).reco()


def random_network(name: DecayChannelName, reco: RecoEvents, cube: PartonCube = CUBE, seed: int = 5) -> Unfolder:
    """A network that was not trained, but whose weights are far from simple; at least six jets."""
    pdg = PROCESS.parton_pdg if len(cube.masses) == 3 else (6, -6, 5, -5)
    decay_channel, config = DecayChannel(name, pdg), ProposalNetworkConfig(preset="tiny")
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = DecayChannelNetwork(config, DecayChannelView.of(decay_channel, cube), jets_min=4)
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.add_(0.1 * torch.randn_like(parameter))
        numbers = 0.02 + 0.96 * torch.rand((2000, cube.dimensions), dtype=torch.float64)
        model.targets.fit(numbers)
        model.flow.fit_scale(numbers, torch.rand((2000, cube.dimensions), dtype=torch.float64))
    return Unfolder(model, SchemaRecord.of(PROCESS))


def _table(name: DecayChannelName, count: int, rng: np.random.Generator) -> pa.Table:
    partons, _ = CUBE.partons(torch.from_numpy(rng.uniform(0.2, 0.8, (count, CUBE.dimensions))))
    hadronic_top = rng.choice([6, -6], count) if name == "semileptonic" else np.zeros(count, dtype=int)
    selected = np.arange(count) % 5 != 4
    jets, leptons, neutrinos = _decayed(name, partons.momenta.numpy(), hadronic_top)
    columns = {
        "event_id": np.arange(count),
        "weight": np.full(count, 0.5 / count),
        "coefficients": _fixed(rng.uniform(0.1, 1.0, (count, len(PROCESS.monomials)))),
        "partons": _fixed(partons.momenta.flatten(1).numpy()),
        "x1": partons.x1.numpy(),
        "x2": partons.x2.numpy(),
        "hadronic_top": pa.array(hadronic_top, pa.int8()),
        "selected": pa.array(selected),
        "cut": pa.array(np.where(selected, -1, 2), pa.int8()),
        "met_pt": pa.array(np.hypot(*neutrinos.T).astype(np.float32), mask=~selected),
        "met_phi": pa.array(np.arctan2(neutrinos[:, 1], neutrinos[:, 0]).astype(np.float32), mask=~selected),
    }
    return pa.table(columns | _objects("jet", jets, selected, rng) | _leptons(leptons, selected, rng))


def _decayed(
    name: DecayChannelName, partons: np.ndarray, hadronic_top: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the three-momenta of jets, of leptons with their charges, and the sum of neutrinos."""
    three = partons[..., 1:]
    jets, leptons, neutrinos = [share * three[:, 0] for share in _PAIR], [], np.zeros((len(three), 2))
    for place, pdg, charge in ((1, 6, 1.0), (2, -6, -1.0)):
        leptonic = np.full(len(three), name == "dilepton") | ((hadronic_top != 0) & (hadronic_top != pdg))
        shares = np.where(leptonic[:, None], _LEPTONIC, _HADRONIC)
        first, second, third = (shares[:, i, None] * three[:, place] for i in range(3))
        jets.append(first)
        jets += [np.where(leptonic[:, None], np.nan, product) for product in (second, third)]
        neutrinos += np.where(leptonic[:, None], third[:, :2], 0.0)
        lepton = np.where(leptonic[:, None], second, np.nan)
        leptons.append(np.concatenate([lepton, np.full((len(three), 1), charge)], axis=1))
    return np.stack(jets, axis=1), np.stack(leptons, axis=1), neutrinos


def _objects(prefix: str, momenta: np.ndarray, selected: np.ndarray, rng: np.random.Generator) -> dict[str, pa.Array]:
    """Return columns of objects in descending pT, smeared by 10%; NaN momenta are no objects."""
    smeared = momenta[..., :3] * rng.normal(1.0, 0.1, (*momenta.shape[:2], 1))
    pt = np.hypot(smeared[..., 0], smeared[..., 1])
    order = np.argsort(-np.nan_to_num(pt, nan=-1.0), axis=1)
    eta, phi = np.arcsinh(smeared[..., 2] / pt), np.arctan2(smeared[..., 1], smeared[..., 0])
    real = np.take_along_axis(np.isfinite(pt), order, axis=1)

    def lists(values: np.ndarray, kind: pa.DataType) -> pa.Array:
        sorted_values = np.take_along_axis(values, order, axis=1)
        rows = [row[k] if keep else None for row, k, keep in zip(sorted_values, real, selected, strict=True)]
        return pa.array(rows, pa.list_(kind))

    found = {f"{prefix}_{key}": lists(values, pa.float32()) for key, values in (("pt", pt), ("eta", eta), ("phi", phi))}
    found[f"{prefix}_mass"] = lists(np.full(pt.shape, 5.0), pa.float32())
    if prefix == "jet":
        tags = np.tile([1.0, 1.0, 1.0, 0.0, 0.0, 1.0, 0.0, 0.0], (len(pt), 1))
        return found | {"jet_btag": lists(tags, pa.float32()), "jet_tagged": lists(tags > 0.5, pa.bool_())}
    ids = np.where(np.arange(len(pt)) % 2, 13, 11)[:, None] * -momenta[..., 3]
    return found | {
        "lepton_pdg": lists(ids.astype(int), pa.int32()),
        "lepton_isolation": lists(np.zeros(pt.shape), pa.float32()),
    }


def _leptons(leptons: np.ndarray, selected: np.ndarray, rng: np.random.Generator) -> dict[str, pa.Array]:
    return _objects("lepton", leptons, selected, rng)


def _fixed(values: np.ndarray) -> pa.Array:
    return pa.FixedSizeListArray.from_arrays(pa.array(values.reshape(-1)), values.shape[1])
