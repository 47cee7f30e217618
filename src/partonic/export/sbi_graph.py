"""The graph of a trained estimator of simulation-based inference, networks or trees."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor, nn

from partonic.errors import ModelError, SchemaError
from partonic.events.store import EventStore
from partonic.export.described import ArrayDescription, Description
from partonic.export.feature_units import feature_unit
from partonic.export.network_file import Graph
from partonic.export.ratio_network import RatioNetwork, RatiosOfTargets
from partonic.export.tracing import joined, traced
from partonic.export.tree_ensemble import Forest, forest_model
from partonic.features.named import NamedFeatures
from partonic.sbi.information_trees import InformationTrees
from partonic.sbi.model import SbiModel, SbiRecord
from partonic.trained.model_files import model_fingerprint

if TYPE_CHECKING:
    import onnx

__all__ = ["sbi_graph"]

Array = NDArray[np.float64]

_INPUT = "features"
_OUTPUTS = ("ratios", "member_densities", "covariance", "outside")
_EXAMPLE = 3
"""Events that the computation is followed with; the check has others."""

_SMALLEST = 0.05
"""Density at the reference point, in units of that learned at, below which ratios to it are not compared."""

_ABSENT = 0.2
"""Part of the random events that lack a feature which events may lack."""


def sbi_graph(folder: Path, events: int, generator: np.random.Generator, store: Path | None = None) -> Graph:
    """Return the graph of a model folder.

    Args:
        folder: of the model.
        events: most events to try it on.
        generator: draws features within the range of the training, where no store is given.
        store: of events to try it on.

    Raises:
        ModelError: if the folder holds no such model, or its networks look at objects, or cannot be written as ONNX.
        SchemaError: if the store holds other events than the model was trained on.
    """
    model = SbiModel.load(folder)
    _check_inputs(model, folder)
    features = random_features(model, events, generator) if store is None else _features_of(store, model, events)
    features = _well_conditioned(model, features)
    with torch.no_grad():
        found = RatioNetwork(model)(torch.from_numpy(features))
    expected = dict(zip(_OUTPUTS, (each.numpy() for each in found), strict=True))
    graph = _tree_model(model) if isinstance(model.method, InformationTrees) else _network_model(model)
    return Graph(graph, _description(model.record, folder), {_INPUT: features}, expected)


def _check_inputs(model: SbiModel, folder: Path) -> None:
    """Refuse networks over the objects of an event: they pack those that are real, as many as each event has."""
    if model.objects is not None:
        raise ModelError(
            f"the networks of {folder} look at the objects of events (backbone "
            f"'{model.record.config.network.backbone}'), whose number differs between events, and no ONNX files are "
            "made of such; train with `sbi.network.backbone: mlp`, or trees, on named features"
        )


def random_features(model: SbiModel, events: int, generator: np.random.Generator) -> Array:
    """Return features spread over the range of the training, some of them absent where events may lack them."""
    low, high = (getattr(model.scaler, name).numpy() for name in ("lowest", "highest"))
    mean, deviation = model.scaler.mean.numpy(), model.scaler.deviation.numpy()
    size = (events, len(mean))
    drawn = np.clip(generator.normal(size=size), low, high)
    values: Array = mean + np.where(np.isfinite(deviation), deviation, 0.0) * drawn
    values[(generator.uniform(size=size) < _ABSENT) & model.scaler.flagged.numpy()] = np.nan
    return values


def _well_conditioned(model: SbiModel, features: Array) -> Array:
    """Return the events whose ratios mean something: rounding decides them where what they are divided by is nearly 0.

    Raises:
        ModelError: if there are none.
    """
    with torch.no_grad():
        targets = model.method.targets_of(model.scaler(torch.from_numpy(features)))
        good = (RatiosOfTargets(model).smallest_density(targets) > _SMALLEST).numpy()
    if not good.any():
        message = (
            "the learned density at the Standard Model is not positive for any of the events that the file was to be "
            "compared on: give events of a store (--store), or train longer"
        )
        raise ModelError(message)
    found: Array = features[good]
    return found


def _features_of(store: Path, model: SbiModel, events: int) -> Array:
    opened = EventStore.open(store)
    if opened.metadata.process != model.record.process:
        raise SchemaError(
            f"{store} holds events of '{opened.metadata.process}', the model was trained on '{model.record.process}': "
            "give a store of such events"
        )
    named = NamedFeatures(model.record.features, opened.metadata)
    for batch in opened.batches(columns=named.columns, size=events, accepted_only=True):
        return named.of(batch)
    raise SchemaError(f"{store} has no selected events to try the network on: give another store")


def _network_model(model: SbiModel) -> "onnx.ModelProto":
    example = model.scaler.mean.expand(_EXAMPLE, -1).clone()
    return traced(RatioNetwork(model), (example,), (_INPUT,), _OUTPUTS)


class _TreeValues(nn.Module):
    """From features to the values that trees split by, NaN where missing, and the distance from the training."""

    def __init__(self, model: SbiModel, method: InformationTrees) -> None:
        super().__init__()
        self.scaler = model.scaler
        self.gaps, self.columns = method.missing.tolist(), method.columns.tolist()

    def forward(self, features: Float[Tensor, "events features"]) -> tuple[Tensor, Tensor]:
        inputs = self.scaler(features)
        count = inputs.shape[1] - len(self.gaps)
        flag = {feature: count + number for number, feature in enumerate(self.gaps)}
        columns = [
            torch.where(inputs[:, flag[each]] > 0, torch.nan, inputs[:, each]) if each in flag else inputs[:, each]
            for each in self.columns
        ]
        return torch.stack(columns, dim=1).double(), self.scaler.outside(features)


class _TreeRatios(nn.Module):
    """From the sums of the trees to R_a."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, model: SbiModel, method: InformationTrees) -> None:
        super().__init__()
        self.members, self.ratios = method.members, RatiosOfTargets(model)
        self.register_buffer("mean", method.mean)
        self.register_buffer("deviation", method.deviation)

    def forward(self, sums: Float[Tensor, "events targets"]) -> tuple[Tensor, Tensor, Tensor]:
        derivatives = sums.double().reshape(sums.shape[0], self.members, -1).transpose(0, 1)
        derivatives = derivatives * self.deviation + self.mean
        found = self.ratios(torch.cat([torch.ones_like(derivatives[..., :1]), derivatives], dim=-1))
        return found.ratios, found.member_densities, found.covariance


