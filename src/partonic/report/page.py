"""The HTML page: one file with everything in it, that needs no network and prints well."""

import base64
import importlib.metadata
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from partonic.errors import DependencyError
from partonic.files import write_text
from partonic.plots.canvas import Headline, figure_files, write_file
from partonic.plots.style import figure_style
from partonic.report.content import Content, Plot

__all__ = ["DrawnFigure", "Part", "draw_plots", "write_page"]


@dataclass(frozen=True)
class FigureFile:
    """A figure as a file beside the page: its format, and its path relative to the page."""

    kind: str
    path: str


@dataclass(frozen=True)
class DrawnFigure:
    """A figure as the page needs it.

    Attributes:
        name, caption: as in the plot.
        image: PNG file in base64.
        width, height: of the image, pixels.
        files: the figure beside the page.
    """

    name: str
    caption: str
    image: str
    width: int
    height: int
    files: tuple[FigureFile, ...]


@dataclass(frozen=True)
class Part:
    """A section with its figures drawn.

    Attributes:
        name, title: of the section.
        content: what it shows.
        figures: its plots, drawn.
    """

    name: str
    title: str
    content: Content
    figures: tuple[DrawnFigure, ...]


def draw_plots(
    plots: Sequence[Plot], folder: Path, formats: Sequence[str], headline: Headline
) -> tuple[DrawnFigure, ...]:
    """Draw `plots` one at a time, save them in ``<folder>/figures`` and return them for the page.

    Raises:
        OutputError: if a figure cannot be written.
        DependencyError: if matplotlib is not installed.
    """
    return tuple(_drawn(plot, folder, formats, headline) for plot in plots)


def _drawn(plot: Plot, folder: Path, formats: Sequence[str], headline: Headline) -> DrawnFigure:
    with figure_style():
        figure = plot.draw(headline)
        contents = figure_files(figure, list(dict.fromkeys(["png", *formats])))
    image = contents["png"]
    width, height = struct.unpack(">II", image[16:24])  # the first chunk of a PNG file holds its size
    paths = [write_file(folder / "figures" / f"{plot.name}.{kind}", contents[kind]) for kind in formats]
    files = tuple(FigureFile(path.suffix[1:].upper(), f"figures/{path.name}") for path in paths)
    return DrawnFigure(plot.name, plot.caption, base64.b64encode(image).decode(), width, height, files)


def write_page(path: Path, title: str, lead: str, parts: Sequence[Part]) -> None:
    """Write the page.

    Raises:
        OutputError: if it cannot be written.
        DependencyError: if jinja2 is not installed.
    """
    try:
        from jinja2 import Environment, PackageLoader, StrictUndefined
    except ImportError as error:
        msg = "the report needs jinja2, which is not installed: pip install 'partonic[report]'"
        raise DependencyError(msg) from error
    environment = Environment(
        loader=PackageLoader("partonic.report"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    version = importlib.metadata.version("partonic")
    write_text(
        path, environment.get_template("page.html.j2").render(title=title, lead=lead, parts=parts, version=version)
    )
