import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from partonic.config.report import ReportConfig
from partonic.errors import ConfigError, EventFileError, NonFiniteError, OutputError, ParameterError, SchemaError
from partonic.report import build_report

Maker = Callable[..., Path]
VOID = {"meta", "img", "br", "link", "input", "hr"}
NUMBERS_ONLY = ReportConfig(sections=("summary", "generation"))


class Page(HTMLParser):
    """Checks that tags are balanced, and collects links, images and identifiers."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.sources: list[str] = []
        self.links: list[str] = []
        self.anchors: list[str] = []
        self.tags: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        found = dict(attrs)
        self.sources += [found["src"] or ""] if "src" in found else []
        self.links += [found["href"] or ""] if "href" in found else []
        self.anchors += [found["id"] or ""] if "id" in found else []
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def results(folder: Path) -> dict:
    return json.loads((folder / "report.json").read_text())["sections"]


@pytest.mark.slow
def test_whole_report_of_our_own_events(make_store: Maker, tmp_path: Path) -> None:
    page = build_report(make_store(), tmp_path / "report")
    text = page.read_text()
    found = Page(text)
    assert page == tmp_path / "report" / "index.html"
    assert len(text) < 3_000_000
    # Self-contained: one script and one icon in the page, no style sheets, no address outside, every image inside,
    # every link a file beside it.
    assert not {"iframe", "object"} & set(found.tags)
    assert (found.tags.count("script"), found.tags.count("link")) == (1, 1)
    assert not re.search(r"(?:https?:)?//[a-z]", re.sub(r"base64,[A-Za-z0-9+/=]+", "", text))
    assert all(source.startswith("data:image/webp;base64,") for source in found.sources)
    assert len(set(found.anchors)) == len(found.anchors)
    files = [link for link in found.links if not link.startswith(("#", "data:"))]
    assert all((page.parent / link).is_file() for link in files)
    assert {link[1:] for link in found.links if link.startswith("#")} <= set(found.anchors)
    # Every figure is there in both formats, and no other file.
    names = {path.stem for path in (page.parent / "figures").iterdir()}
    assert {path.name for path in (page.parent / "figures").iterdir()} == {
        f"{n}.{k}" for n in names for k in ("pdf", "png", "json")
    }
    assert len(names) == len(found.sources) > 30
    sections = results(page.parent)
    assert [name for name, part in sections.items() if part["missing"]] == ["generation"]
    assert set(sections) <= set(found.anchors)


def test_numbers_do_not_depend_on_the_batches(make_store: Maker, tmp_path: Path) -> None:
    store = make_store(120)
    reports = []
    for size in (17, 1000):
        config = ReportConfig(batch_size=size, formats=(), sections=("summary", "cut_flow", "candidates"))
        build_report(store, tmp_path / str(size), config)
        reports.append(results(tmp_path / str(size)))
    assert reports[0]["cut_flow"]["results"]["events"] == reports[1]["cut_flow"]["results"]["events"]
    first, second = (np.array(r["candidates"]["results"]["higgs"]["sum_of_weights"]) for r in reports)
    np.testing.assert_allclose(first, second, rtol=1e-12)
    assert first.sum() > 0


def test_imported_events_say_what_they_lack(imported_store: Path, tmp_path: Path) -> None:
    page = build_report(imported_store, tmp_path / "report", ReportConfig(formats=()))
    Page(page.read_text())
    sections = results(page.parent)
    lacking = {name for name, part in sections.items() if part["missing"]}
    assert lacking == {
        "cross_section", "generation", "partons", "theta_partons", "cut_flow", "acceptance", "jets", "theta_selected",
        "candidates", "response", "b_tagging",
    }  # fmt: skip
    assert "no partons" in sections["partons"]["missing"][0]
    assert "true flavour" in sections["jets"]["missing"][0]
    assert sections["selected"]["results"]["jet_multiplicity"]["entries"][6] == 300
    # Collision data without a dependence on θ, although the store has the monomials of a process.
    assert "collision data" in sections["cross_section"]["missing"][0]
    assert "no dependence" in sections["theta_selected"]["missing"][0]
    assert "300 ± 17 events" in page.read_text()


def test_events_without_a_selected_one(make_store: Maker, tmp_path: Path) -> None:
    def reject(columns: dict[str, object]) -> None:
        number = len(columns["weight"])
        columns["selected"], columns["cut"] = np.zeros(number, dtype=bool), np.zeros(number, dtype=np.int8)
        for name in [name for name in columns if name.startswith(("jet_", "lepton_", "met_"))]:
            del columns[name]

    config = ReportConfig(
        formats=(),
        sections=("cross_section", "cut_flow", "jets", "selected", "theta_selected", "candidates", "response"),
    )
    page = build_report(make_store(100, reject), tmp_path / "report", config)
    sections = results(page.parent)
    assert sections["selected"]["missing"] == ["No event is selected."]
    assert sections["cut_flow"]["results"]["events"] == [100.0, 0.0, 0.0]
    assert "differs from the events" in sections["cut_flow"]["missing"][0]


def test_partons_are_open_where_nothing_was_reconstructed(make_store: Maker, tmp_path: Path) -> None:
    def partons_only(columns: dict[str, object]) -> None:
        for name in list(columns):
            if name in ("selected", "cut") or name.startswith(("jet_", "lepton_", "met_")):
                del columns[name]

    title = "<summary><h3>Parton level</h3>"
    options = ReportConfig(sections=("jets", "partons"))
    whole = build_report(make_store(60), tmp_path / "whole", options).read_text(encoding="utf-8")
    assert f"<details>\n{title}" in whole
    bare = build_report(make_store(60, partons_only), tmp_path / "bare", options).read_text(encoding="utf-8")
    assert f"<details open>\n{title}" in bare


def test_store_without_any_event(make_store: Maker, tmp_path: Path) -> None:
    page = build_report(make_store(0), tmp_path / "report", ReportConfig(formats=()))
    Page(page.read_text())
    assert all(part["missing"] for name, part in results(page.parent).items() if name != "summary")


def test_nan_in_a_column_is_an_error_and_leaves_no_page(make_store: Maker, tmp_path: Path) -> None:
    def spoil(columns: dict[str, object]) -> None:
        columns["partons"][3, 2] = np.nan

    with pytest.raises(NonFiniteError, match="of 'pt_H' are not finite"):
        build_report(make_store(50, spoil), tmp_path / "report")
    assert not (tmp_path / "report" / "index.html").exists()


def test_damaged_and_foreign_stores_are_refused(make_store: Maker, tmp_path: Path) -> None:
    store = make_store(50)
    whole = store.read_bytes()
    store.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(EventFileError, match="truncated"):
        build_report(store, tmp_path / "report")
    store.write_bytes(b"not parquet at all")
    with pytest.raises(EventFileError, match="not a Parquet file"):
        build_report(store, tmp_path / "report")
    with pytest.raises(EventFileError, match="cannot read the event store"):
        build_report(tmp_path / "nothing.parquet", tmp_path / "report")
    assert issubclass(SchemaError, EventFileError)
    assert not (tmp_path / "report").exists()


def test_report_can_be_built_twice_and_is_the_same(make_store: Maker, tmp_path: Path) -> None:
    config, store = ReportConfig(sections=("summary", "cut_flow")), make_store(60)
    first = build_report(store, tmp_path / "report", config)
    contents = {path: path.read_bytes() for path in first.parent.rglob("*") if path.is_file()}
    build_report(store, tmp_path / "report", config)
    assert contents == {path: path.read_bytes() for path in first.parent.rglob("*") if path.is_file()}


def test_generation_record_is_shown(make_store: Maker, tmp_path: Path) -> None:
    record = {
        "events": 1000, "cross_section": {"value": 0.4452, "error": 0.0007, "n": 9, "effective_sample_size": 9.0},
        "coefficients": {"1": {"value": 0.4452, "error": 0.0007}, "c_tG": {"value": 1e-20, "error": 1e-20}},
        "channels": {"21 21": {"value": 0.3, "error": 0.001}, "1 -1": {"value": 0.1, "error": 0.001}},
        "unweighting": {"points": 5000, "unweighting_efficiency": 0.634, "overweight_fraction": 0.00081,
                        "maximum_weight": 2.0, "largest_weight": 3.0},
    }  # fmt: skip
    path = tmp_path / "generation.json"
    path.write_text(json.dumps(record))
    page = build_report(make_store(30), tmp_path / "report", NUMBERS_ONLY, generation=path)
    tables = results(page.parent)["generation"]["tables"]
    assert ["Unweighting efficiency ⟨w⟩/w_max [%]", "63.4"] in tables[0]["rows"]
    assert ["Largest over maximum weight", "1.5"] in tables[0]["rows"]
    assert tables[1]["rows"] == [["1", "0.44520 ± 0.00070"], ["c_tG", "0 (to rounding)"]]
    assert tables[2]["rows"][0] == ["21 21", "0.3000 ± 0.0010", "75.00 %"]
    path.write_text("{")
    with pytest.raises(EventFileError, match="not a record of a generation"):
        build_report(make_store(30), tmp_path / "report", NUMBERS_ONLY, generation=path)
    path.write_text("[]")
    with pytest.raises(EventFileError, match="must hold a JSON object, got a list"):
        build_report(make_store(30), tmp_path / "report", NUMBERS_ONLY, generation=path)
    with pytest.raises(EventFileError, match="cannot read the record"):
        build_report(make_store(30), tmp_path / "report", NUMBERS_ONLY, generation=tmp_path / "none.json")


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"sections": ("cut_flwo",)}, ConfigError, "no section 'cut_flwo'; did you mean cut_flow"),
        ({"binnings": {"jet_ptt": {"edges": (0, 1)}}}, ConfigError, "no variable 'jet_ptt'; did you mean .*jet_pt"),
        ({"theta": ({"c_tg": 1.0},)}, ParameterError, "unknown theory parameter 'c_tg'"),
        ({"reference": {"kappa": 1.0}}, ParameterError, "unknown theory parameter 'kappa'"),
    ],
)
def test_configuration_that_does_not_fit_the_events(
    make_store: Maker, tmp_path: Path, options: dict[str, object], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        build_report(make_store(10), tmp_path / "report", ReportConfig.model_validate(options))


def test_binnings_of_the_configuration_are_used(make_store: Maker, tmp_path: Path) -> None:
    options = {"formats": (), "sections": ("jets",), "binnings": {"jet_pt": {"bins": 3, "low": 0, "high": 90}}}
    page = build_report(make_store(50), tmp_path / "report", ReportConfig.model_validate(options))
    assert results(page.parent)["jets"]["results"]["jet_pt all jets"]["edges"] == [0, 30, 60, 90]


def test_output_that_cannot_be_written(make_store: Maker, tmp_path: Path) -> None:
    (tmp_path / "report").write_text("a file where a folder should be")
    with pytest.raises(OutputError, match="cannot write"):
        build_report(make_store(10), tmp_path / "report", NUMBERS_ONLY)


def test_progress_counts_the_events(make_store: Maker, tmp_path: Path) -> None:
    class Recorder:
        def __init__(self) -> None:
            self.totals: dict[str, list[int]] = {}

        def start(self, description: str, total: int | None, unit: str, done: int = 0) -> None:
            self.now = description
            self.totals[description] = [total or 0, 0]

        def advance(self, amount: int = 1, **figures: float | str) -> None:
            self.totals[self.now][1] += amount

        def finish(self) -> None:
            pass

    progress = Recorder()
    build_report(make_store(40), tmp_path / "report", NUMBERS_ONLY, progress=progress)
    assert progress.totals == {"reading events": [40, 40], "drawing the report": [2, 2]}


def test_text_from_a_file_cannot_become_markup(make_store: Maker, tmp_path: Path) -> None:
    config = ReportConfig(title="<script>alert(1)</script>", formats=(), sections=("summary",))
    text = build_report(make_store(10), tmp_path / "report", config).read_text()
    assert "<script>alert" not in text
    assert text.count("<script") == 1  # that of the page
    assert "&lt;script&gt;" in text
