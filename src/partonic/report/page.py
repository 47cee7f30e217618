"""The HTML page: one file with everything in it, that needs no network and prints well.

It opens with the result and what to look at. Everything is there without its script, which adds buttons that copy
tables, and unfolds what is linked to or printed.
"""

import importlib.metadata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from partonic.errors import DependencyError
from partonic.files import write_text
from partonic.parameter_names import with_symbols
from partonic.report.content import Content
from partonic.report.figures import DrawnFigure
from partonic.report.result_box import ResultBox

__all__ = ["Chapter", "Part", "write_page"]


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


@dataclass(frozen=True)
class Chapter:
    """Sections under one heading.

    Attributes:
        name, title: of the group of sections.
        is_open: whether they are unfolded when the page is opened.
        parts: the sections.
    """

    name: str
    title: str
    is_open: bool
    parts: tuple[Part, ...]

    @property
    def has_figures(self) -> bool:
        """Whether there is something to see in it; events of partons alone have nothing among reconstructed ones."""
        return any(part.figures for part in self.parts)


def write_page(path: Path, box: ResultBox, chapters: Sequence[Chapter]) -> None:
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
        loader=PackageLoader("partonic.report"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    environment.filters["symbols"] = with_symbols
    version = importlib.metadata.version("partonic")
    template = environment.get_template("page.html.j2")
    anchors = {part.name for chapter in chapters for part in chapter.parts}
    figure = _main_figure(box, chapters)
    write_text(path, template.render(box=box, chapters=chapters, version=version, anchors=anchors, main_figure=figure))


def _main_figure(box: ResultBox, chapters: Sequence[Chapter]) -> DrawnFigure | None:
    """Return the main contour, or without one the likelihood of the first parameter, where the page has it."""
    wanted = [f"contour_{box.contour[0]}_{box.contour[1]}"] if box.contour else []
    wanted += [f"likelihood_{value.name}" for value in box.values]
    drawn = {each.name: each for chapter in chapters for part in chapter.parts for each in part.figures}
    return next((drawn[name] for name in wanted if name in drawn), None)
