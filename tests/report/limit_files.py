"""Coefficients of toy events and what is inferred from them, for the sections on the way to limits."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
from tests.report.conftest import hard_process, reconstruction, tth_metadata, write_store

from partonic.config.inference import InferenceConfig
from partonic.events.store import EventStore
from partonic.inference.coefficients.coefficients_file import CoefficientsMetadata, write_coefficients
from partonic.inference.coefficients.event_coefficients import EventCoefficients
from partonic.inference.coefficients.rate import FiducialRate
from partonic.inference.coefficients.truth import truth_coefficients
from partonic.inference.infer import infer
from partonic.inference.samples import Files
from partonic.mem.integral.diagnostics import IntegralDiagnostics
from partonic.polynomial import Monomials

LUMINOSITY = 10.0


def toy_store(folder: Path, number: int = 1500) -> Path:
    """Events whose weight depends on θ, a part of them selected."""
    generator = np.random.default_rng(5)
    columns = hard_process(generator, number) | reconstruction(generator, number)
    return write_store(folder / "events.parquet", columns, tth_metadata(columns))


def estimated(store: EventStore, lost: Iterable[int] = (), noise: float = 0.02) -> EventCoefficients:
    """Ratios of pairs of events, with a little noise: the mean of the truth at what is known, as an estimate is."""
    truth = truth_coefficients(store)
    weights = store.read(["coefficients"], selected_only=True).coefficients
    generator = np.random.default_rng(6)
    partner = np.arange(len(truth)) ^ 1
    partner[partner >= len(truth)] = len(truth) - 1
    ratios = (weights + weights[partner]) / (weights + weights[partner])[:, :1]
    size = noise * np.array([0.0, 0.0, 1.0, 1.0, 0.0, 1.0])
    ratios = ratios + size * generator.normal(size=ratios.shape)
    covariance = np.tile(np.diag(size**2), (len(truth), 1, 1))
    status, reference = np.array(truth.status, dtype=object), generator.normal(-30, 3, len(truth))
    rows = list(lost)
    ratios[rows], covariance[rows], reference[rows], status[rows] = np.nan, np.nan, np.nan, "zero acceptance"
    points = np.full(len(truth), 1000)
    effective = generator.uniform(10.0, 500.0, len(truth))
    return replace(
        truth, ratios=ratios, covariance=covariance, log_reference=reference, status=tuple(status),
        relative_error=1 / np.sqrt(effective), source="mem",
        diagnostics=IntegralDiagnostics(effective, 2 / effective, points).record(),
    )  # fmt: skip


def write(path: Path, coefficients: EventCoefficients, store: EventStore | None = None, **facts: object) -> Path:
    """Write a file of coefficients, with the cross section of `store`."""
    metadata = CoefficientsMetadata(
        parameters=coefficients.monomials.parameters,
        exponents=coefficients.monomials.exponents,
        source=coefficients.source,
        cross_section=None if store is None else FiducialRate.from_store(store).record(),
        config={"mem": {"dominated": {"limit": 0.5}}},
        facts=facts,
    )
    write_coefficients(path, coefficients, metadata)
    return path


def inferred(folder: Path, store: Path, coefficients: Path, **options: object) -> Path:
    """Fit the toy in few points and return ``result.json``."""
    settings = {
        "luminosity": LUMINOSITY, "truth": {"kappa_tilde_t": 0.5}, "workers": 1,
        "scan": {"points": 7, "contour_points": 7},
    }  # fmt: skip
    config = InferenceConfig.model_validate(settings | options)
    infer(Files(store, coefficients, {}), config, 3, folder)
    return folder / "result.json"


def constant(events: EventCoefficients, log_reference: np.ndarray | None = None) -> EventCoefficients:
    """Return coefficients of the same events under a process that depends on nothing."""
    return replace(
        events, monomials=Monomials.constant(), ratios=events.ratios[:, :1], covariance=events.covariance[:, :1, :1],
        log_reference=events.log_reference if log_reference is None else log_reference,
    )  # fmt: skip


def with_background(folder: Path, store: EventStore) -> Path:
    """Fit signal and a background whose log densities differ by 3 ± 1 and 0 ± 1; return ``result.json``."""
    other = EventStore.open(toy_store(folder, 600))
    generator = np.random.default_rng(8)
    paths = {}
    for name, events, shift in (("signal", store, 3.0), ("background", other, 0.0)):
        signal = estimated(events)
        ratio = generator.normal(shift, 1.0, len(signal))
        paths[name] = write(folder / f"{name}_tth.parquet", signal, store)
        density = constant(signal, signal.log_reference - ratio)
        paths[f"{name}_ttbb"] = write(folder / f"{name}_ttbb.parquet", density)
    simulated = {"signal": str(paths["background"]), "ttbb": str(paths["background_ttbb"])}
    settings = {
        "luminosity": LUMINOSITY, "parameters": ("kappa_tilde_t",), "workers": 1, "scan": {"points": 7},
        "backgrounds": {"ttbb": {"cross_section": 0.01, "uncertainty": 0.1,
                                 "events": {"store": str(other.path), "coefficients": simulated}}},
    }  # fmt: skip
    files = Files(store.path, paths["signal"], {"ttbb": paths["signal_ttbb"]})
    infer(files, InferenceConfig.model_validate(settings), 4, folder / "infer")
    return folder / "infer" / "result.json"


def with_component(folder: Path, store: EventStore, **options: object) -> Path:
    """Fit signal and a component of half its size that depends on the same θ; return ``result.json``.

    The component's events have a weight of their own, and its density is that of the signal times e^−1.
    """
    other = EventStore.open(toy_store(folder, 700))
    paths = {}
    for name, events in (("signal", store), ("component", other)):
        signal = estimated(events)
        paths[name] = write(folder / f"{name}_tth.parquet", signal, store)
        density = replace(signal, log_reference=signal.log_reference - 1.0)
        paths[f"{name}_second"] = write(folder / f"{name}_second.parquet", density, other)
    simulated = {"signal": str(paths["component"]), "second": str(paths["component_second"])}
    settings = {
        "luminosity": LUMINOSITY, "workers": 1, "scan": {"points": 7, "contour_points": 5},
        "components": {"second": {"uncertainty": 0.0,
                                  "events": {"store": str(other.path), "coefficients": simulated}}},
    }  # fmt: skip
    files = Files(store.path, paths["signal"], components={"second": paths["signal_second"]})
    infer(files, InferenceConfig.model_validate(settings | options), 4, folder / "infer")
    return folder / "infer" / "result.json"
