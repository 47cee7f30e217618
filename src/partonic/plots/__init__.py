"""Building blocks of figures: accumulating histograms with honest errors, and the drawings made of them.

Histograms, efficiencies and profiles are filled batch by batch and need NumPy only; matplotlib is imported when a
figure is drawn.
"""

from partonic.plots.axis import Axis
from partonic.plots.bars import draw_cut_flow
from partonic.plots.canvas import Headline, save_figure
from partonic.plots.efficiency import Efficiency, EfficiencyHistogram, efficiency
from partonic.plots.histogram import Histogram, ratio_of_independent
from partonic.plots.maps import Histogram2D, draw_map
from partonic.plots.panels import Curve, Panel, draw_panels, spectrum_panel
from partonic.plots.polynomial_histogram import PolynomialHistogram
from partonic.plots.profile import Profile, ProfilePoints, quantile_with_error
from partonic.plots.style import COLOUR_MAP, PALETTE, REFERENCE_COLOUR, figure_style

__all__ = [
    "COLOUR_MAP",
    "PALETTE",
    "REFERENCE_COLOUR",
    "Axis",
    "Curve",
    "Efficiency",
    "EfficiencyHistogram",
    "Headline",
    "Histogram",
    "Histogram2D",
    "Panel",
    "PolynomialHistogram",
    "Profile",
    "ProfilePoints",
    "draw_cut_flow",
    "draw_map",
    "draw_panels",
    "efficiency",
    "figure_style",
    "quantile_with_error",
    "ratio_of_independent",
    "save_figure",
    "spectrum_panel",
]
