"""What every test may use: the folder of real event files, seeded generators and the device."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch

os.environ["MPLBACKEND"] = "Agg"

REPOSITORY = Path(__file__).resolve().parents[1]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--device", default="cpu", help="torch device of the tests that use the `device` fixture")


@pytest.fixture(scope="session")
def device(request: pytest.FixtureRequest) -> torch.device:
    """Device chosen with ``--device``."""
    return torch.device(request.config.getoption("--device"))


@pytest.fixture(scope="session")
def repository() -> Path:
    """Root of the checkout."""
    return REPOSITORY


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder with event files of real generators and experiments; tests that need it are skipped without it."""
    folder = Path(os.environ.get("PARTONIC_REAL_DATA", REPOSITORY.parent / "shared" / "data" / "real"))
    if not folder.is_dir():
        pytest.skip(f"real event files not found in {folder}; set PARTONIC_REAL_DATA to their folder")
    return folder


@pytest.fixture
def seed() -> int:
    """Root seed of a test."""
    return 20260713


@pytest.fixture
def rng(seed: int) -> np.random.Generator:
    """Return a seeded NumPy generator."""
    return np.random.default_rng(seed)


@pytest.fixture
def torch_rng(seed: int) -> torch.Generator:
    """Return a seeded torch generator."""
    return torch.Generator().manual_seed(seed)
