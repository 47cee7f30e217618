import numpy as np
import pytest

from partonic.plots.canvas import Headline, figure_files
from partonic.plots.single_events import draw_correlations, draw_directions, draw_momenta
from partonic.plots.style import figure_style
from partonic.unfolding.quality.single_event import SingleEvent


def event(rng: np.random.Generator, number: int = 0, spread: float = 1.0) -> SingleEvent:
    truth = np.array([[100.0, 0.5, 1.0], [150.0, -1.0, -3.0], [80.0, 0.0, 3.1]])
    noise = rng.normal(size=(1000, 3, 3)) * np.array([20.0, 0.3, 0.4]) * spread
    samples = truth + noise
    samples[..., 0] = np.abs(samples[..., 0])
    samples[..., 2] = (samples[..., 2] + np.pi) % (2 * np.pi) - np.pi
    return SingleEvent(number, 5, truth, truth, samples.astype(np.float32))


@pytest.mark.parametrize("number", [1, 2, 5])
def test_one_box_an_event_with_the_truth_marked(rng: np.random.Generator, number: int):
    events = [event(rng, place) for place in range(number)]
    with figure_style():
        for draw in (draw_directions, draw_momenta):
            figure = draw(events, headline=Headline())
            assert figure_files(figure, ["png"])["png"]
            visible = [axes for axes in figure.axes if axes.get_visible()]
            assert len(visible) == number
            assert f"event {number - 1}, 5 jets" in [text.get_text() for text in visible[-1].texts]
        directions = draw_directions(events, headline=Headline())
    crosses = [line.get_xydata()[0].tolist() for line in directions.axes[0].lines if line.get_marker() == "x"]
    assert [0.5, 1.0] in crosses
    assert [-1.0, -3.0] in crosses


@pytest.mark.parametrize("kind", ["pt", "eta"])
def test_matrix_has_distributions_and_pairs(rng: np.random.Generator, kind: str):
    with figure_style():
        figure = draw_correlations(event(rng), kind, headline=Headline())
        assert figure_files(figure, ["png"])["png"]
    assert sum(axes.get_visible() for axes in figure.axes) == 6
    assert figure.axes[3].get_ylabel().endswith("[GeV]") == (kind == "pt")


def test_samples_that_are_all_alike_can_be_drawn(rng: np.random.Generator):
    narrow = event(rng, spread=0.0)
    with figure_style():
        for draw in (draw_directions, draw_momenta):
            assert figure_files(draw([narrow], headline=Headline()), ["png"])["png"]
