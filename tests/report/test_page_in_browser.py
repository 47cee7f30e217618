"""The page as a browser shows it: no script errors, no broken images, no scrolling sideways, the result at the top."""

from pathlib import Path

import pytest
from tests.report.browser import BROWSER, measured
from tests.report.limit_files import estimated, inferred, toy_store, write

from partonic.config.report import ReportConfig
from partonic.events.store import EventStore
from partonic.report import build_report
from partonic.report.limits import LimitFiles

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(BROWSER is None, reason="no chromium, chromium-browser or google-chrome is on the PATH"),
]

SECTIONS = ("intervals", "inference_likelihood", "cut_flow", "summary")


@pytest.fixture(scope="module")
def analysis(tmp_path_factory: pytest.TempPathFactory) -> LimitFiles:
    folder = tmp_path_factory.mktemp("analysis")
    store = EventStore.open(toy_store(folder))
    path = write(folder / "mem" / "tth.parquet", estimated(store, lost=[3, 4]), store)
    return LimitFiles({"tth": path}, store.path, inferred(folder / "infer", store.path, path))


@pytest.fixture(scope="module", params=["embedded", "linked"])
def page(request: pytest.FixtureRequest, analysis: LimitFiles, tmp_path_factory: pytest.TempPathFactory) -> Path:
    config = ReportConfig(formats=(), sections=SECTIONS, figures=request.param)
    assert analysis.store is not None
    return build_report(analysis.store, tmp_path_factory.mktemp("report"), config, limits=analysis)


@pytest.mark.parametrize("width", [1400, 800, 500])
def test_page_is_shown_without_a_fault(page: Path, width: int, tmp_path: Path) -> None:
    found = measured(page, width, tmp_path)
    assert found["errors"] == found["console"] == []
    assert found["images"] >= 6
    assert found["broken"] == 0
    assert found["window"] == width
    assert found["width"] <= width, "the page scrolls sideways"
    assert found["buttons"] > 0
    if width >= 800:
        assert found["cut"] == 0, "the table of the result is cut off"
    if width == 1400:
        assert found["findings"] < 700, "what to look at is not on the first screen"
