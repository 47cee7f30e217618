import numpy as np
import pytest

from partonic.plots.canvas import Headline, figure_files
from partonic.plots.style import figure_style
from partonic.plots.training_curves import draw_training

EPOCHS = np.arange(1.0, 11.0)
LOSSES = {"epoch": EPOCHS, "loss": 1.0 / EPOCHS, "validation": 1.1 / EPOCHS, "learning_rate": EPOCHS, "step": EPOCHS}
CONSTRAINED = {"sample_mmd": 0.1 / EPOCHS, "multiplier.sample_mmd": EPOCHS}


@pytest.mark.parametrize(("extra", "boxes"), [({}, 1), (CONSTRAINED, 3)])
def test_constraints_have_boxes_of_their_own(extra, boxes):
    with figure_style():
        figure = draw_training(LOSSES | extra, {"sample_mmd": 0.02}, headline=Headline())
        assert figure_files(figure, ["png"])["png"]
    assert len(figure.axes) == boxes
    assert [line.get_label() for line in figure.axes[0].lines] == ["training", "validation"]
    if extra:
        curve, target = figure.axes[1].lines
        assert curve.get_label() == "sample mmd"
        assert target.get_ydata()[0] == 0.02
        assert figure.axes[1].get_yscale() == "log"


def test_a_single_epoch_and_losses_that_are_not_known():
    figures = {"epoch": np.array([1.0]), "loss": np.array([np.nan]), "validation": np.array([2.0])}
    with figure_style():
        assert figure_files(draw_training(figures, {}, headline=Headline()), ["png"])["png"]
