"""The look of the figures: large ticks on all four sides, sans-serif letters, colours for the colour-blind too.

The colours are the six of M. A. Petroff, arXiv:2107.02270. Letters are TeX Gyre Heros where the fonts of `mplhep` are
installed and DejaVu Sans, which ships with matplotlib, elsewhere.
"""

import contextlib
import functools
import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from partonic.errors import DependencyError

__all__ = ["COLOUR_MAP", "PALETTE", "REFERENCE_COLOUR", "SIGNED_MAP", "figure_style"]

PALETTE: Final = ("#5790fc", "#f89c20", "#e42536", "#964a8b", "#9c9ca1", "#7a21dd")
"""Colours of curves, in the order of use."""

REFERENCE_COLOUR: Final = "#1b1b1b"
"""Colour of the curve that others are compared with."""

COLOUR_MAP: Final = "cividis"
"""Colour map of two-dimensional maps: monotone in lightness, the same to the colour-blind."""

SIGNED_MAP: Final = "RdBu_r"
"""Colour map of what has a sign: white at 0, red above, blue below, told apart by the colour-blind too."""

_FONT_FILES: Final = tuple(f"texgyreheros-{face}.otf" for face in ("regular", "bold", "italic", "bolditalic"))

_PARAMETERS: Final[dict[str, Any]] = {
    "axes.axisbelow": False,
    "axes.labelsize": 13,
    "axes.linewidth": 1.1,
    "errorbar.capsize": 0,
    "figure.dpi": 100,
    "figure.facecolor": "white",
    "font.size": 12,
    "legend.fontsize": 10.5,
    "legend.frameon": False,
    "legend.handlelength": 1.6,
    "lines.linewidth": 1.6,
    "mathtext.fallback": "stixsans",
    "patch.linewidth": 1.6,
    "svg.hashsalt": "partonic",
    "xaxis.labellocation": "right",
    "yaxis.labellocation": "top",
    "xtick.direction": "in",
    "ytick.direction": "in",
    "xtick.top": True,
    "ytick.right": True,
    "xtick.minor.visible": True,
    "ytick.minor.visible": True,
    "xtick.major.size": 7,
    "ytick.major.size": 7,
    "xtick.minor.size": 3.5,
    "ytick.minor.size": 3.5,
    "xtick.labelsize": 11.5,
    "ytick.labelsize": 11.5,
}


@contextlib.contextmanager
def figure_style() -> Iterator[None]:
    """Draw and save figures in the style of the package inside the block; matplotlib's own settings come back after.

    Raises:
        DependencyError: if matplotlib is not installed.
    """
    try:
        import matplotlib
    except ImportError as error:
        msg = "figures need matplotlib, which is not installed: pip install 'partonic[report]'"
        raise DependencyError(msg) from error
    settings: dict[Any, Any] = dict(matplotlib.rcParamsDefault) | _PARAMETERS | _font_parameters()
    with matplotlib.rc_context(settings):
        yield


@functools.cache
def _font_parameters() -> dict[str, Any]:
    from matplotlib import font_manager

    found = importlib.util.find_spec("mplhep_data")
    places = list(found.submodule_search_locations or ()) if found else []
    for place in places:
        files = [Path(place) / "fonts" / "texgyreheros" / name for name in _FONT_FILES]
        if all(file.is_file() for file in files):
            for file in files:
                font_manager.fontManager.addfont(file)
            name = "TeX Gyre Heros"
            return {
                "font.family": [name, "DejaVu Sans"],
                "mathtext.fontset": "custom",
                "mathtext.rm": name,
                "mathtext.it": f"{name}:italic",
                "mathtext.bf": f"{name}:bold",
                "mathtext.cal": name,
                "mathtext.sf": name,
                "mathtext.tt": name,
            }
    return {"font.family": "DejaVu Sans", "mathtext.fontset": "dejavusans"}
