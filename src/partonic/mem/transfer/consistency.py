"""Training of the transfer function where the integral looks: true partons against those that a proposal offers.

Maximum likelihood, −log p_T(x|z) of true pairs, hardly sees what p_T is at partons that are wrong for an event, and an
overtrained network may have spikes there that then dominate an integral. So true partons z_0 are set among others z_1
… z_K from a proposal q(z|x), with the logits

    ℓ_k = log p_T(x|z_k) + ρ_k,    ρ_k = log [c_0(z_k) ε(z_k) |dz/du| / q(u_k|x)],

and the cross entropy −log softmax_0(ℓ) is added to −log p_T: noise-contrastive estimation (A. van den Oord et al.,
arXiv:1807.03748, eq. 4) of the posterior p(z|x) ∝ c_0 ε p_T. ℓ_k are the log-weights of the integral. The true density
minimises both losses. True partons must follow c_0 ε for this, so that the cross entropy has the weights of θ = 0.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from partonic.config.mem_training.transfer import ConsistencyConfig, MemTrainingConfig
from partonic.errors import SchemaError
from partonic.events.batch import EventBatch, RecoEvents
from partonic.features.decay_channel import DecayChannel
from partonic.mem.protocols import Acceptance, DensityProposal
from partonic.mem.transfer.data import objects_of, transfer_table
from partonic.mem.transfer.network import TransferNetwork
from partonic.mem.transfer.objects import ObjectTable
from partonic.mem.transfer.train import TransferPhase, mirror_events
from partonic.mem.transfer.transfer_function import TransferFunction
from partonic.nn.training import PhaseSettings, run_phase, split_table
from partonic.physics.process import PartonEvents, Process
from partonic.progress import SILENT, Progress

__all__ = ["ConsistencyPhase", "Contrast", "train_consistency"]

_EVENTS = 500
"""Events at a time for which partons are proposed."""


@dataclass
class Contrast:
    """Partons proposed for training events, beside the true ones; handed to `transfer_table` as `extra`.

    Attributes:
        process: dσ/dz.
        proposal: where other partons come from, with a density that can be evaluated.
        acceptance: ε(z).
        proposals: number K of other partons for each event.
        generator: of their random numbers.
    """

    process: Process
    proposal: DensityProposal
    acceptance: Acceptance
    proposals: int
    generator: torch.Generator

    def __call__(
        self,
        batch: EventBatch,
        reco: RecoEvents,
        momenta: Float[Tensor, "events partons 4"],
        decay_channel: DecayChannel,
    ) -> dict[str, Tensor]:
        """Return the columns ``proposed`` `(N, K, P, 4)`, ``rho`` `(N, 1 + K)` and ``weight`` `(N,)`.

        Args:
            batch: training events.
            reco: the same.
            momenta: their true partons in the order of the decay channel.
            decay_channel: of the events.

        Raises:
            SchemaError: if the proposal cannot handle an event.
        """
        pieces = []
        for start in range(0, len(reco), _EVENTS):
            rows = slice(start, start + _EVENTS)
            x1, x2 = (torch.from_numpy(batch.column(name).astype("float64"))[rows] for name in ("x1", "x2"))
            x = reco.select(torch.arange(len(reco))[rows])
            pieces.append(self._columns(x, PartonEvents(momenta[rows].double(), x1, x2), decay_channel))
        columns = {name: torch.cat([piece[name] for piece in pieces]) for name in pieces[0]} if pieces else {}
        return {**columns, "weight": torch.from_numpy(batch.coefficients[:, 0].copy()).float()}

    def _columns(self, x: RecoEvents, truth: PartonEvents, decay_channel: DecayChannel) -> dict[str, Tensor]:
        view, count = self.proposal.view, self.proposals
        numbers, log_density = self.proposal.sample_and_log_density(x, count, self.generator)
        true_numbers, _ = view.numbers(truth)
        true_density = self.proposal.log_density(x, true_numbers[:, None])
        numbers = torch.cat([true_numbers[:, None], numbers.double().cpu()], dim=1)
        log_density = torch.cat([true_density.double().cpu(), log_density.double().cpu()], dim=1)
        if bool(numbers.isnan().any() | log_density.isnan().any()):
            bad = int(log_density.isnan().any(dim=1).sum())
            raise SchemaError(
                f"the proposal has no partons for {bad} of {len(x)} training events; expected usable ones"
            )
        events, log_volume = view.partons(numbers.clamp(0.0, 1.0).flatten(0, 1))
        shape = log_density.shape
        in_order = decay_channel.process_order(events.momenta.view(*shape, *events.momenta.shape[1:]), x).flatten(0, 1)
        first = self.process.coefficients(PartonEvents(in_order, events.x1, events.x2))[:, 0]
        log_prior = torch.where(first > 0.0, first.clamp(min=1e-300).log(), -torch.inf)
        rho = (log_prior + self.acceptance.log_probability(events.momenta) + log_volume).view(shape) - log_density
        momenta = events.momenta.view(*shape, *events.momenta.shape[1:])
        return {"proposed": momenta[:, 1:].float(), "rho": rho.float()}


class ConsistencyPhase(TransferPhase):
    """Minimise −log p_T of the truth and the cross entropy of the truth among proposed partons."""

    def __init__(self, network: TransferNetwork, share: float, used: int) -> None:
        """Train `network`.

        Args:
            network: the network, trained before.
            share: weight of the cross entropy.
            used: number of proposed partons in a step, chosen anew in each.
        """
        super().__init__(network)
        self.share, self.used = share, used

    def training_losses(
        self, batch: Mapping[str, Tensor], generator: torch.Generator
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the sum of both losses, and each of them to watch."""
        available = batch["proposed"].shape[1]
        chosen = torch.randperm(available, generator=generator, device=generator.device)[: self.used]
        chosen = chosen.to(batch["rho"].device)
        flip = torch.rand(len(batch["rho"]), generator=generator, device=generator.device) < 0.5
        likelihood, contrast = self._losses(batch, chosen, flip.to(chosen.device))
        return likelihood + self.share * contrast, {"likelihood": likelihood, "contrast": contrast}

    def validation_loss(self, batch: Mapping[str, Tensor]) -> Tensor:
        """Return the sum of both losses with all proposed partons."""
        everything = torch.arange(batch["proposed"].shape[1], device=batch["rho"].device)
        likelihood, contrast = self._losses(batch, everything, torch.zeros(len(batch["rho"]), dtype=torch.bool))
        return likelihood + self.share * contrast

    def _losses(self, batch: Mapping[str, Tensor], chosen: Tensor, flip: Tensor) -> tuple[Tensor, Tensor]:
        table = objects_of(batch, self.network.layout)
        momenta = torch.cat([batch["momenta"][:, None], batch["proposed"][:, chosen]], dim=1)
        log_prob = self.network.log_prob(*_mirrored(table, momenta, flip.to(momenta.device)))
        rho = torch.cat([batch["rho"][:, :1], batch["rho"][:, 1 + chosen]], dim=1)
        contrast = -torch.log_softmax(log_prob + rho, dim=1)[:, 0]
        weight = batch["weight"] / batch["weight"].mean()
        return -log_prob[:, 0].mean(), (weight * contrast).mean()


