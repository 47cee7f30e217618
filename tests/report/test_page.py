"""The page says first what was found, links to what is there, and holds its text without a script."""

from dataclasses import replace
from pathlib import Path

import pytest
from tests.report.records import interval
from tests.report.test_build import Page
from tests.report.test_result_box import box

from partonic.report.content import Content, Table
from partonic.report.figures import DrawnFigure, FigureFile
from partonic.report.findings import Finding
from partonic.report.page import Chapter, Part, write_page
from partonic.report.result_box import ResultBox

FIGURE = DrawnFigure("likelihood_c_tG", "−2 Δlog L against c_tG.", "data:image/webp;base64,AAAA", 640, 500,
                     (FigureFile("data", "figures/likelihood_c_tG.json"),))  # fmt: skip
TABLE = Table("Values of kappa_tilde_t^2.", ("parameter", "value"), (("delta_kappa_t", "1"),))


def written(folder: Path, found: ResultBox, *, figures: tuple[DrawnFigure, ...] = (FIGURE,)) -> str:
    fit = Part("fit", "The fit", Content(tables=(TABLE,), details={"Raw": "kappa_tilde_t"}), figures)
    events = Part("events", "Events", Content(missing=("kappa_tilde_t is not known.",)), ())
    chapters = (Chapter("inference", "Inference", True, (fit,)), Chapter("rest", "The rest", False, (events,)))
    write_page(folder / "index.html", found, chapters)
    return (folder / "index.html").read_text(encoding="utf-8")


def test_result_and_findings_come_before_the_sections(tmp_path: Path) -> None:
    findings = (Finding("fault", "fit", "kappa_tilde_t is off.", "fit"), Finding("attention", "mem", "Few.", "nowhere"))
    text = written(tmp_path, box(findings))
    found = Page(text)
    places = [text.index(part) for part in ("500 events", "What to look at", "The fit</h3>")]
    assert places == sorted(places)
    assert '<li class="fault"><span class="level">Fault, fit:</span> κ̃_t is off. <a href="#fit">show</a></li>' in text
    assert "Few.</li>" in text  # a section that is not on the page is not linked to
    anchors = {link[1:] for link in found.links if link.startswith("#")}
    assert anchors <= set(found.anchors)
    assert {"inference", "fit", "rest", "events", "figure-likelihood_c_tG"} <= anchors


def test_a_green_line_where_there_is_nothing(tmp_path: Path) -> None:
    text = written(tmp_path, box())
    assert '<li class="fine">Nothing' in text
    assert 'class="fault"' not in text


def test_first_chapters_are_unfolded(tmp_path: Path) -> None:
    text = written(tmp_path, box())
    assert "<details open>\n<summary><h3>The fit" in text
    assert "<details>\n<summary><h3>Events" in text


def test_names_are_symbols_but_where_they_are_to_be_copied(tmp_path: Path) -> None:
    fitted = box()
    of_a_point = ("Cross section at kappa_tilde_t = 0.5", "1 pb")
    text = written(tmp_path, replace(fitted, facts=(*fitted.facts, of_a_point)))
    assert "<dt>Cross section at κ̃_t = 0.5</dt>" in text
    assert "Values of κ̃_t²." in text
    assert '<th scope="row">δκ_t</th>' in text
    assert "κ̃_t is not known." in text
    assert "<pre>kappa_tilde_t</pre>" in text
    assert "fb⁻¹" in text


def test_the_parts_of_an_interval_have_a_line_each(tmp_path: Path) -> None:
    text = written(tmp_path, box(intervals={"c_tG": [interval("c_tG", 0.95, (-0.9, -0.51), (0.05, 0.45))]}))
    assert '<span class="part">[−0.90, −0.51]</span><span class="part"> ∪ [0.05, 0.45]</span>' in text
    assert "quote the interval" in text


@pytest.mark.parametrize("figures", [(FIGURE,), ()])
def test_a_likelihood_stands_in_for_a_contour(tmp_path: Path, figures: tuple[DrawnFigure, ...]) -> None:
    text = written(tmp_path, box(), figures=figures)
    assert ('<a class="contour" href="#figure-likelihood_c_tG" title="−2 Δlog L against c_tG.">' in text) is bool(
        figures
    )
    assert ('class="first plain"' in text) is not bool(figures)
    assert "statistical errors</span>" not in text


def test_the_small_contour_says_what_it_shows(tmp_path: Path) -> None:
    """Letters of its axes are too small to be read there."""
    two = replace(box(), contour=("delta_kappa_t", "kappa_tilde_t"))
    text = written(tmp_path, two, figures=(replace(FIGURE, name="contour_delta_kappa_t_kappa_tilde_t"),))
    assert "<span>κ̃_t against δκ_t, statistical errors</span></a>" in text


def test_broad_figures_take_the_whole_width(tmp_path: Path) -> None:
    text = written(tmp_path, box(), figures=(replace(FIGURE, width=1300),))
    assert '<figure id="figure-likelihood_c_tG" class="broad">' in text
    assert "broad" not in written(tmp_path, box()).partition("<body>")[2]
