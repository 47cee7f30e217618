import pytest

from partonic.plots.canvas import Headline, figure_files
from partonic.plots.grid import SHARED, box_tag, grid
from partonic.plots.style import figure_style


def test_boxes_have_the_size_asked_for_and_fill_the_figure_row_by_row():
    with figure_style():
        figure, boxes = grid(Headline("simulation", "13 TeV"), (2, 3), (2.0, 1.5), (0.5, 0.4))
        places = [axes.get_position() for axes in boxes]
        width, height = figure.get_size_inches()
        box_tag(boxes[4], "a box")
        assert figure_files(figure, ["png"])["png"].startswith(b"\x89PNG")
    assert len(boxes) == 6
    for place in places:
        assert place.width * width == pytest.approx(2.0)
        assert place.height * height == pytest.approx(1.5)
    assert (places[1].x0 - places[0].x1) * width == pytest.approx(0.5)
    assert (places[0].y0 - places[3].y1) * height == pytest.approx(0.4)
    assert min(place.x0 for place in places) > 0.0 < min(place.y0 for place in places)
    assert max(place.x1 for place in places) < 1.0 > max(place.y1 for place in places)


def test_numbers_of_shared_axes_are_at_the_outer_boxes_only():
    with figure_style():
        figure, boxes = grid(Headline(), (2, 2), distance=SHARED)
        figure_files(figure, ["png"])
        shown = [
            (axes.xaxis.get_tick_params()["labelbottom"], axes.yaxis.get_tick_params()["labelleft"]) for axes in boxes
        ]
    assert shown == [(False, True), (False, False), (True, True), (True, False)]
