"""The interface of engines, which build matrix elements of a model, and how one is opened.

An engine is whatever gives |M|² of a subprocess at given parameters of the model: `pyamplicol`, `ufoamp`, or a library
of MadGraph. Everything else (basis of θ, α_s, momenta, chunks) is the same for all.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from partonic.config.reweighting import ReweightConfig
from partonic.errors import ConfigError
from partonic.physics.amplitudes.amplitude import SquaredMatrixElement

__all__ = ["Engine", "EngineElement", "check_consent", "check_model", "open_engine"]


@dataclass(frozen=True)
class EngineElement:
    """The matrix element of a subprocess.

    Attributes:
        element: |M|²; the order of its particles may be any order of the subprocess.
        masses: of its particles at the values of the settings, GeV.
        blocks: blocks of the parameter card by the name of the parameter, as far as the engine knows them.
        mirrored: whether it must be evaluated at mirrored momenta, because its γ5 and ε have the opposite handedness.
    """

    element: SquaredMatrixElement
    masses: tuple[float, ...]
    blocks: Mapping[str, str] = field(default_factory=dict)
    mirrored: bool = False


@runtime_checkable
class Engine(Protocol):
    """Builds matrix elements of one model.

    Attributes:
        name: of the engine.
        version: of its package; empty for a library, which has none.
        fingerprint: hash of the content of the model.
    """

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def version(self) -> str: ...  # noqa: D102
    @property
    def fingerprint(self) -> str: ...  # noqa: D102

    def build(self, particles: Sequence[int]) -> EngineElement:
        """Return the matrix element of a subprocess, with the parameters at the values of the settings.

        Args:
            particles: PDG ids of the two initial and then the final particles.

        Raises:
            ProcessError: if the model does not contain it.
            ParameterError: if the model has no parameter that the settings give a value.
        """


def check_consent(config: ReweightConfig) -> None:
    """Refuse to run the code of a model without consent.

    Raises:
        ConfigError: saying how to consent.
    """
    if config.runs_code and not config.trust_model:
        what = "machine code" if config.engine == "madgraph" else "a UFO model, which is a Python program"
        raise ConfigError(
            f"{config.model} is {what}: it runs with your rights when it is loaded. Read it or make sure where it "
            "comes from, then consent with trust_model: true (or --trust)"
        )


def check_model(config: ReweightConfig) -> None:
    """Look for the model, and for consent to run its code; nothing is loaded.

    Raises:
        ConfigError: if one of them is missing.
    """
    if not config.model.exists():
        raise ConfigError(f"there is no model {config.model}; mend the key `model` (--model)")
    check_consent(config)


def open_engine(config: ReweightConfig) -> Engine:
    """Return the engine of the settings, with its model.

    Raises:
        ConfigError: if consent is missing, or the model is not there.
        DependencyError: if its package is not installed.
        ProcessError: if the model cannot be loaded.
    """
    check_model(config)
    match config.engine:
        case "pyamplicol":
            from partonic.reweighting.pyamplicol_engine import PyamplicolEngine

            return PyamplicolEngine(config)
        case "ufoamp":
            from partonic.reweighting.ufoamp_engine import UfoampEngine

            return UfoampEngine(config)
        case "madgraph":
            from partonic.reweighting.madgraph_engine import MadgraphEngine

            return MadgraphEngine(config)
