"""What networks have not seen, versions that differ, and samples that do not cover are told."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from tests.report.findings.test_events import counts, np, sample
from tests.report.records import record

from partonic.inference.coefficients.coefficients_file import CoefficientsMetadata
from partonic.report.findings import gather_findings
from partonic.report.findings.finding import Finding
from partonic.report.findings.models import model_findings
from partonic.report.limits import IntegratedEvents, Limits
from partonic.report.section import Sample
from partonic.report.unfolded import UnfoldedModel


def integrated(model: str, version: str = "0.1.0") -> IntegratedEvents:
    events = sample()
    from partonic.inference.coefficients.event_coefficients import EventCoefficients

    monomials = events.metadata.monomials
    size = len(monomials)
    coefficients = EventCoefficients(
        monomials=monomials, event_id=np.arange(2), ratios=np.ones((2, size)), log_reference=np.zeros(2),
        covariance=np.zeros((2, size, size)), status=("ok", "ok"), relative_error=np.full(2, 0.1),
        source="mem",
    )  # fmt: skip
    metadata = CoefficientsMetadata(
        parameters=monomials.parameters, exponents=monomials.exponents, source="mem", config={"mem": {"model": model}},
        versions={"partonic": version},
    )  # fmt: skip
    return IntegratedEvents("tth", coefficients, metadata, None)


def with_limits(model: str, version: str = "0.1.0", **changes: Any) -> Sample:
    return replace(sample(**changes), limits=Limits((integrated(model, version),)))


def simulated(setting: bool) -> dict[str, Any]:
    return {"simulation": {"multiparton_interactions": setting}}


def test_events_like_those_of_the_training_are_fine() -> None:
    assert list(model_findings(with_limits("pretrained", config=simulated(False)))) == []
    assert list(model_findings(with_limits("models/mine", config=simulated(True)))) == []


@pytest.mark.parametrize(
    ("config", "words"),
    [
        (simulated(True), "these have them"),
        ({"import": {"format": "nanoaod"}}, "whether these have them is not recorded"),
    ],
)
def test_shipped_networks_never_saw_the_underlying_event(config: dict[str, Any], words: str) -> None:
    (told,) = model_findings(with_limits("pretrained", config=config))
    assert "trained without multiparton interactions" in told.text
    assert words in told.text


def test_versions_that_differ_are_told() -> None:
    (told,) = model_findings(with_limits("pretrained", "0.2.0", config=simulated(False)))
    assert "different versions of partonic: events 0.1.0, coefficients of tth 0.2.0" in told.text


def unfolded(**changes: Any) -> UnfoldedModel:
    settings: dict[str, Any] = {"coverage": 0.68, "accuracy": 0.52, "here": False} | changes
    quality: Any = SimpleNamespace(
        view="hard",
        coverage_68=SimpleNamespace(value=settings["coverage"], error=0.01),
        classifier=SimpleNamespace(value=settings["accuracy"], error=0.01),
    )
    model = object.__new__(UnfoldedModel)
    for name, value in {"quality": quality, "trained_here": settings["here"], "shipped": False}.items():
        object.__setattr__(model, name, value)
    return model


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"here": True}, "judged on events that it was trained on"),
        ({"coverage": 0.55}, "55.0% ± 1.0% of the true partons of the hard process lie in regions of 68%"),
        ({"accuracy": 0.7}, "tells sampled from true partons of the hard process in 70.0% of cases"),
    ],
)
def test_unfolding_that_does_not_cover_is_told(changes: dict[str, Any], words: str) -> None:
    events = sample(config=simulated(False))
    (told,) = model_findings(replace(events, unfolded=(unfolded(**changes),)))
    assert words in told.text
    assert list(model_findings(replace(events, unfolded=(unfolded(),)))) == []


def test_faults_come_first_and_every_step_is_asked() -> None:
    fit = record(valid=False, settings__calibration=None)
    events = replace(
        sample(facts={"warnings": ["a"]}), limits=Limits((integrated("pretrained"),), inference=fit),
        generation={"unweighting": {"unweighting_efficiency": 0.001}},
    )  # fmt: skip
    found: tuple[Finding, ...] = gather_findings(events, counts(np.ones(1000), np.zeros(0)))
    levels = [each.level for each in found]
    assert levels == sorted(levels, reverse=True)
    assert levels.count("fault") == 2
    assert {"fit", "events", "import", "generation"} <= {each.step for each in found}
