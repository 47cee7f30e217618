import numpy as np

from partonic.plots.canvas import Headline
from partonic.plots.statistics.comparison import ComparedCurve, ComparisonPanel, draw_comparison, styles_of
from partonic.plots.statistics.whiskers import Whisker
from partonic.plots.style import PALETTE, REFERENCE_COLOUR, figure_style


def panel(name: str) -> ComparisonPanel:
    values = np.linspace(-1.0, 1.0, 21)
    curves = {
        "truth": ComparedCurve(8 * values**2, 0.3 * values**2),
        "net": ComparedCurve(4 * values**2, 0.3 * values**2, 0.5 * values**2),
        "rate": ComparedCurve(2 * values**2),
    }
    two = Whisker((), ((-0.9, -0.5), (0.5, 0.9)))
    whiskers = {"truth": Whisker(((-0.3, 0.3),), ((-0.7, 0.7),)), "net": two, "rate": None}
    return ComparisonPanel(name, values, curves, whiskers, 0.1)


def test_every_parameter_has_its_curves_above_its_intervals() -> None:
    styles = styles_of(["truth", "net", "rate"], "truth", "rate")
    assert styles["truth"].colour == REFERENCE_COLOUR
    assert styles["net"].colour == PALETTE[0]
    with figure_style():
        figure = draw_comparison(
            [panel(name) for name in "abcd"], styles, [("68%", 1.0), ("95%", 3.84)], headline=Headline()
        )
    assert len(figure.axes) == 8
    for curves, whiskers in zip(figure.axes[::2], figure.axes[1::2], strict=True):
        assert curves.get_xlim() == whiskers.get_xlim() == (-1.0, 1.0)
        assert len(curves.collections) == 3, "two bands of the ensemble's method, one of the truth"
        above, below = curves.get_position(), whiskers.get_position()
        assert abs(above.y0 - below.y1) < 1e-9
        assert abs(above.x0 - below.x0) < 1e-9
    first_row, second_row = figure.axes[0].get_position(), figure.axes[6].get_position()
    assert second_row.y1 < figure.axes[1].get_position().y0
    assert abs(first_row.x0 - second_row.x0) < 1e-9
    assert all(axes.get_position().y0 >= 0.0 and axes.get_position().x1 <= 1.0 for axes in figure.axes)


def test_many_methods_are_told_apart() -> None:
    names = ["truth", *(f"m{number}" for number in range(8)), "rate"]
    styles = styles_of(names, "truth", "rate")
    assert list(styles) == names
    assert len({(style.colour, style.line) for style in styles.values()}) == len(names)
