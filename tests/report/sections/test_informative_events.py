"""The concentration of information, against a closed form, and the features of the events that have most of it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.report.limit_files import estimated, toy_store, write

from partonic.config.report import ReportConfig
from partonic.events.store import EventStore
from partonic.plots.canvas import Headline
from partonic.plots.style import figure_style
from partonic.report.build import _sample
from partonic.report.limits import LimitFiles, Limits, read_limits
from partonic.report.section import Sample
from partonic.report.sections.informative_events import InformativeEventsSection, _ranking


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    folder = tmp_path_factory.mktemp("informative")
    store = EventStore.open(toy_store(folder, 12_000))
    coefficients = estimated(store, lost=[3, 4])
    path = write(folder / "tth.parquet", coefficients, store, features=["sum_pt", "met_pt"])
    limits = read_limits(LimitFiles({"tth": path}, store.path), store)
    events = limits.integrated[0]
    metadata = events.metadata.model_copy(update={"store": str(store.path)})
    limits = replace(limits, integrated=(replace(events, metadata=metadata),))
    return replace(_sample(store, ReportConfig(), None), limits=limits)


def test_exponential_information_by_hand() -> None:
    """Of x with density e^−x the largest part p has the part p (1 − log p) of the sum of x."""
    x = -np.log((np.arange(200_000) + 0.5) / 200_000)
    ranked = _ranking("a", np.ones(len(x)), x)
    assert ranked.share_of_top == pytest.approx(0.01 * (1 - np.log(0.01)), rel=1e-3)
    assert ranked.top == 2000
    half = ranked.half
    assert half * (1 - np.log(half)) == pytest.approx(0.5, rel=1e-3)
    doubled = _ranking("a", np.repeat([2.0, 0.5], 100_000), np.repeat([2.0, 0.5], 100_000) * x)
    assert doubled.events[-1] == doubled.information[-1] == pytest.approx(1.0)


def test_shares_and_features(sample: Sample) -> None:
    content = InformativeEventsSection(sample).content()
    assert not content.missing
    (table,) = content.tables
    assert table.columns[:2] == ("feature", "all events")
    assert [row[0] for row in table.rows] == ["sum_pt", "met_pt"]
    (plot,) = content.plots
    with figure_style():
        (axes,) = plot.draw(Headline()).axes
    assert len(axes.lines) == 1 + len(content.results)
    for found in content.results.values():
        assert 0.01 <= found["top_0.01"] <= 1.0
        assert 0.0 < found["half"] < 0.5


def test_events_that_tell_most_have_the_features_that_the_score_follows(sample: Sample) -> None:
    """A score that is the transverse momentum: the best events are those of the largest deviation from its mean."""
    events = sample.limits.integrated[0]
    from partonic.report.features import features_of

    _, values = features_of(events, ("sum_pt",))
    usable = events.coefficients.usable()
    ratios = events.coefficients.ratios.copy()
    column = events.coefficients.monomials.names.index("c_tG")
    ratios[usable, column] = values[usable, 0]
    changed = replace(events, coefficients=replace(events.coefficients, ratios=ratios))
    limits = replace(sample.limits, integrated=(changed,))
    (table,) = InformativeEventsSection(replace(sample, limits=limits)).content().tables
    place = table.columns.index("best 1% for c_tG")
    shift = float(table.rows[0][place].split("(")[1].rstrip(")").replace("−", "-"))
    assert abs(shift) > 2.0


def test_nothing_to_show_is_said(sample: Sample, tmp_path: Path) -> None:
    assert InformativeEventsSection(replace(sample, limits=Limits())).content().missing
    events = sample.limits.integrated[0]
    metadata = events.metadata.model_copy(update={"store": str(tmp_path / "gone.parquet")})
    limits = replace(sample.limits, integrated=(replace(events, metadata=metadata),))
    content = InformativeEventsSection(replace(sample, limits=limits)).content()
    assert "gone.parquet" in content.missing[0]
    assert content.plots
    dark = replace(events, weights=np.zeros_like(events.weights))
    limits = replace(sample.limits, integrated=(dark,))
    assert InformativeEventsSection(replace(sample, limits=limits)).content().missing
