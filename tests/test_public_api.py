"""Public names are a promise: this test changes only together with the changelog."""

import importlib
from pathlib import Path

import pytest

import partonic

PUBLIC = {
    "partonic": [
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
    ],
    "partonic.config": ["AnalysisConfig", "SettingError", "StrictModel", "load_analysis", "load_config"],
    "partonic.workflow": [
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
    ],
    "partonic.cli": ["main"],
    "partonic.errors": [
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
    ],
    "partonic.polynomial": ["Monomials", "MorphingSolution", "morphing_basis", "solve_morphing"],
}

SOURCE = Path(partonic.__file__).parent
MODULES = sorted(
    ".".join(("partonic", *path.relative_to(SOURCE).with_suffix("").parts)).removesuffix(".__init__")
    for path in SOURCE.rglob("*.py")
)


@pytest.mark.parametrize("module", PUBLIC)
def test_public_names_are_those_promised(module: str) -> None:
    assert sorted(importlib.import_module(module).__all__) == sorted(PUBLIC[module])


@pytest.mark.parametrize("name", MODULES)
def test_every_public_name_exists(name: str) -> None:
    module = importlib.import_module(name)
    for public in getattr(module, "__all__", ()):
        assert getattr(module, public) is not None, f"{name}.{public}"


def test_front_door_lists_its_names_and_refuses_others() -> None:
    assert dir(partonic) == sorted(partonic.__all__)
    with pytest.raises(AttributeError, match="no attribute 'unknown'"):
        _ = partonic.unknown


def test_every_error_of_the_package_can_be_caught_at_once() -> None:
    errors = importlib.import_module("partonic.errors")
    assert all(issubclass(getattr(errors, name), partonic.PartonicError) for name in errors.__all__)
