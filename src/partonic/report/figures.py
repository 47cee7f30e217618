"""The figures of a report: drawn one at a time, with their files and their data beside the page."""

import base64
import json
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from partonic.files import write_text
from partonic.plots.canvas import Headline, figure_files, write_file
from partonic.plots.figure_data import figure_data
from partonic.plots.style import figure_style
from partonic.report.content import Plot

__all__ = ["Art", "DrawnFigure", "FigureFile", "draw_plots"]


@dataclass(frozen=True)
class Art:
    """How the figures of a page are made.

    Attributes:
        folder: of the page; files of figures go to ``figures`` in it.
        formats: of the files of each figure.
        headline: above each figure.
        linked: whether the page shows SVG files beside it instead of holding its figures.
    """

    folder: Path
    formats: tuple[str, ...]
    headline: Headline
    linked: bool = False

    @property
    def kinds(self) -> list[str]:
        """What is drawn: the figure that the page shows first, then the other formats."""
        shown = "svg" if self.linked else "webp"
        return list(dict.fromkeys([shown, "png", *self.formats]))


@dataclass(frozen=True)
class FigureFile:
    """A file of a figure beside the page: what it is, and its path relative to the page."""

    kind: str
    path: str


@dataclass(frozen=True)
class DrawnFigure:
    """A figure as the page needs it.

    Attributes:
        name, caption: as in the plot.
        source: of the image: a path beside the page, or the image itself as a data URI.
        width, height: of the image, pixels.
        files: the figure and its data beside the page.
        small: source of a compact drawing for the first screen; empty if there is none.
    """

    name: str
    caption: str
    source: str
    width: int
    height: int
    files: tuple[FigureFile, ...]
    small: str = ""


def draw_plots(plots: Sequence[Plot], art: Art) -> tuple[DrawnFigure, ...]:
    """Draw `plots` one at a time, save them with their data in ``figures`` and return them for the page.

    Raises:
        OutputError: if a figure cannot be written.
        DependencyError: if matplotlib is not installed.
    """
    return tuple(_drawn(plot, art) for plot in plots)


def _drawn(plot: Plot, art: Art) -> DrawnFigure:
    with figure_style():
        figure = plot.draw(art.headline)
        contents = figure_files(figure, art.kinds)
        data = {"caption": plot.caption, **figure_data(figure)}
        small = _small(plot)
    width, height = struct.unpack(">II", contents["png"][16:24])  # the first chunk of a PNG file holds its size
    folder, kinds = art.folder / "figures", list(dict.fromkeys([*art.formats, *(["svg"] if art.linked else [])]))
    paths = [write_file(folder / f"{plot.name}.{kind}", contents[kind]) for kind in kinds]
    paths.append(folder / f"{plot.name}.json")
    write_text(paths[-1], json.dumps(data, ensure_ascii=False, allow_nan=False) + "\n")
    files = tuple(
        FigureFile(_KINDS.get(path.suffix, path.suffix[1:].upper()), f"figures/{path.name}") for path in paths
    )
    source = f"figures/{plot.name}.svg" if art.linked else _embedded(contents["webp"])
    return DrawnFigure(plot.name, plot.caption, source, width, height, files, small)


def _small(plot: Plot) -> str:
    """Return the compact drawing of a plot as a source; empty if it has none."""
    if plot.compact is None:
        return ""
    return _embedded(figure_files(plot.compact(Headline()), ["webp"])["webp"])


def _embedded(webp: bytes) -> str:
    return f"data:image/webp;base64,{base64.b64encode(webp).decode()}"


_KINDS = {".json": "data"}
