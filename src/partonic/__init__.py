"""From reconstructed collider events to likelihoods of theory parameters.

Importing the package costs next to nothing: the names below are loaded when they are first used.
"""

import importlib
import importlib.metadata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from partonic.config import AnalysisConfig, load_analysis
    from partonic.errors import PartonicError
    from partonic.inference.coefficients.coefficients_file import read_coefficients
    from partonic.notebook import FitResult, fit, load_process, open_store
    from partonic.polynomial import Monomials
    from partonic.unfolding.unfolder import Unfolder
    from partonic.workflow import run_analysis

__all__ = [
    "AnalysisConfig",
    "FitResult",
    "Monomials",
    "PartonicError",
    "Unfolder",
    "__version__",
    "fit",
    "load_analysis",
    "load_process",
    "open_store",
    "read_coefficients",
    "run_analysis",
]

__version__ = importlib.metadata.version("partonic")

_HOME_OF = {
    "AnalysisConfig": "partonic.config",
    "FitResult": "partonic.notebook",
    "Monomials": "partonic.polynomial",
    "PartonicError": "partonic.errors",
    "Unfolder": "partonic.unfolding.unfolder",
    "fit": "partonic.notebook",
    "load_analysis": "partonic.config",
    "load_process": "partonic.notebook",
    "open_store": "partonic.notebook",
    "read_coefficients": "partonic.inference.coefficients.coefficients_file",
    "run_analysis": "partonic.workflow",
}


def __getattr__(name: str) -> object:
    """Load a public name when it is first asked for."""
    if name not in _HOME_OF:
        message = f"module 'partonic' has no attribute '{name}'"
        raise AttributeError(message)
    return getattr(importlib.import_module(_HOME_OF[name]), name)


def __dir__() -> list[str]:
    """Return the public names."""
    return sorted(__all__)
