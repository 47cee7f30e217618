"""The phases of training: provenance, regression, regression with flow, flow alone.

Each is a Lightning module over some of the networks; the batches are slices of the arrays of `TrainingData`, with what
earlier phases have made of the events: ``provenance`` (jet probabilities), and for the flow alone ``conditions`` and
``latent``.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from partonic.config.unfolding import ConstraintTargets
from partonic.nn.training import PhaseModule
from partonic.unfolding.conditioner import Conditions
from partonic.unfolding.data import tokens_of, truth_of, view_arrays
from partonic.unfolding.model import UnfoldingModel
from partonic.unfolding.provenance.network import AssignmentNetwork
from partonic.unfolding.regression import RegressionLosses, regression_losses

__all__ = ["FlowPhase", "JointPhase", "ProvenancePhase", "RegressionPhase", "constraints_of"]

Batch = Mapping[str, Tensor]


def constraints_of(targets: ConstraintTargets) -> dict[str, float]:
    """Return the targets that are set, by name."""
    return {name: float(value) for name, value in targets.model_dump().items() if value is not None}


class ProvenancePhase(PhaseModule):
    """Train the assignment network on matched truth."""

    def __init__(self, network: AssignmentNetwork) -> None:
        """Train `network`."""
        super().__init__({})
        self.network = network

    def training_losses(self, batch: Batch, generator: torch.Generator) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the sum of the losses of assignment, detection and jet provenance, and each of them to watch."""
        losses = self._losses(batch)
        return losses.pop("total"), losses

    def validation_loss(self, batch: Batch) -> Tensor:
        """Return the same sum on held-out events."""
        return self._losses(batch)["total"]

    def _losses(self, batch: Batch) -> dict[str, Tensor]:
        tokens = tokens_of(batch)
        return self.network.losses(tokens, truth_of(batch, tokens.jets.shape[1]))


@dataclass(frozen=True)
class _Regression:
    conditions: Conditions
    losses: RegressionLosses


class _ConditionedPhase(PhaseModule):
    """A phase that runs the conditioner on events with known jet probabilities."""

    def __init__(self, model: UnfoldingModel, targets: ConstraintTargets, damping: float = 10.0) -> None:
        super().__init__(constraints_of(targets), damping)
        self.view = model.view
        self.conditioner = model.conditioner

    def _regress(self, batch: Batch) -> _Regression:
        conditions = self.conditioner(tokens_of(batch), batch["provenance"])
        return _Regression(conditions, regression_losses(conditions.standardised, self._truth(batch)))

    def _truth(self, batch: Batch) -> Tensor:
        truth = view_arrays(self.view, batch)
        standardised: Tensor = self.conditioner.targets.standardise(
            truth["particles"], truth["p_z"], truth["radiation"]
        )
        return standardised

    def _held(self, **losses: RegressionLosses) -> dict[str, Tensor]:
        """Return the losses that are constrained, by name; others are not even computed."""
        return {
            f"{of}_{kind}": getattr(parts, kind)
            for of, parts in losses.items()
            for kind in ("huber", "mmd")
            if f"{of}_{kind}" in self.constraints
        }


class RegressionPhase(_ConditionedPhase):
    """Train the conditioner alone: Huber loss, with the discrepancy of distributions as a constraint."""

    def training_losses(self, batch: Batch, generator: torch.Generator) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the Huber loss, and what is constrained."""
        losses = self._regress(batch).losses
        return losses.huber, self._held(regression=losses)

    def validation_loss(self, batch: Batch) -> Tensor:
        """Return the Huber loss of held-out events."""
        return self._regress(batch).losses.huber


class _FlowPhase(_ConditionedPhase):
    """A phase that trains the flow as well."""

    def __init__(self, model: UnfoldingModel, targets: ConstraintTargets, damping: float = 10.0) -> None:
        super().__init__(model, targets, damping)
        self.flow = model.flow

    def _sampled(self, numbers: Tensor, latent: Tensor, batch: Batch, generator: torch.Generator) -> RegressionLosses:
        """Return the losses of one sampled set of partons for each event, through the phase space."""
        drawn, _ = self.view.partons(self.flow.rsample(numbers, latent, generator))
        standardised = self.conditioner.targets.standardise_momenta(drawn.momenta)
        return regression_losses(standardised, self._truth(batch))

    def _wants_samples(self) -> bool:
        return any(name.startswith("sample") for name in self.constraints)


class JointPhase(_FlowPhase):
    """Train conditioner and flow together: −log q, with regression and samples held by constraints.

    The flow sees the regressed numbers without gradient: they are trained as a regression, the latent vector freely.
    """

    def __init__(
        self, model: UnfoldingModel, targets: ConstraintTargets, regression_weight: float, damping: float = 10.0
    ) -> None:
        """Train conditioner and flow of `model`, with the Huber loss times a weight beside −log q."""
        super().__init__(model, targets, damping)
        self.regression_weight = regression_weight

    def training_losses(self, batch: Batch, generator: torch.Generator) -> tuple[Tensor, dict[str, Tensor]]:
        """Return −log q averaged over the batch, and what is constrained."""
        regression = self._regress(batch)
        conditions = regression.conditions
        main = -self._log_density(conditions, batch).mean() + self.regression_weight * regression.losses.huber
        held = self._held(regression=regression.losses)
        if self._wants_samples():
            held |= self._held(sample=self._sampled(conditions.numbers, conditions.latent, batch, generator))
        return main, held

    def validation_loss(self, batch: Batch) -> Tensor:
        """Return −log q of held-out events."""
        conditions = self.conditioner(tokens_of(batch), batch["provenance"])
        return -self._log_density(conditions, batch).mean()

    def _log_density(self, conditions: Conditions, batch: Batch) -> Tensor:
        numbers = view_arrays(self.view, batch)["numbers"]
        log_density: Tensor = self.flow.log_density(numbers, conditions.numbers.detach(), conditions.latent)
        return log_density


class FlowPhase(_FlowPhase):
    """Train the flow alone on conditions that are computed once."""

    def __init__(self, model: UnfoldingModel, targets: ConstraintTargets, damping: float = 10.0) -> None:
        """Train the flow of `model`; of the conditioner only the scales of the losses are used."""
        super().__init__(model, targets, damping)
        for parameter in self.conditioner.parameters():
            parameter.requires_grad_(False)

    def training_losses(self, batch: Batch, generator: torch.Generator) -> tuple[Tensor, dict[str, Tensor]]:
        """Return −log q averaged over the batch, and the losses of samples that are constrained."""
        main = self.validation_loss(batch)
        if not self._wants_samples():
            return main, {}
        sampled = self._sampled(batch["conditions"], batch["latent"], batch, generator)
        return main, self._held(sample=sampled)

    def validation_loss(self, batch: Batch) -> Tensor:
        """Return −log q of held-out events."""
        numbers = view_arrays(self.view, batch)["numbers"]
        log_density: Tensor = self.flow.log_density(numbers, batch["conditions"], batch["latent"])
        return -log_density.mean()
