"""Ratios that are spoilt are found; ratios that are right are not."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.report.limit_files import estimated, inferred, toy_store, write

from partonic.events.store import EventStore
from partonic.inference.coefficients.event_coefficients import EventCoefficients
from partonic.mem.integral.diagnostics import IntegralDiagnostics
from partonic.report.findings import Finding
from partonic.report.findings.integrals import integral_findings
from partonic.report.limits import LimitFiles, read_limits

NOISE = 0.002
"""So little that it does not lower the slopes."""


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> EventStore:
    return EventStore.open(toy_store(tmp_path_factory.mktemp("events")))


def with_points(events: EventCoefficients, effective: np.ndarray) -> EventCoefficients:
    """Return the events with other effective points."""
    return replace(
        events, diagnostics=replace(IntegralDiagnostics.of(events), effective_sample_size=effective).record()
    )


def good(store: EventStore, **changes: object) -> EventCoefficients:
    events = estimated(store, noise=NOISE)
    return replace(
        with_points(events, np.full(len(events), 500.0)), relative_error=np.full(len(events), 0.05), **changes
    )


def found(
    folder: Path, store: EventStore, events: EventCoefficients, result: Path | None = None, **facts: object
) -> list[Finding]:
    path = write(folder / "tth.parquet", events, store, **facts)
    return list(integral_findings(read_limits(LimitFiles({"tth": path}, store.path, result), store)))


def stretched(events: EventCoefficients, factor: float) -> EventCoefficients:
    """Return ratios that vary `factor` times as much about the same means."""
    mean = np.nanmean(events.ratios, axis=0)
    return replace(events, ratios=mean + factor * (events.ratios - mean))


def test_good_integrals_have_nothing_to_look_at(store: EventStore, tmp_path: Path) -> None:
    assert found(tmp_path, store, good(store), figures={"dominated": 3}) == []


def test_poor_integrals_are_told(store: EventStore, tmp_path: Path) -> None:
    events = good(store)
    number = len(events)
    few = np.where(np.arange(number) < 0.3 * number, 10.0, 500.0)
    (told,) = found(tmp_path, store, with_points(events, few))
    assert "have fewer than 30 effective points under tth (bound 10%)" in told.text
    assert told.level == "attention"
    (told,) = found(tmp_path, store, with_points(events, np.full(number, 10.0)))
    assert told.level == "fault"
    (told,) = found(tmp_path, store, events, figures={"dominated": number // 10})
    assert "have an integral that one point dominates" in told.text
    (told,) = found(tmp_path, store, replace(events, relative_error=np.full(number, 0.5)))
    assert "median error of P_0 under tth is 50% (bound 30%)" in told.text
    lost = estimated(store, lost=range(number // 10), noise=NOISE)
    lost = replace(with_points(lost, np.full(number, 500.0)), relative_error=np.full(number, 0.05))
    (told,) = found(tmp_path, store, lost)
    assert "have no coefficients under tth (bound 1%)" in told.text


def test_ratios_that_claim_too_much_are_told(store: EventStore, tmp_path: Path) -> None:
    (told,) = [each for each in found(tmp_path, store, stretched(good(store), 1.6)) if "slope" in each.text]
    assert "on R_a of" in told.text
    assert "they claim to know more than they do" in told.text
    assert told.level == "fault"
    (told,) = [each for each in found(tmp_path, store, stretched(good(store), 0.7)) if "slope" in each.text]
    assert "they know more than they claim" in told.text


def test_a_wrong_mean_is_told(store: EventStore, tmp_path: Path) -> None:
    events = good(store)
    shift = np.zeros(events.ratios.shape[1])
    shift[2] = 0.3
    shifted = replace(events, ratios=events.ratios + shift)
    (told,) = [each for each in found(tmp_path, store, shifted) if "Sum rule" in each.text]
    assert "of c_tG is off by +0." in told.text
    assert told.level == "fault"


def test_a_fit_is_judged_by_the_ratios_that_it_used(store: EventStore, tmp_path: Path) -> None:
    path = write(tmp_path / "tth.parquet", estimated(store, lost=[3, 4], noise=NOISE), store)
    result = inferred(tmp_path / "infer", store.path, path)
    told = list(integral_findings(read_limits(LimitFiles({}, store.path, result), store)))
    assert not any("slope" in each.text for each in told)
    write(path, stretched(estimated(store, lost=[3, 4], noise=NOISE), 1.6), store)
    told = list(integral_findings(read_limits(LimitFiles({}, store.path, result), store)))
    assert any("slope of the true ratios on R_a as fitted" in each.text for each in told)
    path.unlink()
    (gone,) = integral_findings(read_limits(LimitFiles({}, store.path, result), store))
    assert "cannot be read any more" in gone.text
