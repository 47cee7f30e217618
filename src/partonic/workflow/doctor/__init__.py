"""Is this installation sound? Versions, machine, data files, and a small analysis from the matrix element to a fit."""

from partonic.workflow.doctor.diagnosis import Diagnosis, Part, examine

__all__ = ["Diagnosis", "Part", "examine"]
