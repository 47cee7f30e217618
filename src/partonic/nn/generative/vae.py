"""A variational autoencoder (D. P. Kingma, M. Welling, arXiv:1312.6114) with Gaussian encoder and decoder.

The density is estimated from K latent points of the encoder, p(x|c) ≈ mean_k p(x|z_k, c) p(z_k)/q(z_k|x, c), which
bounds it from below on average (Y. Burda et al., arXiv:1509.00519). The error of its logarithm is that of the mean of
the weights, to first order; the bias is about −error²/2.
"""

import math
from typing import cast

import torch
from torch import Tensor

from partonic.config.generative import VaeConfig
from partonic.nn.generative.density_model import DensityModel, LogDensity
from partonic.nn.generative.gaussian import normal_log_prob, standard_normal_log_prob
from partonic.nn.generative.perceptron import perceptron

__all__ = ["Vae"]

_WARM_UP = 0.4
"""Part of the training in which the weight of the divergence rises from 0: else decoders learn to ignore the latents
before these say anything (S. R. Bowman et al., arXiv:1511.06349)."""

_LARGEST_LOG_DEVIATION = 3.0
"""Deviations stay below e³ of the standardised numbers."""


class Vae(DensityModel):
    """Latent Gaussian numbers, decoded to events."""

    def __init__(self, config: VaeConfig, features: int, context: int) -> None:
        """Build encoder and decoder, with weights from torch's global generator."""
        super().__init__(config, features, context)
        self.latent = config.latent or features
        self.encoder = perceptron(features + context, config.hidden, 2 * self.latent)
        self.decoder = perceptron(self.latent + context, config.hidden, 2 * features)

    @property
    def density_is_estimated(self) -> bool:
        """Always."""
        return True

    def training_loss(
        self, x: Tensor, c: Tensor, weights: Tensor, generator: torch.Generator
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the weighted mean of −ln p(x|z, c) + β KL(q(z|x, c) ‖ p(z)), and both parts."""
        mean, log_deviation = self._encode(x, c)
        latent = mean + log_deviation.exp() * self._normal(tuple(mean.shape), generator)
        of_data = -(weights * normal_log_prob(x, *self._decode(latent, c))).mean()
        divergence = (0.5 * (mean.square() + (2.0 * log_deviation).exp() - 1.0) - log_deviation).sum(dim=1)
        of_latent = (weights * divergence).mean()
        beta = cast("VaeConfig", self.config).beta * min(1.0, self.progress / _WARM_UP)
        return of_data + beta * of_latent, {"reconstruction": of_data, "divergence": of_latent}

    def _log_density(self, x: Tensor, c: Tensor, generator: torch.Generator | None) -> LogDensity:
        samples = cast("VaeConfig", self.config).importance_samples
        mean, log_deviation = self._encode(x, c)
        terms = []
        for _ in range(samples):
            latent = mean + log_deviation.exp() * self._normal(tuple(mean.shape), cast("torch.Generator", generator))
            prior = standard_normal_log_prob(latent) - normal_log_prob(latent, mean, log_deviation)
            terms.append(normal_log_prob(x, *self._decode(latent, c)) + prior)
        log_weights = torch.stack(terms, dim=1)
        value = torch.logsumexp(log_weights, dim=1) - math.log(samples)
        error = (log_weights.detach() - value.detach()[:, None]).exp().std(dim=1) / math.sqrt(samples)
        return LogDensity(value, error, samples)

    def _draw(self, c: Tensor, generator: torch.Generator) -> Tensor:
        mean, log_deviation = self._decode(self._normal((len(c), self.latent), generator), c)
        return mean + log_deviation.exp() * self._normal(tuple(mean.shape), generator)

    def _encode(self, x: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and log-deviation of the latent numbers."""
        return _bounded(self.encoder(torch.cat([x, c], dim=1)), math.log(1e-4))

    def _decode(self, latent: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and log-deviation of the numbers of events."""
        smallest = math.log(cast("VaeConfig", self.config).smallest_deviation)
        return _bounded(self.decoder(torch.cat([latent, c], dim=1)), smallest)


def _bounded(raw: Tensor, smallest: float) -> tuple[Tensor, Tensor]:
    """Return means, and log-deviations held smoothly between `smallest` and the largest."""
    mean, free = raw.chunk(2, dim=1)
    middle, half = 0.5 * (_LARGEST_LOG_DEVIATION + smallest), 0.5 * (_LARGEST_LOG_DEVIATION - smallest)
    return mean, middle + half * torch.tanh((free - middle) / half)
