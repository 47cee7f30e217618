"""Events of others with weights at θ points, of a process whose matrix element we do not have."""

from partonic.processes.external.definition import definition

__all__ = ["definition"]
