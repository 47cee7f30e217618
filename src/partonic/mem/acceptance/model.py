"""The acceptance ε(z): the probability that an event with partons z passes the selection.

A network classifies accepted and rejected simulated events by their partons. It sees them turned so that the reference
parton has φ = 0 and the whole moves forward, which are exact symmetries. Its logit ℓ is then calibrated, ℓ → a + b ℓ:
slope and offset are fitted to events that it was not trained on (J. Platt, 1999), and the offset then once more to all
events, whose accepted fraction is known much better: it is the normalisation of every rate.
"""

from collections.abc import Mapping
from itertools import pairwise
from typing import Any, cast

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional

from partonic.config.mem_training.transfer import AcceptanceConfig
from partonic.errors import TrainingError
from partonic.mem.detector_part import DetectorPart
from partonic.mem.transfer.layout import TransferLayout
from partonic.mem.transfer.partons import global_size, symmetric_features
from partonic.nn.scaling import MaskedStandardiser

__all__ = ["AcceptanceModel", "AcceptanceNetwork"]

_ROWS = 50_000

_NEWTON_STEPS = 20

_SLOPE_PRIOR = 0.2
"""Width of the prior of the slope of the calibration."""


class AcceptanceNetwork(nn.Module):
    """logit ε(z), before and after calibration."""

    calibration: Tensor

    def __init__(self, config: AcceptanceConfig, layout: TransferLayout) -> None:
        """Build the network, with weights from torch's global generator."""
        super().__init__()
        self.config, self.layout = config, layout
        sizes = (global_size(len(layout.parton_pdg)), *config.hidden)
        self.scales = MaskedStandardiser(sizes[0])
        self.inner = nn.ModuleList([nn.Linear(*pair) for pair in pairwise(sizes)])
        self.outer = nn.Linear(sizes[-1], 1)
        self.register_buffer("calibration", torch.tensor([0.0, 1.0], dtype=torch.float64))

    @torch.no_grad()
    def fit_scales(self, momenta: Float[Tensor, "events partons 4"]) -> None:
        """Set means and standard deviations of the features from training events."""
        features = symmetric_features(momenta, self.layout.reference_parton)
        self.scales.fit(features[:, None], torch.ones(len(features), 1, dtype=torch.bool))

    def forward(self, momenta: Float[Tensor, "events partons 4"]) -> Float[Tensor, " events"]:
        """Return the logit of ε before calibration."""
        mean, deviation = (values.float() for values in (self.scales.mean, self.scales.deviation))
        hidden = (symmetric_features(momenta, self.layout.reference_parton) - mean) / deviation
        for layer in self.inner:
            hidden = functional.silu(layer(hidden))
        return cast("Tensor", self.outer(hidden))[:, 0]

    @torch.no_grad()
    def calibrated_logit(self, momenta: Float[Tensor, "events partons 4"]) -> Float[Tensor, " events"]:
        """Return the calibrated logit of ε, float64."""
        logits: Tensor = self.calibration[0] + self.calibration[1] * self.forward(momenta).double()
        return logits

    @torch.no_grad()
    def calibrate(self, momenta: Float[Tensor, "events partons 4"], accepted: Bool[Tensor, " events"]) -> None:
        """Fit offset and slope to events that the network was not trained on, by maximum likelihood.

        The slope has a Gaussian prior about 1, which only a few events feel.

        Raises:
            TrainingError: if the events ask for a slope that is not positive all the same.
        """
        logits, taken = self._logits(momenta), accepted.double()
        design = torch.stack([torch.ones_like(logits), logits], dim=-1)
        solution = torch.tensor([0.0, 1.0], dtype=torch.float64)
        for _ in range(_NEWTON_STEPS):
            probability = torch.sigmoid(design @ solution)
            weight = probability * (1.0 - probability)
            information = design.t() @ (weight[:, None] * design)
            gradient = design.t() @ (taken - probability)
            gradient[1] -= (solution[1] - 1.0) / _SLOPE_PRIOR**2
            information[1, 1] += _SLOPE_PRIOR**-2
            step, singular = torch.linalg.solve_ex(information, gradient)
            solution = solution + (torch.full_like(step, torch.nan) if int(singular) else step)
        if not (bool(torch.isfinite(solution).all()) and float(solution[1]) > 0.0):
            raise TrainingError(
                f"the acceptance cannot be calibrated: offset and slope come out as {solution.tolist()}, expected a "
                "positive slope; train longer, or on more events"
            )
        self.calibration.copy_(solution)

    @torch.no_grad()
    def normalise(self, momenta: Float[Tensor, "events partons 4"], accepted: Bool[Tensor, " events"]) -> None:
        """Move the offset until the mean of ε over these events is the fraction of them that is accepted."""
        logits, rate = self.calibration[1] * self._logits(momenta), accepted.double().mean()
        offset = self.calibration[0]
        for _ in range(_NEWTON_STEPS):
            probability = torch.sigmoid(offset + logits)
            offset = offset + (rate - probability.mean()) / (probability * (1.0 - probability)).mean()
        self.calibration[0] = offset

    def _logits(self, momenta: Tensor) -> Tensor:
        return torch.cat([self.forward(part).double() for part in torch.split(momenta, _ROWS)])


class AcceptanceModel(DetectorPart[AcceptanceNetwork]):
    """A trained acceptance. Satisfies the `Acceptance` protocol."""

    kind = "acceptance"

    @classmethod
    def _network(
        cls, sizes: Mapping[str, Any], layout: TransferLayout, training: Mapping[str, Any]
    ) -> AcceptanceNetwork:
        return AcceptanceNetwork(AcceptanceConfig.model_validate(sizes), layout)

    @torch.no_grad()
    def log_probability(self, momenta: Float[Tensor, "events partons 4"]) -> Float[Tensor, " events"]:
        """Return log ε(z), float64; partons in the order of the decay channel, laboratory, GeV."""
        pieces = [
            functional.logsigmoid(self.network.calibrated_logit(part.to(self.device))).cpu()
            for part in torch.split(momenta, _ROWS)
        ]
        return torch.cat(pieces) if pieces else momenta.new_zeros(0)
