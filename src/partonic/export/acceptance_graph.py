"""The graph of a trained acceptance: partons of an event → the probability that it passes the selection."""

from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from partonic.errors import SchemaError
from partonic.events.store import EventStore
from partonic.export.described import ArrayDescription, Description
from partonic.export.network_file import Graph
from partonic.export.tracing import traced
from partonic.mem.acceptance.model import AcceptanceModel
from partonic.trained.model_files import model_fingerprint

__all__ = ["acceptance_graph"]

_INPUT, _OUTPUTS = "partons", ("acceptance", "log_acceptance")
_EXAMPLE = 3
_SPREAD = 150.0
"""Width in GeV of the momenta of random partons."""


class _Acceptance(nn.Module):
    """ε and log ε; `partonic.mem.acceptance.model.AcceptanceModel.log_probability` in one piece."""

    def __init__(self, model: AcceptanceModel) -> None:
        super().__init__()
        self.network = model.network

    def forward(self, momenta: Float[Tensor, "events partons 4"]) -> tuple[Tensor, Tensor]:
        calibration = self.network.calibration
        logits = calibration[0] + calibration[1] * self.network(momenta).double()
        return torch.sigmoid(logits), functional.logsigmoid(logits)


def acceptance_graph(folder: Path, events: int, generator: np.random.Generator, store: Path | None = None) -> Graph:
    """Return the graph of a model folder.

    Args:
        folder: of the model.
        events: most events to try it on.
        generator: draws partons, where no store is given.
        store: of simulated events to try it on.

    Raises:
        ModelError: if the folder holds no acceptance, or it cannot be written as ONNX.
        SchemaError: if the store has no partons.
    """
    model = AcceptanceModel.load(folder)
    partons = len(model.layout.parton_pdg)
    momenta = _random_partons(events, partons, generator) if store is None else _partons_of(store, model, events)
    log_probability = model.log_probability(momenta)
    expected = {"acceptance": log_probability.exp().numpy(), "log_acceptance": log_probability.numpy()}
    graph = traced(_Acceptance(model), (momenta[:_EXAMPLE].clone(),), (_INPUT,), _OUTPUTS)
    return Graph(graph, _description(model, folder), {_INPUT: momenta.numpy()}, expected)


def _random_partons(events: int, partons: int, generator: np.random.Generator) -> Float[Tensor, "events partons 4"]:
    """Return massive partons with momenta of all directions, in GeV."""
    momenta = _SPREAD * generator.normal(size=(events, partons, 3))
    mass = generator.uniform(1.0, _SPREAD, size=(events, partons, 1))
    energy = np.sqrt((momenta**2).sum(axis=-1, keepdims=True) + mass**2)
    return torch.from_numpy(np.concatenate([energy, momenta], axis=-1)).float()


def _partons_of(store: Path, model: AcceptanceModel, events: int) -> Float[Tensor, "events partons 4"]:
    opened, channel = EventStore.open(store), model.layout.decay_channel
    columns = ("x1", "x2", "partons", "hadronic_top")
    for batch in opened.batches(columns=columns, size=events):
        return channel.truth(batch).momenta.float()
    raise SchemaError(f"{store} has no events to try the acceptance on: give a store of simulated events")


def _description(model: AcceptanceModel, folder: Path) -> Description:
    layout = model.layout
    partons = ArrayDescription(
        _INPUT, ("events", "partons", "components"), "GeV",
        "Four-momenta (E, px, py, pz) of the partons of the process in the laboratory, in the order of `parton_pdg`.",
        ("E", "px", "py", "pz"), ("GeV",) * 4,
    )  # fmt: skip
    outputs = (
        ArrayDescription("acceptance", ("events",), "", "Probability that such an event passes the selection."),
        ArrayDescription("log_acceptance", ("events",), "", "Its natural logarithm, exact where it is very small."),
    )
    facts = {"layout": layout.record(), "parton_pdg": list(layout.parton_pdg)}
    fingerprint = model_fingerprint(folder)
    return Description("acceptance", model.schema.process, fingerprint, (partons,), outputs, facts)
