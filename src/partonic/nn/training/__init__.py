"""Training of networks in phases on Lightning: resumable, guarded, reproducible.

Needs the extra ``training``.
"""

from partonic.nn.training.history import History
from partonic.nn.training.phase_module import PhaseModule
from partonic.nn.training.preparation import seeded_weights, split_table
from partonic.nn.training.run import PhaseResult, run_phase
from partonic.nn.training.settings import PhaseSettings
from partonic.nn.training.table import BatchLoader, TensorTable

__all__ = [
    "BatchLoader",
    "History",
    "PhaseModule",
    "PhaseResult",
    "PhaseSettings",
    "TensorTable",
    "run_phase",
    "seeded_weights",
    "split_table",
]
