import io
from pathlib import Path

import numpy as np
import pytest

from partonic.errors import OutputError
from partonic.plots import Axis, Curve, Headline, Panel, draw_panels, figure_style, save_figure
from partonic.plots.canvas import figure_files

AXIS = Axis("x", r"$p_\mathrm{T}$", (0.0, 1.0, 2.0), "GeV")


def draw():
    panel = Panel((Curve("κ = +1", np.array([1.0, 2.0]), below=np.array([0.1, 0.2])),), "events")
    return draw_panels(AXIS, panel, headline=Headline(right=r"$\sqrt{s}$ = 13 TeV"))


@pytest.mark.parametrize(
    ("kind", "begin"), [("png", b"\x89PNG"), ("pdf", b"%PDF"), ("svg", b"<?xml"), ("webp", b"RIFF")]
)
def test_the_same_figure_gives_the_same_bytes(kind: str, begin: bytes) -> None:
    with figure_style():
        first, second = figure_files(draw(), [kind])[kind], figure_files(draw(), [kind])[kind]
    assert first == second
    assert first.startswith(begin)


def test_pdf_is_vector_graphics() -> None:
    with figure_style():
        assert b"/Subtype /Image" not in figure_files(draw(), ["pdf"])["pdf"]


def test_all_formats_are_saved_and_nothing_else(tmp_path: Path) -> None:
    with figure_style():
        paths = save_figure(draw(), tmp_path / "figures", "jets", ["pdf", "png"])
    assert sorted(path.name for path in (tmp_path / "figures").iterdir()) == ["jets.pdf", "jets.png"]
    assert [path.name for path in paths] == ["jets.pdf", "jets.png"]


def test_unknown_format_is_refused(tmp_path: Path) -> None:
    with figure_style(), pytest.raises(OutputError, match="png, svg, webp, not as bmp"):
        save_figure(draw(), tmp_path, "jets", ["bmp"])


def test_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "figures").write_text("a file where a folder should be")
    with figure_style(), pytest.raises(OutputError, match="cannot write"):
        save_figure(draw(), tmp_path / "figures", "jets", ["png"])


def test_figures_for_the_page_are_small_and_look_the_same() -> None:
    from matplotlib.image import imread

    with figure_style():
        contents = figure_files(draw(), ["svg", "webp", "png"])  # SVG first: it draws at another resolution
    page = imread(io.BytesIO(contents["webp"]), format="webp").astype(float)
    picture = 255 * imread(io.BytesIO(contents["png"]), format="png").astype(float)
    assert len(contents["webp"]) < 0.5 * len(contents["png"])
    assert page.shape[:2] == picture.shape[:2]
    assert np.abs(page[..., :3] - picture[..., :3]).max() <= 3.5
    assert {0.0, 255.0} <= set(np.unique(page))
