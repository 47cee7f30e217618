"""Generative models as model folders: ``model.json`` and ``weights.safetensors`` (`partonic.trained.model_folder`)."""

from pathlib import Path

import torch
from pydantic import TypeAdapter

from partonic.config.generative import GenerativeConfig
from partonic.errors import ConfigError, ModelError, ParameterError
from partonic.nn.generative.build import build_generative_model
from partonic.nn.generative.model import GenerativeModel
from partonic.trained.model_folder import load_record, load_weights, save_model

__all__ = ["load_generative_model", "save_generative_model"]

_KIND = "generative"
"""What the record says the model is."""


def save_generative_model(model: GenerativeModel, folder: Path) -> None:
    """Write the folder of a model; one that was there before is replaced.

    Raises:
        OutputError: if it cannot be written.
    """
    settings = model.config.model_dump(mode="json")
    sizes = {"features": model.features, "context": model.context}
    save_model(folder, model, {"kind": _KIND, "settings": settings, **sizes, "training": model.record})


def load_generative_model(folder: Path, device: str | torch.device = "cpu") -> GenerativeModel:
    """Return the model of a folder that `GenerativeModel.save` wrote.

    Args:
        folder: the model folder.
        device: where the networks run.

    Raises:
        ModelError: if the folder is no generative model, damaged, or of other sizes than it says.
    """
    record = load_record(folder)
    if record.get("kind") != _KIND:
        raise ModelError(
            f"{folder} is no generative model: expected the kind '{_KIND}' in its record, got {record.get('kind')!r}"
        )
    try:
        config: GenerativeConfig = TypeAdapter(GenerativeConfig).validate_python(record["settings"])
        model = build_generative_model(config, int(record["features"]), int(record["context"]), torch.Generator())
        model.record = dict(record["training"])
    except (KeyError, TypeError, ValueError, ParameterError, ConfigError) as error:
        raise ModelError(f"{folder} is no generative model: its record lacks or misstates {error}") from error
    load_weights(folder, model)
    return model.to(device)
