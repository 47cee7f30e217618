"""Generative models under one interface: fit to events, draw events, and, where there is one, their density."""

from partonic.nn.generative.build import build_generative_model
from partonic.nn.generative.density_model import DensityModel, LogDensity
from partonic.nn.generative.model import FitResult, GenerativeModel
from partonic.nn.generative.saving import load_generative_model

__all__ = [
    "DensityModel",
    "FitResult",
    "GenerativeModel",
    "LogDensity",
    "build_generative_model",
    "load_generative_model",
]
