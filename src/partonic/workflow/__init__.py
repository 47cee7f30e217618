"""The steps of an analysis and how to run those whose inputs changed."""

from partonic.workflow.check import Finding, check_analysis
from partonic.workflow.runner import run_analysis
from partonic.workflow.step import Outcome, Step

__all__ = ["Finding", "Outcome", "Step", "check_analysis", "run_analysis"]
