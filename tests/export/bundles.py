"""Results of small fits to export, and the reader that ships as an example."""

import importlib.util
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
from tests.inference import circle_toy
from tests.inference.line_toy import coefficients, grid, rate, without, write_store
from tests.inference.test_samples import with_background, write

from partonic.config.inference import InferenceConfig, ScanConfig
from partonic.inference.coefficients.rate import FiducialRate
from partonic.inference.infer import infer
from partonic.inference.samples import Files
from partonic.polynomial import Monomials

READER = Path(__file__).resolve().parents[2] / "examples" / "read_likelihood.py"
SCAN = ScanConfig(points=11, contours=())
NOISE = 0.002 * np.diag([0.0, 1.0, 0.5, 2.0, 0.3, 1.0])
CIRCLE = {"kind": "circle", "cosine": {"a": 1.0}, "sine": {"b": 1.0}}


def reader() -> ModuleType:
    spec = importlib.util.spec_from_file_location("read_likelihood", READER)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def line_files(folder: Path, events: int = 300) -> Files:
    """A store generated at b = 0.9 and its noisy coefficients, which four events have not."""
    x = grid(events)
    store = write_store(folder / "events.parquet", x, theta={"b": 0.9}).path
    noisy = without(coefficients(x, NOISE, np.random.default_rng(8)), np.arange(events) < 4)
    return Files(store, write(folder / "signal.parquet", noisy, rate(0.01).record()), {})


def fitted(folder: Path, files: Files, **settings: object) -> Path:
    """Fit and return the folder of the result."""
    config = InferenceConfig.model_validate({"luminosity": 100.0, "scan": SCAN, "expected": (), **settings})
    infer(files, config, 5, folder / "infer")
    return folder / "infer"


def of_signal(folder: Path, **settings: object) -> Path:
    return fitted(folder, line_files(folder), **settings)


def of_data(folder: Path) -> Path:
    """The shape of events of which nothing but the coefficients is there, with normalised densities."""
    return fitted(folder, replace(line_files(folder), store=None), data="events", shape_only=True)


def with_nuisances(folder: Path) -> Path:
    """Signal and background, with numbers that are free, and such that are constrained."""
    files, config = with_background(line_files(folder), grid(300))
    settings: dict[str, object] = {
        "backgrounds": config.backgrounds, "luminosity_uncertainty": 0.02,
        "constraints": {"b": {"centre": 0.8, "width": 0.4}}, "truth": {"b": 0.9}, "fixed": {"a": 0.1},
    }  # fmt: skip
    return fitted(folder, files, **settings)


def on_a_circle(folder: Path) -> Path:
    """Parton truth along a circle through the parameters, from a Standard Model that is not θ = 0."""
    store = circle_toy.write_store(folder / "events.parquet", grid(500), {"a": 1.0}).path
    return fitted(
        folder, Files(store, None), source="truth", data="asimov", standard_model=circle_toy.STANDARD,
        curves={"alpha": CIRCLE}, truth={"alpha": 40.0},
    )  # fmt: skip


def with_component(folder: Path) -> Path:
    """A second signal whose parameter is k = 1 + a; fitted as data."""
    files = line_files(folder)
    x, names = grid(300), Monomials.up_to_degree(("k", "b"), 2)
    own, under = coefficients(x), circle_toy.densities(x)
    other = replace(
        own, monomials=names, ratios=under / under[:, :1], log_reference=own.log_reference + np.log(under[:, 0])
    )
    means = circle_toy.SIGMA * under.mean(axis=0)
    section = FiducialRate(names, means, np.zeros((6, 6))).record()
    files = replace(files, components={"other": write(folder / "other.parquet", other, section)})
    return fitted(
        folder, files, data="events", shape_only=True, parameters=("a",),
        components={"other": {"map": {"k": "1 + a"}, "uncertainty": 0.1}},
    )  # fmt: skip
