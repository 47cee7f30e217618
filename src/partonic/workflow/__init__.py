"""The steps of an analysis and how to run those whose inputs changed."""

from partonic.workflow.check import Finding, check_analysis
from partonic.workflow.interruption import StepInterrupted
from partonic.workflow.plan import PlannedStep, plan_analysis
from partonic.workflow.runner import applicable_steps, run_analysis
from partonic.workflow.status import RunStatus, run_status
from partonic.workflow.step import Outcome, Step

__all__ = [
    "Finding",
    "Outcome",
    "PlannedStep",
    "RunStatus",
    "Step",
    "StepInterrupted",
    "applicable_steps",
    "check_analysis",
    "plan_analysis",
    "run_analysis",
    "run_status",
]