def _mirrored(table: ObjectTable, momenta: Tensor, flip: Tensor) -> tuple[ObjectTable, Tensor]:
    """Turn objects and all sets of partons, `(N, S, P, 4)`, where `flip`."""
    shape = momenta.shape
    turned, flat = mirror_events(table, momenta.flatten(1, 2), flip)
    return turned, flat.view(shape)


def train_consistency(
    stores: Sequence[Path],
    contrast: Contrast,
    config: tuple[ConsistencyConfig, MemTrainingConfig],
    seed: int,
    folder: Path,
    progress: Progress = SILENT,
) -> str:
    """Train the transfer function in `folder` further, and write it there.

    Args:
        stores: event stores of simulated events.
        contrast: proposes partons.
        config: settings of this phase, and of the training before, whose batches and guards it has.
        seed: root seed.
        folder: of the model; its `consistency` folder keeps the checkpoint.
        progress: told of events and steps.

    Returns:
        one line for the terminal.

    Raises:
        ModelError: if there is no transfer function in the folder.
        SchemaError: if the stores lack what the training needs.
        TrainingError: if the training does not come to finite weights.
    """
    section, training = config
    transfer = TransferFunction.load(folder)
    table = transfer_table(stores, transfer.layout, training.max_events, progress, contrast)
    train, validation = split_table(table, training.validation_fraction, seed, table.columns["momenta"])
    training = training.model_copy(update={"learning_rate": section.learning_rate})
    settings = PhaseSettings.from_config(training, "consistency", section.epochs)
    phase = ConsistencyPhase(transfer.network.train(), section.share, section.used)
    result = run_phase(phase, train, validation, settings, folder / "consistency", seed, progress)
    facts = {"settings": section.model_dump(mode="json"), "validation": result.best_validation, "epochs": result.epochs}
    TransferFunction(transfer.network, transfer.schema, {**transfer.record, "consistency": facts}).save(folder)
    return f"transfer function among proposed partons: loss {result.best_validation:.4f} on validation events"
