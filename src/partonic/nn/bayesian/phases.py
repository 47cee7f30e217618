"""Phases of training that leave a distribution of weights: variational, and an ensemble with repulsion."""

from collections.abc import Callable, Mapping, Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from partonic.nn.bayesian.gaussian_linear import divergence, drawing
from partonic.nn.bayesian.repulsion import repulsion
from partonic.nn.training import PhaseModule
from partonic.rng import torch_generator

__all__ = ["BOOTSTRAP", "EnsemblePhase", "EventLosses", "VariationalPhase"]

Batch = Mapping[str, Tensor]

EventLosses = Callable[[nn.Module, Batch, torch.Generator | None], Float[Tensor, " events"]]
"""Negative log-likelihood of each event of a batch under a network; with a generator, events are augmented."""

BOOTSTRAP = "bootstrap"
"""Column of how often each member has each event, `(events, members)`."""


class VariationalPhase(PhaseModule):
    """Minimise the mean loss of drawn weights and KL/N: the negative evidence lower bound of an event."""

    def __init__(
        self, network: nn.Module, losses: EventLosses, events: int, prior: float | None, temperature: float
    ) -> None:
        """Train a network with Gaussian layers.

        Args:
            network: made by `bayesian`.
            losses: of events.
            events: number N of training events.
            prior: width of the prior of the weights; None for the best one of each tensor.
            temperature: factor of KL.
        """
        super().__init__({})
        self.network, self.losses = network, losses
        self.share, self.prior = temperature / events, prior
        self._noise = torch.Generator()

    def on_validation_start(self) -> None:
        """Begin with the noise of the validation."""
        super().on_validation_start()
        self._noise = torch_generator(self.seed, self.settings.name, "validation", device=self.device)

    def training_losses(self, batch: Batch, generator: torch.Generator) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the loss of weights that are drawn for this step, with KL/N; and KL/N to watch."""
        with drawing(self.network, generator):
            mean = self.losses(self.network, batch, generator).mean()
        cost = self.share * divergence(self.network, self.prior)
        return mean + cost, {"divergence": cost}

    def validation_loss(self, batch: Batch) -> Tensor:
        """Return the loss of drawn weights, with KL/N; each epoch has the same noise."""
        with drawing(self.network, self._noise):
            mean = self.losses(self.network, batch, None).mean()
        return mean + self.share * divergence(self.network, self.prior)


class EnsemblePhase(PhaseModule):
    """Train the network that is used, and members that tell what it is uncertain by.

    The first network minimises its loss alone. Members have events as often as the column `BOOTSTRAP` says, if there is
    one, and are driven apart (`partonic.nn.bayesian.repulsion`).
    """

    def __init__(self, networks: Sequence[nn.Module], losses: EventLosses, events: int, strength: float) -> None:
        """Train networks of one kind.

        Args:
            networks: the one that is used, then the members.
            losses: of events; their values are what repels.
            events: number N of training events.
            strength: of the repulsion, in units of one event's share of the loss.
        """
        super().__init__({})
        self.networks, self.losses = nn.ModuleList(networks), losses
        self.strength = strength / events

    def training_losses(self, batch: Batch, generator: torch.Generator) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the mean loss of all networks with the repulsion of the members."""
        start, found = generator.get_state(), []
        for network in self.networks:
            generator.set_state(start)  # all see the same events
            found.append(self.losses(network, batch, generator))
        losses = torch.stack(found)
        members = losses[1:]
        weighted = members * batch[BOOTSTRAP].t().to(members) if BOOTSTRAP in batch else members
        total = losses[0].mean() + weighted.mean(dim=1).sum()
        if self.strength > 0.0:
            total = total + self.strength * repulsion(members)
        return total / len(losses), {}

    def validation_loss(self, batch: Batch) -> Tensor:
        """Return the mean loss of all networks."""
        return torch.stack([self.losses(network, batch, None).mean() for network in self.networks]).mean()
