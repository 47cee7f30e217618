"""The engine `pyamplicol`: matrix elements generated and compiled once, evaluated in microseconds."""

import importlib.metadata
import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from partonic.config.reweighting import ReweightConfig
from partonic.physics.amplitudes.artifacts import ArtifactRequest, ExternalModel, GenerationOptions, require_generator
from partonic.physics.amplitudes.ufo import ExternalMatrixElement
from partonic.reweighting.engine import EngineElement

__all__ = ["PyamplicolEngine"]


class PyamplicolEngine:
    """Matrix elements of a UFO or serialized model by `pyamplicol`; arguments and errors as `open_engine`."""

    name = "pyamplicol"

    def __init__(self, config: ReweightConfig) -> None:
        require_generator()
        self._config = config
        self._model = ExternalModel(
            source=config.model, restriction=config.restriction, trust_model_code=config.trust_model
        )
        self._options = GenerationOptions(orders=config.orders, time_limit=config.time_limit, cache=config.cache)

    @property
    def version(self) -> str:
        """Version of the package."""
        return importlib.metadata.version(self.name)

    @cached_property
    def fingerprint(self) -> str:
        """Hash of the files of the model."""
        return self._model.digest()

    def build(self, particles: Sequence[int]) -> EngineElement:
        """Generate the matrix element of a subprocess, or find it in the cache; see `Engine.build`."""
        process = (tuple(particles[:2]), tuple(particles[2:]))
        artifact = ArtifactRequest(process, self._model, "full", self._options).artifact()
        element = ExternalMatrixElement(artifact, parameters=self._config.values)
        content = json.loads((artifact / "model" / "compiled-model.json").read_text(encoding="utf-8"))["model"]
        blocks = {each["name"]: each["lhablock"] for each in content["parameters"] if each["lhablock"]}
        # The generator's γ5 and ε have the opposite handedness: its |M|² at the mirrored point is the right one.
        return EngineElement(element, _masses(element, content), blocks, mirrored=True)


def _masses(element: ExternalMatrixElement, model: Mapping[str, Any]) -> tuple[float, ...]:
    """Return the masses of the particles: values of parameters, or what the model derives at its own values."""
    values = {each["name"]: float(each["value"][0]) for each in model["parameters"]} | element.parameters
    names = {int(particle["pdg_code"]): str(particle["mass"]) for particle in model["particles"]}
    return tuple(abs(values.get(names[pdg], 0.0)) for pdg in element.particles)
