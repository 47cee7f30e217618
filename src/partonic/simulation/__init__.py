"""From hard-process events to reconstructed ones: Pythia 8, detector response, FastJet, selection, event store.

`simulate` does the whole for an LHE file; `reconstruct` does detector, jets and selection for particles from anywhere.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from partonic.simulation.particles import ParticleTable
    from partonic.simulation.pipeline import SimulationResult, check_simulation, simulate
    from partonic.simulation.reconstruct import ParticleLevel, RecoObjects, reconstruct

__all__ = [
    "ParticleLevel",
    "ParticleTable",
    "RecoObjects",
    "SimulationResult",
    "check_simulation",
    "reconstruct",
    "simulate",
]

_PLACES = {
    "ParticleLevel": "reconstruct",
    "ParticleTable": "particles",
    "RecoObjects": "reconstruct",
    "SimulationResult": "pipeline",
    "check_simulation": "pipeline",
    "reconstruct": "reconstruct",
    "simulate": "pipeline",
}


def __getattr__(name: str) -> object:
    """Import a public name when it is first used, because its libraries are slow to import."""
    if name not in _PLACES:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    return getattr(importlib.import_module(f"{__name__}.{_PLACES[name]}"), name)
