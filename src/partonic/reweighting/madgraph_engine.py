"""The engine `madgraph`: a compiled library of MadGraph, with its parameter card."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path

from partonic.config.reweighting import ReweightConfig
from partonic.errors import ProcessError
from partonic.physics.amplitudes.amplitude import SquaredMatrixElement
from partonic.physics.amplitudes.parameter_card import ParameterCard
from partonic.physics.amplitudes.standalone import StandaloneMatrixElement
from partonic.physics.amplitudes.umami import UmamiMatrixElement
from partonic.provenance import content_hash, file_digest
from partonic.reweighting.engine import EngineElement
from partonic.reweighting.subprocess import canonical, subprocess_text

__all__ = ["MadgraphEngine"]


class MadgraphEngine:
    """Matrix elements of a library; arguments and errors as `open_engine`."""

    name = "madgraph"
    version = ""

    def __init__(self, config: ReweightConfig) -> None:
        if config.card is None:
            raise ProcessError(f"the library {config.model} needs its parameter card: give it with the key `card`")
        self._config, self._card = config, Path(config.card)
        self._values = ParameterCard.read(self._card)

    @cached_property
    def fingerprint(self) -> str:
        """Hash of library and card."""
        return content_hash({"library": file_digest(self._config.model), "card": file_digest(self._card)})

    def build(self, particles: Sequence[int]) -> EngineElement:
        """Return the matrix element of a subprocess that the settings list, see `Engine.build`."""
        wanted = canonical(particles)
        listed = next((each for each in self._config.processes if canonical(each) == wanted), None)
        if listed is None:
            known = "; ".join(subprocess_text(each) for each in self._config.processes)
            raise ProcessError(
                f"the events have the subprocess {subprocess_text(wanted)}, but the library {self._config.model} is "
                f"said to hold {known}: generate it with this process, and list it under `processes`"
            )
        element = self._open(listed)
        values = {**self._values.values, **element.parameters}
        return EngineElement(element, tuple(_mass(pdg, self._values, values) for pdg in listed), self._blocks())

    def _open(self, particles: tuple[int, ...]) -> SquaredMatrixElement:
        model, card, trust = Path(self._config.model), self._card, self._config.trust_model
        if self._config.interface == "umami":
            return UmamiMatrixElement(model, particles, card, trust_library=trust, parameters=self._config.values)
        element = StandaloneMatrixElement(model, particles, card, trust_library=trust)
        element.set_parameters(self._config.values)
        return element

    def _blocks(self) -> dict[str, str]:
        return {name: alias.rsplit("_", 1)[0] for alias, name in self._values.aliases.items()}


def _mass(pdg: int, card: ParameterCard, values: Mapping[str, float]) -> float:
    """Return the mass on the card; particles without an entry are massless."""
    name = card.aliases.get(f"MASS_{abs(pdg)}")
    return 0.0 if name is None else abs(values[name])
