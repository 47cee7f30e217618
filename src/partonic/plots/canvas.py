"""Empty figures with the headline, and how they are written to disk: whole or absent, and the same at every run.

Figures are made without `pyplot`, which keeps every figure in memory until it is closed by hand; these are freed when
nothing refers to them.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from partonic.errors import OutputError
from partonic.files import atomic_output

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["Headline", "canvas", "figure_files", "remark", "save_figure", "write_file"]

PNG_RESOLUTION: Final = 110
"""Dots per inch of PNG and WebP files."""

_TOP, _BOTTOM, _RIGHT, _GAP, _LOWER_HEIGHT = 0.38, 0.62, 0.34, 0.09, 1.25
"""Margins, distance between panels, and height that a lower panel adds, in inches."""

_REPRODUCIBLE: Final[dict[str, dict[str, None]]] = {
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
    "png": {"Software": None},
    "svg": {"Date": None, "Creator": None},
    "webp": {},
}


@dataclass(frozen=True)
class Headline:
    r"""What is written above the axes.

    Attributes:
        qualifier: beside the name of the package, e.g. ``"simulation"``.
        right: flush right, e.g. ``"$\sqrt{s}$ = 13 TeV"``; empty for nothing.
    """

    qualifier: str = "simulation"
    right: str = ""

    def draw(self, axes: "Axes") -> None:
        """Write the headline above `axes`."""
        name = axes.annotate("partonic", (0, 1), (0, 5), "axes fraction", "offset points", fontsize=15, weight="bold")
        axes.annotate(self.qualifier, (1, 0), (5, 0), name, "offset points", fontsize=12.5, style="italic", va="bottom")
        axes.annotate(self.right, (1, 1), (0, 5), "axes fraction", "offset points", fontsize=12.5, ha="right")


def canvas(
    headline: Headline, lower_panels: int = 0, size: tuple[float, float] = (6.4, 5.0), left: float = 0.92
) -> "tuple[Figure, list[Axes]]":
    """Return a figure with a main panel and `lower_panels` flat ones below it that share its x axis.

    Margins are fixed, so that the frames of all figures of a page agree (and no time goes into a layout engine).

    Args:
        headline: written above the main panel.
        lower_panels: number of panels below the main one; each adds 1.25 inches.
        size: width and height of the figure without lower panels, inches.
        left: margin left of the axes, inches.
    """
    from matplotlib.figure import Figure

    width, height = size[0], size[1] + _LOWER_HEIGHT * lower_panels
    figure = Figure(figsize=(width, height), dpi=PNG_RESOLUTION)
    panels: list[Axes] = []
    top = height - _TOP
    for number in range(1 + lower_panels):
        inner = _LOWER_HEIGHT - _GAP if number else size[1] - _TOP - _BOTTOM
        place = (left / width, (top - inner) / height, (width - left - _RIGHT) / width, inner / height)
        panels.append(figure.add_axes(place, sharex=panels[0] if panels else None))
        top -= inner + _GAP
    for panel in panels[:-1]:
        panel.tick_params(labelbottom=False)
    headline.draw(panels[0])
    return figure, panels


def remark(axes: "Axes", text: str) -> None:
    """Write a remark, e.g. on the overflow, upright along the right side of `axes`, where no data are."""
    axes.annotate(
        text, (1, 0), (4, 0), "axes fraction", "offset points", fontsize=8.5, color="0.35", rotation=90, va="bottom"
    )


def figure_files(figure: "Figure", formats: Sequence[str]) -> dict[str, bytes]:
    """Return the content of the file of `figure` in each format. Call inside `figure_style`.

    Raises:
        OutputError: if a format is unknown.
    """
    if unknown := [kind for kind in formats if kind not in _REPRODUCIBLE]:
        raise OutputError(f"figures can be written as {', '.join(_REPRODUCIBLE)}, not as {', '.join(unknown)}")
    contents: dict[str, bytes] = {}
    pixels: NDArray[np.uint8] | None = None
    for kind in formats:
        if kind in _VECTORS:
            contents[kind] = _vectors(figure, kind)
        else:
            pixels = _pixels(figure) if pixels is None else pixels  # drawn once: that is most of the time of a report
            contents[kind] = _image(pixels, kind)
    return contents


_VECTORS = ("pdf", "svg")


def _pixels(figure: "Figure") -> NDArray[np.uint8]:
    """Return the pixels `(height, width, 4)` of a figure."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    figure.set_dpi(PNG_RESOLUTION)  # those that draw vectors leave another one behind
    agg: Any = FigureCanvasAgg(figure)
    agg.draw()
    pixels: NDArray[np.uint8] = np.array(agg.buffer_rgba())
    return pixels


def _vectors(figure: "Figure", kind: str) -> bytes:
    # The canvases write directly: `Figure.savefig` would draw everything twice, which is most of the time of a report.
    from matplotlib.backends.backend_pdf import FigureCanvasPdf
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    buffer = io.BytesIO()
    figure.set_dpi(PNG_RESOLUTION)
    write: Any = FigureCanvasPdf(figure).print_pdf if kind == "pdf" else FigureCanvasSVG(figure).print_svg
    write(buffer, metadata=_REPRODUCIBLE[kind])
    return buffer.getvalue()


def _image(pixels: NDArray[np.uint8], kind: str) -> bytes:
    """Return pixels as PNG, or as WebP for a page that holds many figures: a quarter of the size.

    The colours of WebP are rounded to 6 bits a channel, which nobody sees, with black and white kept; nothing else is
    lost.
    """
    from matplotlib import image

    imsave: Any = image.imsave
    buffer = io.BytesIO()
    if kind == "png":
        imsave(buffer, pixels, format="png", dpi=PNG_RESOLUTION, metadata=_REPRODUCIBLE["png"])
        return buffer.getvalue()
    colours = pixels[..., :3]
    rounded = (colours & 0xFC) | (colours >> 6)
    imsave(buffer, rounded, format="webp", pil_kwargs={"lossless": True, "quality": 80, "method": 4})
    return buffer.getvalue()


def save_figure(figure: "Figure", folder: Path, name: str, formats: Sequence[str]) -> list[Path]:
    """Write `figure` as ``<folder>/<name>.<format>`` in each format and return the paths. Call inside `figure_style`.

    Raises:
        OutputError: if a format is unknown or a file cannot be written.
    """
    contents = figure_files(figure, formats)
    return [write_file(folder / f"{name}.{kind}", content) for kind, content in contents.items()]


def write_file(path: Path, content: bytes) -> Path:
    """Write `content` to `path`, whole or not at all, and return `path`.

    Raises:
        OutputError: if it cannot be written.
    """
    with atomic_output(path) as temporary:
        temporary.write_bytes(content)
    return path
