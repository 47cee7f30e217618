"""The steps of an analysis and how to run those whose inputs changed."""

from partonic.workflow.check import Finding, check_analysis
from partonic.workflow.runner import applicable_steps, run_analysis
from partonic.workflow.step import Outcome, Step

__all__ = ["Finding", "Outcome", "Step", "applicable_steps", "check_analysis", "run_analysis"]
