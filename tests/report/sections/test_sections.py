"""Sections find what was put into the toy events."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from partonic.config.detector import FlavourTagConfig
from partonic.config.report import ReportConfig
from partonic.events.store import EventStore
from partonic.report.build import _fill, _sample
from partonic.report.section import Sample, Section
from partonic.report.sections.acceptance import AcceptanceSection
from partonic.report.sections.btag import TaggingSection
from partonic.report.sections.candidates import CandidatesSection
from partonic.report.sections.cross_section import CrossSectionSection
from partonic.report.sections.cut_flow import CutFlowSection
from partonic.report.sections.jets import JetsSection
from partonic.report.sections.partons import PartonsSection
from partonic.report.sections.response import ResponseSection
from partonic.report.sections.theta import PartonThetaSection
from partonic.simulation.tagging import tag_probability

Maker = Callable[..., Path]
ONE_BIN = {"edges": (0.0, 1000.0)}


def filled(make: Callable[[Sample], Section], store: Path, **options: object) -> Section:
    """Return a section that has seen the events of `store`."""
    events = EventStore.open(store)
    section = make(_sample(events, ReportConfig.model_validate(options), None))
    _fill([section], events, 400, progress=_Quiet())
    return section


class _Quiet:
    def start(self, description: str, total: int | None, unit: str, done: int = 0) -> None: ...
    def advance(self, amount: int = 1, **figures: float | str) -> None: ...
    def finish(self) -> None: ...


def test_tag_efficiency_is_not_biased_by_the_selection(make_store: Maker) -> None:
    store = make_store(6000)
    section = filled(TaggingSection, store, binnings={"tagged_jet_pt": ONE_BIN})
    found = section.content().results["b jets"]["efficiency"]
    value, error = found["value"][0], found["below"][0]
    batch = EventStore.open(store).read(["jet_pt", "jet_tagged", "jet_flavour"], selected_only=True)
    b_jets = batch.flat("jet_flavour") == 5
    # Expected: the probability put in, averaged over the jets that count.
    tags = np.repeat([sum(row) for row in batch.table.column("jet_tagged").to_pylist()], batch.counts("jet_pt"))
    counted = b_jets & (tags - batch.flat("jet_tagged") >= 3)
    pt = batch.flat("jet_pt").astype(np.float64)[counted]
    expected = tag_probability(pt, np.full(len(pt), 5), FlavourTagConfig()).mean()
    assert section.fewest_tags == 3
    assert abs(value - expected) < 4 * error
    assert error < 0.03
    naive = batch.flat("jet_tagged")[b_jets].mean()
    assert naive > value + 10 * error


def test_response_is_the_one_put_in(make_store: Maker) -> None:
    section = filled(ResponseSection, make_store(3000), binnings={"true_jet_pt": {"edges": (60.0, 400.0)}})
    points = section.profiles["particle", r"$|\eta| < 1.5$"].points()
    # The events are selected by their tags, whose probability depends weakly on the measured pT.
    assert points.median[0] == pytest.approx(1.0, abs=4 * points.median_error[0] + 0.01)
    assert points.width[0] == pytest.approx(0.15, abs=4 * points.width_error[0])
    assert points.width_error[0] < 0.01
    quarks = section.profiles["quark", r"$|\eta| < 1.5$"].points()
    assert np.nanmedian(quarks.median) == pytest.approx(0.95, abs=0.05)


def test_jets_without_a_particle_level_jet_have_no_response(make_store: Maker) -> None:
    def lose(columns: dict[str, object]) -> None:
        columns["jet_true_pt"] = [row and [float("nan")] * len(row) for row in columns["jet_true_pt"]]

    content = filled(ResponseSection, make_store(300, lose)).content()
    assert content.missing == ("Not known for these events: pT of the nearest particle-level jet within ΔR < 0.4.",)
    assert all(plot.name.startswith("response_quark") for plot in content.plots)


def test_cut_flow_counts_the_events(make_store: Maker) -> None:
    store = make_store(800)
    cut = EventStore.open(store).read(["cut"]).column("cut")
    content = filled(CutFlowSection, store).content()
    left = [800, int((cut != 0).sum()), int((cut == -1).sum())]
    assert content.results["events"] == left
    assert content.missing == ()
    p = left[2] / left[1]
    assert content.results["step_efficiency"]["value"][2] == pytest.approx(p)
    size = 0.5 * (content.results["step_efficiency"]["below"][2] + content.results["step_efficiency"]["above"][2])
    assert size == pytest.approx(np.sqrt(p * (1 - p) / left[1]), rel=0.02)


def test_acceptance_is_that_of_the_cut_flow(make_store: Maker) -> None:
    store = make_store(800)
    selected = EventStore.open(store).read(["selected"]).column("selected")
    section = filled(AcceptanceSection, store, binnings={"pt_H": {"edges": (0.0, 5000.0)}})
    assert section.histograms[0].result().value[0] == pytest.approx(selected.mean())


def test_cross_section_is_the_sum_of_the_coefficients(make_store: Maker) -> None:
    store = make_store(300)
    coefficients = EventStore.open(store).read(["coefficients"]).coefficients
    section = filled(CrossSectionSection, store, theta=({"c_tG": 1.0},))
    results = section.content().results
    np.testing.assert_allclose(results["all"]["coefficients"][0], coefficients.sum(axis=0), rtol=1e-12)
    at_one = coefficients[:, [0, 2, 5]].sum(axis=1)
    (ratio,) = results["ratios"]
    assert ratio["cross_section"][0] == pytest.approx(at_one.sum(), rel=1e-12)
    value = at_one.sum() / coefficients[:, 0].sum()
    assert ratio["ratio"][0] == pytest.approx(value, rel=1e-12)
    difference = at_one - value * coefficients[:, 0]
    assert ratio["ratio"][1] == pytest.approx(np.sqrt((difference**2).sum()) / coefficients[:, 0].sum(), rel=1e-9)


def test_theta_changes_the_spectrum_as_the_events_say(make_store: Maker) -> None:
    section = filled(PartonThetaSection, make_store(2000))
    histogram = section.histograms[0]
    ratio, error = histogram.ratio([1.0, 0.0], [0.0, 0.0])
    # The toy has σ(κ̃ = 1)/σ(SM) = 1 + (pT(H)/600)².
    expected = 1 + (histogram.axis.centres / 600) ** 2
    well_filled = error > 0
    assert (np.abs(ratio - expected)[well_filled] < 4 * error[well_filled] + 0.02).all()
    assert well_filled.sum() > 15
    assert len(section.content().plots) == 7


def test_masses_and_balance_of_the_partons(make_store: Maker) -> None:
    table = filled(PartonsSection, make_store(50)).content().tables[0]
    assert [row[0] for row in table.rows] == ["H", "t", "tbar"]
    assert [float(cell) for row in table.rows for cell in row[1:]] == pytest.approx(
        [125.0, 125.0] + [172.5] * 4, abs=1e-5
    )
    assert float(table.caption.split("final state is ")[1].split(" of")[0]) < 1e-12


def test_jets_are_counted_by_flavour(make_store: Maker) -> None:
    results = filled(JetsSection, make_store(400)).content().results
    number = {flavour: sum(results[f"jet_pt {flavour}"]["entries"]) + results[f"jet_pt {flavour}"]["overflow"][2]
              for flavour in ("all jets", "b jets", "c jets", "light jets")}  # fmt: skip
    assert number["all jets"] == number["b jets"] + number["c jets"] + number["light jets"]
    assert number["b jets"] == 4 * number["c jets"]


def test_matched_jets_make_candidates(make_store: Maker) -> None:
    section = filled(CandidatesSection, make_store(300))
    selected = int(section.counts["H"].entries.sum())
    assert section.counts["H"].entries[1:-1].tolist() == [0, 0, selected, 0, 0]
    assert section.counts["hadronic top"].entries[1:-1].tolist() == [0, 0, 0, selected, 0]
    # Of the three jets of the hadronic top, decay_pdg says that two come from W.
    assert [int(section.masses[name].entries.sum()) for name in ("higgs", "top", "w")] == [selected] * 3
    assert section.migration.contents().sum() == pytest.approx(section.masses["higgs"].total)
