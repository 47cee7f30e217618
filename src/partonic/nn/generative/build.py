"""Generative models by their settings."""

from collections.abc import Callable
from typing import Any

import torch

from partonic.config.generative import GenerativeConfig, GenerativeKind
from partonic.nn.generative.autoregressive_transformer import AutoregressiveTransformer
from partonic.nn.generative.diffusion import Diffusion
from partonic.nn.generative.flow_matching import FlowMatching
from partonic.nn.generative.gan import Gan
from partonic.nn.generative.model import GenerativeModel
from partonic.nn.generative.normalizing_flow import NormalizingFlow
from partonic.nn.generative.vae import Vae

__all__ = ["build_generative_model"]

_CLASSES: dict[GenerativeKind, Callable[[Any, int, int], GenerativeModel]] = {
    "flow_matching": FlowMatching,
    "diffusion": Diffusion,
    "coupling": NormalizingFlow,
    "autoregressive": NormalizingFlow,
    "gan": Gan,
    "vae": Vae,
    "autoregressive_transformer": AutoregressiveTransformer,
}


def build_generative_model(
    config: GenerativeConfig, features: int, context: int, generator: torch.Generator
) -> GenerativeModel:
    """Return a model with first weights, ready for its `fit`.

    Args:
        config: settings, of which `kind` names the model.
        features: numbers of an event.
        context: conditions of an event; 0 for none.
        generator: of the first weights; torch's global one is left alone.

    Raises:
        ParameterError, ConfigError: if there are too few numbers for the model.
    """
    seed = int(torch.randint(2**62, (1,), generator=generator, device=generator.device))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return _CLASSES[config.kind](config, features, context).eval()