def _tree_model(model: SbiModel) -> "onnx.ModelProto":
    """Return the graph of trees: what comes before and after them is followed in torch, they are one operator."""
    method = model.method
    if not isinstance(method, InformationTrees):
        message = f"expected boosted information trees, got {type(method).__name__}"
        raise TypeError(message)
    example = model.scaler.mean.expand(_EXAMPLE, -1).clone()
    before = traced(_TreeValues(model, method), (example,), (_INPUT,), ("values", _OUTPUTS[3]))
    trees = forest_model(_forest(method), "split_values", "sums")
    size = method.members * len(method.mean)
    after = traced(_TreeRatios(model, method), (torch.zeros(_EXAMPLE, size),), ("tree_sums",), _OUTPUTS[:3])
    with_trees = joined(before, trees, {"values": "split_values"}, ("sums", _OUTPUTS[3]))
    return joined(with_trees, after, {"sums": "tree_sums"}, _OUTPUTS)


def _forest(method: InformationTrees) -> Forest:
    counts = method.trees.numpy()
    return Forest(
        method.edges.numpy(), method.counts.numpy(), method.roots.numpy(), np.repeat(np.arange(len(counts)), counts),
        method.nodes.numpy(), method.steps.numpy(),
    )  # fmt: skip


def _description(record: SbiRecord, folder: Path) -> Description:
    names = record.monomials.names
    features = ArrayDescription(
        _INPUT, ("events", "features"), "as `units` says", "Features of the events; NaN where an event has none.",
        record.features, tuple(feature_unit(name) for name in record.features),
    )  # fmt: skip
    ratio = "R_a = P_a/P_ref, of which the density of an event is the sum with the monomials of θ"
    outputs = (
        ArrayDescription("ratios", ("events", "monomials"), "", f"{ratio}; NaN where P_ref is not positive.", names),
        ArrayDescription(
            "member_densities",
            ("members", "events", "monomials"),
            "",
            "P_a of each member in units of the density that was learned at; their mean over the members, divided by "
            "its density at the reference point, is `ratios`.",
            names,
        ),
        ArrayDescription(
            "covariance", ("events", "monomials", "monomials"), "", "Covariance of the ratios from the members.", names
        ),
        ArrayDescription(
            "outside", ("events",), "standard deviations", "Distance of an event from the features of the training."
        ),
    )
    return Description(
        "simulation-based inference", record.process, model_fingerprint(folder), (features,), outputs, _facts(record)
    )


def _facts(record: SbiRecord) -> dict[str, Any]:
    """Return what a fit needs beside the ratios."""
    reference = record.monomials.point(record.reference_point)
    return {
        "method": record.config.method,
        "members": record.config.network.members,
        "parameters": list(record.parameters),
        "exponents": [list(powers) for powers in record.exponents],
        "monomials": list(record.monomials.names),
        "reference_point": dict(zip(record.parameters, reference.tolist(), strict=True)),
        "trained_range": dict(zip(record.parameters, map(list, record.ranges), strict=True)),
        "cross_section": {"unit": "pb", **record.cross_section.model_dump(mode="json")},
        "collider_energy": record.collider_energy,
    }
