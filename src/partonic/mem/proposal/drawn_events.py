"""Training events of a proposal that are drawn from the trained model of the detector: ε(z) and p_T(x|z).

The best proposal for an integral over p_T is the posterior that p_T itself implies, q(z|x) ∝ c(z) ε(z) p_T(x|z), which
is not the one that simulated events follow where p_T is not perfect. Maximum likelihood on pairs (z, x) drawn from
c ε p_T learns that posterior, and any number of such pairs can be had in minutes: partons of simulated events, accepted
ones or not, are taken with the probability ε, and objects are drawn for them (neural posterior estimation with the
surrogate as simulator; K. Cranmer, J. Brehmer, G. Louppe, arXiv:1911.01429).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from partonic.errors import SchemaError
from partonic.event_status import OK
from partonic.events.batch import RecoEvents
from partonic.events.store import EventStore
from partonic.features.decay_channel import DecayChannel
from partonic.features.decay_channel_status import decay_channel_status
from partonic.features.known_of_event import described
from partonic.features.object_tokens import object_tokens
from partonic.mem.acceptance.model import AcceptanceModel
from partonic.mem.transfer.transfer_function import TransferFunction
from partonic.nn.training import TensorTable
from partonic.physics.process import PartonEvents
from partonic.progress import SILENT, Progress
from partonic.provenance import content_hash
from partonic.rng import torch_generator
from partonic.trained.model_files import model_fingerprint
from partonic.unfolding.view import DecayChannelView

__all__ = ["Surrogate", "drawn_table"]

_COLUMNS = ("x1", "x2", "partons", "hadronic_top")
_BATCH = 50_000
_PIECE = 20_000
"""Sets of partons that are handled at a time; a killed drawing loses no more than one such piece."""

_FEWEST_JETS = 1


@dataclass(frozen=True)
class Surrogate:
    """Trained acceptance and transfer function, which together stand for simulation and selection.

    Attributes:
        transfer: the transfer function.
        acceptance: the acceptance.
        fingerprint: of the model files.
    """

    transfer: TransferFunction
    acceptance: AcceptanceModel
    fingerprint: str

    @classmethod
    def load(cls, transfer: Path, acceptance: Path) -> "Surrogate":
        """Load both from their model folders.

        Raises:
            ModelError: if one is missing or damaged.
        """
        fingerprint = content_hash(
            {"transfer": model_fingerprint(transfer), "acceptance": model_fingerprint(acceptance)}
        )
        return cls(TransferFunction.load(transfer), AcceptanceModel.load(acceptance), fingerprint)


def drawn_table(
    stores: Sequence[Path],
    surrogate: Surrogate,
    target: tuple[DecayChannelView, int],
    events: int,
    seed: int,
    folder: Path,
    progress: Progress = SILENT,
) -> TensorTable:
    """Draw training events; every finished piece is kept in `folder`, and found there when asked for again.

    Args:
        stores: event stores whose partons are taken, those of rejected events, too.
        surrogate: acceptance and transfer function.
        target: partons in the order of their decay channel with their unit cube; hardest jets kept.
        events: number of events that are expected; the drawn number scatters about it.
        seed: root seed.
        folder: of the pieces.
        progress: told of sets of partons done.

    Returns:
        the columns that `proposal_table` has, of events as `described`, their numbers in the frame of each event.

    Raises:
        SchemaError: if the stores have other partons than the decay channel, or none is accepted.
    """
    view, max_jets = target
    partons = _partons(stores, view.decay_channel, progress)
    accepted = torch.exp(surrogate.acceptance.log_probability(partons.momenta))
    if not float(accepted.sum()) > 0.0:
        raise SchemaError(f"the acceptance of all {len(accepted)} sets of partons of the stores is 0: nothing to draw")
    copies = events / accepted.sum() * accepted
    starts = range(0, len(copies), _PIECE)
    key = content_hash(
        {
            "surrogate": surrogate.fingerprint, "stores": [str(path) for path in stores], "partons": len(copies),
            "events": events, "seed": seed, "max_jets": max_jets,
        }
    )  # fmt: skip
    progress.start("drawing events", len(copies), "partons")
    pieces = []
    for start in starts:
        rows = slice(start, start + _PIECE)
        path = folder / f"{key[:16]}-{start // _PIECE:05d}.safetensors"
        if not path.is_file():
            generator = torch_generator(seed, "drawn events", start)
            chosen = _repeated(copies[rows], generator) + start
            drawn = PartonEvents(partons.momenta[chosen], partons.x1[chosen], partons.x2[chosen])
            _columns(drawn, surrogate.transfer, target, generator).save(path)
        pieces.append(TensorTable.open(path))
        progress.advance(len(copies[rows]))
    progress.finish()
    return TensorTable({name: torch.cat([piece.columns[name] for piece in pieces]) for name in pieces[0].columns})


def _partons(stores: Sequence[Path], decay_channel: DecayChannel, progress: Progress) -> PartonEvents:
    """Return the partons of all events of the stores, in the order of the decay channel."""
    parts = []
    progress.start("reading partons", None, "events")
    for path in stores:
        for batch in EventStore.open(path).batches(columns=_COLUMNS, size=_BATCH):
            usable = batch
            if decay_channel.name == "semileptonic":
                usable = batch.filter(np.asarray(batch.column("hadronic_top")) != 0)
            parts.append(decay_channel.truth(usable))
            progress.advance(len(batch))
    progress.finish()
    return PartonEvents(*(torch.cat([getattr(part, name) for part in parts]) for name in ("momenta", "x1", "x2")))


def _repeated(copies: Float[Tensor, " events"], generator: torch.Generator) -> Tensor:
    """Return row numbers, each as many times as `copies` says on average."""
    number = torch.floor(copies + torch.rand(len(copies), generator=generator, dtype=copies.dtype)).long()
    return torch.repeat_interleave(torch.arange(len(copies)), number)


def _columns(
    partons: PartonEvents,
    transfer: TransferFunction,
    target: tuple[DecayChannelView, int],
    generator: torch.Generator,
) -> TensorTable:
    """Draw the objects of partons, and return the columns of usable events."""
    view, max_jets = target
    decay_channel = view.decay_channel
    reco = described(transfer.sample(partons.momenta, generator), decay_channel)
    status = decay_channel_status(reco, decay_channel, _FEWEST_JETS)
    usable = torch.tensor([word == OK for word in status], dtype=torch.bool)
    usable &= _possible(reco, view.collider_energy)
    reco = reco.select(usable)
    tokens = object_tokens(reco, decay_channel, max_jets)
    numbers, _ = view.numbers(PartonEvents(partons.momenta[usable], partons.x1[usable], partons.x2[usable]))
    columns = {**tokens.columns(), "numbers": view.numbers_in(numbers, tokens.frame)}
    return TensorTable({**columns, "jet_count": reco.jet_mask.sum(dim=1)})


def _possible(reco: RecoEvents, collider_energy: float) -> Bool[Tensor, " events"]:
    """Return which events have less energy than the collider: the tails of p_T know no such limit."""
    energy = reco.met[:, 0].double()
    for objects in (reco.jets, reco.leptons, reco.photons):
        energy = energy + (objects[..., 0].double() * torch.cosh(objects[..., 1].double())).sum(dim=1)
    return energy < collider_energy
