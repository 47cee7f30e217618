"""A generative adversarial network (I. Goodfellow et al., arXiv:1406.2661): a generator against a critic.

Each takes its steps in its own loss with the other's weights held fixed, the critic more often than the generator if
asked to. The critic's gradient is penalised: at the data for the logistic, non-saturating loss (R1, L. Mescheder et
al., arXiv:1801.04406), towards 1 between data and samples for the Wasserstein loss (I. Gulrajani et al.,
arXiv:1704.00028). Neither loss says how good the samples are, so that held-out events are compared to samples by the
maximum mean discrepancy.
"""

from typing import ClassVar, cast

import torch
from torch import Tensor, nn

from partonic.config.generative import GanConfig
from partonic.nn.generative.model import GenerativeModel
from partonic.nn.generative.perceptron import perceptron
from partonic.nn.losses.mmd import mmd

__all__ = ["Gan"]

_WIDTHS = (0.5, 1.0, 2.0, 4.0)
"""Widths of the kernel that compares held-out events and samples, in standard deviations."""

_PENALTIES = {"non_saturating": 0.1, "wasserstein": 1.0}
_CRITIC_STEPS = {"non_saturating": 1, "wasserstein": 3}


class Gan(GenerativeModel):
    """Draws events; knows no density."""

    betas: ClassVar[tuple[float, float]] = (0.5, 0.9)
    """Shorter memories than usual: long ones make the two networks circle around each other."""

    def __init__(self, config: GanConfig, features: int, context: int) -> None:
        """Build generator and critic, with weights from torch's global generator."""
        super().__init__(config, features, context)
        self.latent = config.latent or 2 * features
        self.penalty = _PENALTIES[config.loss] if config.penalty is None else config.penalty
        self.critic_steps = config.critic_steps or _CRITIC_STEPS[config.loss]
        self.generator_network = perceptron(self.latent + context, config.hidden, features)
        self.critic = perceptron(features + context, config.hidden, 1, "leaky")

    def training_loss(
        self, x: Tensor, c: Tensor, weights: Tensor, generator: torch.Generator
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the sum of both losses, each with a gradient in its own network only, and its parts."""
        turn = bool(torch.rand(1, generator=generator, device=generator.device) * self.critic_steps < 1.0)
        with torch.set_grad_enabled(turn):  # weights without a gradient are left alone by the optimiser
            fake = self._fake(c, generator)
        frozen = {name: weight.detach() for name, weight in self.critic.named_parameters()}
        judged = torch.func.functional_call(self.critic, frozen, (torch.cat([fake, c], dim=1),))[:, 0]
        real_score, fake_score = self._score(self.critic, x, c), self._score(self.critic, fake.detach(), c)
        if cast("GanConfig", self.config).loss == "wasserstein":
            of_critic, of_generator = (weights * (fake_score - real_score)).mean(), -(weights * judged).mean()
            share = self._uniform((len(x), 1), generator)
            size = self._slope(share * x + (1.0 - share) * fake.detach(), c).norm(dim=1)
            penalty = (weights * (size - 1.0).square()).mean()
        else:
            softplus = nn.functional.softplus
            of_critic = (weights * (softplus(-real_score) + softplus(fake_score))).mean()
            of_generator = (weights * softplus(-judged)).mean()
            penalty = (weights * self._slope(x, c).square().sum(dim=1)).mean()
        watched = {"critic": of_critic, "generator": of_generator, "penalty": penalty}
        return of_critic + self.penalty * penalty + of_generator, watched

    @torch.no_grad()
    def validation_loss(self, x: Tensor, c: Tensor, weights: Tensor, generator: torch.Generator) -> Tensor:
        """Return the squared maximum mean discrepancy of events and samples with the same conditions."""
        if len(x) < 2:
            return x.new_zeros(())
        fake, real = (torch.cat([values, c], dim=1) for values in (self._fake(c, generator), x))
        return mmd(fake, real, _WIDTHS, weights, weights)

    def _draw(self, c: Tensor, generator: torch.Generator) -> Tensor:
        return self._fake(c, generator)

    def _fake(self, c: Tensor, generator: torch.Generator) -> Tensor:
        latent = self._normal((len(c), self.latent), generator)
        fake: Tensor = self.generator_network(torch.cat([latent, c], dim=1))
        return fake

    @staticmethod
    def _score(critic: nn.Module, x: Tensor, c: Tensor) -> Tensor:
        score: Tensor = critic(torch.cat([x, c], dim=1))
        return score[:, 0]

    def _slope(self, x: Tensor, c: Tensor) -> Tensor:
        """Return the gradient of the critic's score with respect to the numbers, `(N, D)`."""
        point = x.detach().requires_grad_()
        (slope,) = torch.autograd.grad(self._score(self.critic, point, c).sum(), point, create_graph=True)
        return slope
