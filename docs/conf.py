"""How Sphinx builds this documentation: ``make docs``, with warnings as errors."""

import sys
from pathlib import Path

from sphinx.application import Sphinx

import partonic

sys.path.insert(0, str(Path(__file__).parent))

from api_pages import PlainDocstrings, write_api_pages
from notebooks import write_notebook_pages

project = "partonic"
author = "The partonic developers"
copyright = "2026, the partonic authors"  # noqa: A001 (as Sphinx has it)
version = release = partonic.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.mathjax"]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = f"partonic {version}"

myst_enable_extensions = ["amsmath", "colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3

# Several classes have an attribute `name`; Sphinx cannot know which one a docstring means, and need not link it.
suppress_warnings = ["ref.python"]

default_role = "code"
autodoc_member_order = "bysource"
autodoc_default_options = {"members": True, "exclude-members": "model_config"}
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True

write_api_pages(Path(__file__).parent / "reference" / "api")
write_notebook_pages(Path(__file__).parent / "tutorials")


def setup(app: Sphinx) -> None:
    """Let docstrings write |M|² and p**2 as they are read."""
    docstrings = PlainDocstrings()
    app.connect("autodoc-process-docstring", docstrings.keep, priority=100)
    app.connect("autodoc-process-docstring", docstrings.escape_signs, priority=900)
