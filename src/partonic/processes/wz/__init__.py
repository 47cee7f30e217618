"""pp → W±Z → 3ℓν with three operators of dimension six."""

from partonic.processes.wz.definition import definition

__all__ = ["definition"]
