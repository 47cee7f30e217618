"""The section on a learned detector: what is stored with the networks is what is shown."""

from pathlib import Path

import numpy as np
import pytest
from tests.surrogate.conftest import drawn_store, parton_file

from partonic.config.report import ReportConfig
from partonic.events.store import EventStore
from partonic.plots.canvas import Headline
from partonic.plots.style import figure_style
from partonic.report.build import _sample
from partonic.report.findings.models import model_findings
from partonic.report.section import Sample
from partonic.report.sections import groups_of
from partonic.report.sections.surrogate.closure import SurrogateSection, is_of_surrogate

__all__ = ["drawn_store", "parton_file"]


@pytest.fixture
def sample(drawn_store: Path) -> Sample:
    return _sample(EventStore.open(drawn_store), ReportConfig(), None)


def test_shows_the_closure_of_the_networks(sample: Sample) -> None:
    closure = sample.metadata.facts["surrogate"]["closure"]
    content = SurrogateSection(sample).content()
    facts, distances, *ratios = content.tables
    assert [row[0] for row in distances.rows] == list(closure["observables"])
    assert float(distances.rows[0][1]) == pytest.approx(
        next(iter(closure["observables"].values()))["distance"], abs=1e-4
    )
    assert len(ratios) == 2
    assert [row[0] for row in ratios[0].rows] == list(sample.metadata.monomials.names)
    assert dict(facts.rows)["Objects drawn by"] == "transfer"
    assert content.results["closure"] == closure


def test_figures_have_the_histograms_and_their_ratio(sample: Sample) -> None:
    plot = SurrogateSection(sample).content().plots[0]
    found = sample.metadata.facts["surrogate"]["closure"]["observables"][plot.name.removeprefix("surrogate_")]
    with figure_style():
        main, lower = plot.draw(Headline()).axes
    (stairs,) = main.patches
    np.testing.assert_allclose(stairs.get_data().values * np.diff(found["edges"]), found["simulated"])
    drawn = lower.containers[0].lines[0].get_ydata()
    filled = np.array(found["simulated"]) > 0
    np.testing.assert_allclose(drawn, (np.array(found["surrogate"])[filled] / np.array(found["simulated"])[filled]))


def test_is_shown_only_for_events_of_a_surrogate(sample: Sample) -> None:
    assert is_of_surrogate(sample)
    assert SurrogateSection in next(group for group in groups_of(sample) if group.name == "simulation").makers
    plain = _without(sample)
    assert not is_of_surrogate(plain)
    assert SurrogateSection not in next(group for group in groups_of(plain) if group.name == "simulation").makers


def test_without_a_closure_it_says_so(sample: Sample) -> None:
    bare = _without(
        sample, surrogate={"kind": "transfer", "model": "somewhere", "fingerprint": "0" * 64, "closure": {}}
    )
    content = SurrogateSection(bare).content()
    assert "No closure is stored" in content.missing[0]
    assert not content.plots
    (finding,) = [each for each in model_findings(bare) if each.section == "surrogate"]
    assert "how well it does is not stored" in finding.text


def test_a_finding_names_what_is_off(sample: Sample) -> None:
    (finding,) = [each for each in model_findings(sample) if each.section == "surrogate"]
    assert "drawn by a learned detector, not simulated" in finding.text
    assert "m_photons by" in finding.text
    assert "pt_photons by" not in finding.text


def _without(sample: Sample, **facts: object) -> Sample:
    from dataclasses import replace

    known = {name: value for name, value in sample.metadata.facts.items() if name != "surrogate"}
    return replace(sample, metadata=sample.metadata.with_facts(facts={**known, **facts}))
