import numpy as np
import pytest

from partonic.plots import Axis, Curve, Headline, Panel, draw_panels, figure_style, spectrum_panel
from partonic.plots.canvas import figure_files

AXIS = Axis.regular("pt", r"$p_\mathrm{T}$", (10, 0.0, 500.0), "GeV", logarithmic=True)
FALLING = np.exp(-AXIS.centres / 60.0)


def drawn(panel: Panel, *lower: Panel):
    with figure_style():
        figure = draw_panels(AXIS, panel, lower, headline=Headline(), note="last bin includes overflow")
        figure_files(figure, ["png"])
    return figure


@pytest.mark.parametrize("logarithmic", [True, False])
@pytest.mark.parametrize("number", [1, 4, 7])
def test_the_legend_is_never_over_the_data(logarithmic: bool, number: int) -> None:
    curves = tuple(Curve(f"curve {k}", FALLING[::-1] * (k + 1), below=0.1 * FALLING[::-1]) for k in range(number))
    axes = drawn(Panel(curves, "events", logarithmic=logarithmic, minimum=0.0)).axes[0]
    legend = axes.get_legend().get_window_extent().ymin
    top = axes.transData.transform((0.0, max(curve.span[1].max() for curve in curves)))[1]
    assert top < legend
    assert axes.get_yscale() == ("log" if logarithmic else "linear")


def test_negative_contents_are_never_hidden_by_a_logarithm() -> None:
    axes = drawn(Panel((Curve("", FALLING - 0.5),), "events", logarithmic=True)).axes[0]
    assert axes.get_yscale() == "linear"
    assert axes.get_ylim()[0] < (FALLING - 0.5).min()


def test_imprecise_bins_do_not_stretch_a_ratio_but_points_stay_in_view() -> None:
    values, errors = np.ones(10), np.full(10, 0.1)
    values[9], errors[9] = 40.0, 30.0
    steps = drawn(Panel((Curve("", values),), "events"), Panel((Curve("", values, below=errors),), "ratio", level=1.0))
    assert steps.axes[1].get_ylim()[1] < 2.0
    points = drawn(Panel((Curve("", values, below=errors, kind="points"),), "ratio"))
    assert points.axes[0].get_ylim()[1] > 40.0


def test_panels_share_the_axis_and_only_the_last_one_names_it() -> None:
    ratio = Panel((Curve("", np.ones(10), below=np.full(10, 0.1)),), "ratio", level=1.0, tag="a")
    figure = drawn(Panel((Curve("a", FALLING),), "events"), ratio, ratio)
    assert [axes.get_xlabel() for axes in figure.axes] == ["", "", r"$p_\mathrm{T}$ [GeV]"]
    assert {axes.get_xlim() for axes in figure.axes} == {(0.0, 500.0)}


@pytest.mark.parametrize("values", [np.zeros(10), np.full(10, np.nan)])
def test_empty_and_undefined_curves_are_drawn_without_complaint(values: np.ndarray) -> None:
    for kind in ("steps", "points", "line"):
        drawn(Panel((Curve("nothing", values, below=np.zeros(10), kind=kind),), "events", logarithmic=True))
    drawn(Panel((), "events"))


@pytest.mark.parametrize(
    ("size", "unit", "factor"), [(3.0, "pb", 1.0), (3e-3, "fb", 1e3), (3e-7, "ab", 1e6), (0.0, "ab", 1e6)]
)
def test_spectra_are_drawn_in_a_handy_unit(size: float, unit: str, factor: float) -> None:
    panel = spectrum_panel(AXIS, [Curve("a", size * FALLING / FALLING.max(), below=size * FALLING)])
    assert panel.title == rf"d$\sigma$ / d$p_\mathrm{{T}}$ [{unit}/GeV]"
    np.testing.assert_allclose(panel.curves[0].values, factor * size * FALLING / FALLING.max())
    np.testing.assert_allclose(panel.curves[0].below, factor * size * FALLING)


def test_multiplicities_are_per_bin() -> None:
    axis = Axis.counts("n", "number of jets", (0, 3))
    assert spectrum_panel(axis, [Curve("a", np.full(4, 2.0))]).title == r"$\sigma$ per bin [pb]"
    assert spectrum_panel(axis, [Curve("a", np.full(4, 2.0))], "events").title == "events per bin"


def test_collision_data_are_counts() -> None:
    panel = spectrum_panel(AXIS, [Curve("a", 1e-3 * FALLING)], "events")
    assert panel.title == "events per GeV"
    np.testing.assert_array_equal(panel.curves[0].values, 1e-3 * FALLING)
