"""Errors that `partonic` raises on purpose.

Every message says what was expected, what came instead, where, and how to mend it. All derive from
`PartonicError`, which the command line turns into one line on stderr and a non-zero exit status.
"""

__all__ = [
    "ConfigError",
    "DependencyError",
    "EventFileError",
    "GenerationError",
    "InferenceError",
    "ModelError",
    "NonFiniteError",
    "OutputError",
    "ParameterError",
    "PartonicError",
    "PdfError",
    "ProcessError",
    "SchemaError",
    "SimulationError",
    "TrainingError",
    "WorkflowError",
]


class PartonicError(Exception):
    """Base class of every error that the package raises on purpose."""


class ConfigError(PartonicError):
    """An analysis file, or a value in it, is not valid."""


class ParameterError(PartonicError):
    """A theory parameter is unknown, missing, or has a value that makes no sense."""


class ProcessError(PartonicError):
    """A hard process, or its matrix element, cannot be built or evaluated."""


class PdfError(PartonicError):
    """A parton distribution set is missing or cannot be read."""


class NonFiniteError(PartonicError):
    """A number that must be finite is NaN or infinite."""


class GenerationError(PartonicError):
    """Event generation cannot go on."""


class SimulationError(PartonicError):
    """Shower, detector response or selection cannot go on."""


class InferenceError(PartonicError):
    """A likelihood cannot be built, maximised or turned into an interval."""


class TrainingError(PartonicError):
    """The training of a network cannot go on, or its checkpoint cannot be used."""


class EventFileError(PartonicError):
    """An event file (LHE, NanoAOD, Delphes, HepMC, Parquet) is malformed or lacks something needed."""


class SchemaError(EventFileError):
    """An event store was written with another schema than the reader expects."""


class ModelError(PartonicError):
    """A trained model is missing, damaged, or not what it is used for."""


class OutputError(PartonicError):
    """A result could not be written (disk full, read-only place, ...). Nothing half-written is left."""


class DependencyError(PartonicError):
    """An optional package that this step needs is not installed; the message names the extra."""


class WorkflowError(PartonicError):
    """A step of an analysis cannot start: an earlier step is missing, or another run works in the same folder."""
