"""Models that map latent numbers to data without an inverse: GAN and VAE."""

from typing import Literal

from pydantic import Field, PositiveInt

from partonic.config.base import StrictModel

__all__ = ["GanConfig", "VaeConfig"]


class GanConfig(StrictModel):
    """A generator network against a critic (arXiv:1406.2661). It has no density."""

    kind: Literal["gan"] = "gan"
    """Name of the model."""

    loss: Literal["non_saturating", "wasserstein"] = "non_saturating"
    """``non_saturating``: logistic loss, with the penalty on the critic's gradient at the data (R1, arXiv:1801.04406).
    ``wasserstein``: difference of the critic's means, with the penalty on gradients that differ from 1 between data
    and samples (arXiv:1704.00028)."""

    penalty: float | None = Field(None, ge=0.0)
    """Weight of the penalty on the critic's gradient; null: 0.1 for ``non_saturating``, 1 for ``wasserstein``."""

    critic_steps: PositiveInt | None = None
    """Steps of the critic for one of the generator, on average; null: 1 for ``non_saturating``, 3 for
    ``wasserstein``, whose critic has to be near its best to be worth following."""

    latent: PositiveInt | None = None
    """Latent numbers; null: twice as many as the data has."""

    hidden: tuple[PositiveInt, ...] = Field((128, 128, 128), min_length=1)
    """Hidden units of the generator and of the critic."""


class VaeConfig(StrictModel):
    """A variational autoencoder (arXiv:1312.6114) with Gaussian encoder and decoder."""

    kind: Literal["vae"] = "vae"
    """Name of the model."""

    latent: PositiveInt | None = None
    """Latent numbers; null: as many as the data has."""

    hidden: tuple[PositiveInt, ...] = Field((128, 128, 128), min_length=1)
    """Hidden units of encoder and decoder."""

    beta: float = Field(1.0, gt=0.0)
    """Weight of the divergence of the encoder from the prior (β-VAE); 1 for the bound on the density."""

    smallest_deviation: float = Field(0.01, gt=0.0)
    """Smallest standard deviation of the decoder, in units of the data's own."""

    importance_samples: int = Field(200, ge=2)
    """Latent points of the importance-weighted estimate of the density (arXiv:1509.00519)."""
