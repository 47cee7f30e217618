"""Is everything there that an analysis needs? Answered in seconds, without running it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec

from partonic.config.analysis import AnalysisConfig
from partonic.errors import DependencyError, PartonicError, ProcessError
from partonic.workflow.lock import folder_lock
from partonic.workflow.state import WorkflowState

__all__ = ["Finding", "check_analysis"]

_PACKAGES = {
    "generation": ("madnis", "pylhe"),
    "simulation": ("awkward", "dask", "distributed", "fastjet", "pythia8mc"),
    "report": ("jinja2", "matplotlib", "mplhep"),
}


@dataclass(frozen=True)
class Finding:
    """The answer to one question.

    Attributes:
        subject: what was looked at.
        passed: whether it is as it must be.
        detail: what was found; what to do if it is not as it must be.
    """

    subject: str
    passed: bool
    detail: str

    def __str__(self) -> str:
        """Return one line for the terminal."""
        return f"{'ok    ' if self.passed else 'FAILED'} {self.subject}: {self.detail}"


Check = Callable[[AnalysisConfig], str]


def check_analysis(config: AnalysisConfig) -> Iterator[Finding]:
    """Check an analysis that has been read (so that its file is valid), one finding after the other."""
    yield Finding("configuration", passed=True, detail=f"analysis '{config.name}', seed {config.seed}")
    for subject, check in checks_of(config):
        try:
            yield Finding(subject, passed=True, detail=check(config))
        except PartonicError as error:
            yield Finding(subject, passed=False, detail=str(error))


def checks_of(config: AnalysisConfig) -> Sequence[tuple[str, Check]]:
    """Return the questions that matter for this analysis."""
    return (
        ("packages", packages_are_installed),
        ("output", output_is_writable),
        ("process", process_builds),
    )


def packages_are_installed(config: AnalysisConfig) -> str:
    """Look for the packages that the steps import.

    Raises:
        DependencyError: naming the packages that are missing and the extras that bring them.
    """
    missing = {extra: [name for name in names if find_spec(name) is None] for extra, names in _PACKAGES.items()}
    lacking = [name for names in missing.values() for name in names]
    if lacking:
        extras = ",".join(extra for extra, names in missing.items() if names)
        raise DependencyError(
            f"not installed: {', '.join(lacking)}; install them with: pip install 'partonic[{extras}]'"
        )
    return f"{sum(len(names) for names in _PACKAGES.values())} packages found"


def output_is_writable(config: AnalysisConfig) -> str:
    """Take and free the lock of the output folder, and read its records.

    Raises:
        OutputError: if the folder cannot be written.
        WorkflowError: if another run holds it.
    """
    with folder_lock(config.output):
        done = [name for name, record in WorkflowState(config.output).records.items() if record.finished]
    return f"{config.output} can be written; steps done there: {', '.join(done) or 'none'}"


def process_builds(config: AnalysisConfig) -> str:
    """Build the process, which reads the parton densities, and evaluate it at random points.

    Raises:
        PdfError: if the PDF set is missing.
        ProcessError: if the differential cross section of the Standard Model is not positive, or its θ-coefficients
            give a negative value at some θ.
    """
    import numpy as np
    import torch

    from partonic.physics.hard_process import build_process
    from partonic.rng import torch_generator

    process = build_process(config.process)
    numbers = torch.rand(100, process.dimensions, dtype=torch.float64, generator=torch_generator(config.seed, "check"))
    coefficients = process.coefficients(process.from_unit_cube(numbers)[0]).numpy()
    theta = np.random.default_rng(0).normal(size=(50, len(process.monomials.parameters)))
    values = coefficients @ process.monomials.evaluate(theta).T
    if not (coefficients[:, 0] > 0).all() or (values < -1e-9 * np.abs(values).max()).any():
        raise ProcessError(
            f"dσ/dz of '{process.name}' is negative or not finite at some of 100 random points: this is a bug, please "
            "report it with the analysis file"
        )
    parameters = ", ".join(process.monomials.parameters)
    return f"'{process.name}' with θ = ({parameters}), PDF set {config.process.pdf.name}, positive at 100 points"
