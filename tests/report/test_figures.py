import json
import math
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from partonic.errors import OutputError
from partonic.plots import Axis, Curve, Headline, Panel, draw_panels
from partonic.report.content import Plot
from partonic.report.figures import Art, draw_plots

PANEL = Panel((Curve("data", np.array([1.0, 2.0])),), "events")
AXIS = Axis("x", "x", (0.0, 1.0, 2.0))
PLOT = Plot("jets", "Number of jets.", partial(lambda headline: draw_panels(AXIS, PANEL, headline=headline)))


def test_embedded_figures_have_files_and_data_beside_the_page(tmp_path: Path) -> None:
    (drawn,) = draw_plots((PLOT,), Art(tmp_path, ("pdf", "png"), Headline()))
    assert drawn.source.startswith("data:image/webp;base64,")
    assert [(file.kind, file.path) for file in drawn.files] == [
        ("PDF", "figures/jets.pdf"), ("PNG", "figures/jets.png"), ("data", "figures/jets.json"),
    ]  # fmt: skip
    assert sorted(path.name for path in (tmp_path / "figures").iterdir()) == ["jets.json", "jets.pdf", "jets.png"]
    data = json.loads((tmp_path / "figures" / "jets.json").read_text())
    assert data["caption"] == "Number of jets."
    assert data["panels"][0]["items"][0]["values"] == [1.0, 2.0]
    assert math.isclose(drawn.width / drawn.height, 6.4 / 5.0, rel_tol=0.01)


def test_linked_figures_are_svg_beside_the_page(tmp_path: Path) -> None:
    (drawn,) = draw_plots((PLOT,), Art(tmp_path, (), Headline(), linked=True))
    assert drawn.source == "figures/jets.svg"
    assert (tmp_path / drawn.source).read_bytes().startswith(b"<?xml")
    assert [file.kind for file in drawn.files] == ["SVG", "data"]


@pytest.mark.parametrize("linked", [False, True])
def test_a_compact_drawing_goes_into_the_page(tmp_path: Path, linked: bool) -> None:
    drawings = []

    def compact(headline: Headline) -> object:
        drawings.append(headline)
        return PLOT.draw(headline)

    both = draw_plots((replace(PLOT, compact=compact), PLOT), Art(tmp_path, (), Headline("x", "y"), linked=linked))
    assert [drawn.small.startswith("data:image/webp;base64,") for drawn in both] == [True, False]
    assert drawings == [Headline()]


@pytest.mark.parametrize("linked", [False, True])
def test_the_same_figure_gives_the_same_files(tmp_path: Path, linked: bool) -> None:
    contents = []
    for name in ("first", "second"):
        (drawn,) = draw_plots((PLOT,), Art(tmp_path / name, ("pdf",), Headline(), linked=linked))
        files = {path.name: path.read_bytes() for path in (tmp_path / name / "figures").iterdir()}
        contents.append((drawn.source, files))
    assert contents[0] == contents[1]


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "figures").write_text("a file where a folder should be")
    with pytest.raises(OutputError, match="cannot write"):
        draw_plots((PLOT,), Art(tmp_path, (), Headline()))
