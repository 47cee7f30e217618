"""The data of a figure as they were drawn: curves, points with errors, steps, bands, maps and contours of every panel.

They are read off the finished figure, so that no figure lacks them and none says anything else than what one sees.
Labels are those of the figure, mathematics included.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["figure_data"]

_DIGITS = 7
"""Significant digits: more than a figure can show, and the same on every machine."""


def figure_data(figure: "Figure") -> dict[str, Any]:
    """Return the data of each panel, JSON-like; NaN and infinities as None.

    Panels have the titles and ranges of their axes, and ``items``: each with its ``kind``, its ``label`` in the legend
    (empty without), and numbers in the units of the axes.
    """
    panels = [axes for axes in figure.axes if axes.get_visible() and axes.get_label() != "<colorbar>"]
    return {"panels": [_panel(axes) for axes in panels]}


def _panel(axes: "Axes") -> dict[str, Any]:
    return {
        "x": {"title": axes.get_xlabel(), "range": _numbers(axes.get_xlim()), "scale": axes.get_xscale()},
        "y": {"title": axes.get_ylabel(), "range": _numbers(axes.get_ylim()), "scale": axes.get_yscale()},
        "texts": [text.get_text() for text in axes.texts if text.get_text() and text.get_text() != "partonic"],
        "items": list(_items(axes)),
    }


def _items(axes: "Axes") -> Iterator[dict[str, Any]]:
    from matplotlib.container import BarContainer, ErrorbarContainer

    told: set[Artist] = set()
    for container in axes.containers:
        told |= set(container.get_children())
        if isinstance(container, ErrorbarContainer):
            yield _points(container)
        elif isinstance(container, BarContainer):
            yield _bars(container)
    for artist in (*axes.patches, *axes.lines, *axes.collections):
        item = None if artist in told or not artist.get_visible() else _item(artist, axes)
        if item is not None:
            yield item


def _item(artist: "Artist", axes: "Axes") -> dict[str, Any] | None:
    """Return what an artist shows; None for decoration such as lines across the panel."""
    from matplotlib.collections import PolyCollection, QuadMesh
    from matplotlib.contour import ContourSet
    from matplotlib.lines import Line2D
    from matplotlib.patches import StepPatch

    head = {"label": _label(artist)}
    if isinstance(artist, StepPatch):
        values, edges, _ = artist.get_data()
        return {"kind": "steps", **head, "edges": _numbers(edges), "values": _numbers(values)}
    if isinstance(artist, Line2D):
        x, y = artist.get_data(orig=False)
        if artist.get_transform() != axes.transData:
            return None
        return {
            "kind": "line" if artist.get_linestyle() != "None" else "points",
            **head,
            "x": _numbers(x),
            "y": _numbers(y),
        }
    if isinstance(artist, QuadMesh):
        corners = np.asarray(artist.get_coordinates())
        cells = np.ma.filled(np.ma.asarray(artist.get_array(), dtype=np.float64), np.nan)
        sides = {"x_edges": _numbers(corners[0, :, 0]), "y_edges": _numbers(corners[:, 0, 1])}
        return {"kind": "map", **head, **sides, "values": _numbers(cells.reshape(corners.shape[0] - 1, -1))}
    if isinstance(artist, ContourSet):
        paths = [[_numbers(part) for part in path.to_polygons(closed_only=False)] for path in artist.get_paths()]
        return {"kind": "contours", **head, "levels": _numbers(artist.levels), "paths": paths}
    if isinstance(artist, PolyCollection):
        return {"kind": "bands", **head, "outlines": [_numbers(path.vertices) for path in artist.get_paths()]}
    return None


def _points(container: Any) -> dict[str, Any]:
    """Return points with the ends of their error bars; bars alone have no points."""
    line, _, bars = container.lines
    found: dict[str, Any] = {"kind": "points", "label": _label(container)}
    if line is not None:
        x, y = line.get_data(orig=False)
        found |= {"x": _numbers(x), "y": _numbers(y)}
    names = [name for name, there in (("x", container.has_xerr), ("y", container.has_yerr)) if there]
    for name, segments in zip(names, bars, strict=True):
        # A point without a finite error has a segment without ends.
        ends = [np.reshape(segment, (-1, 2))[:, "xy".index(name)] for segment in segments.get_segments()]
        found[f"{name}_low"] = _numbers([end.min(initial=np.inf) for end in ends])
        found[f"{name}_high"] = _numbers([end.max(initial=-np.inf) for end in ends])
    return found


def _bars(container: Any) -> dict[str, Any]:
    boxes = [patch.get_bbox() for patch in container.patches]
    return {
        "kind": "bars", "label": _label(container),
        "x_low": _numbers([box.x0 for box in boxes]), "x_high": _numbers([box.x1 for box in boxes]),
        "y_low": _numbers([box.y0 for box in boxes]), "y_high": _numbers([box.y1 for box in boxes]),
    }  # fmt: skip


def _label(artist: Any) -> str:
    label = str(artist.get_label() or "")
    return "" if label.startswith("_") else label


def _numbers(values: Any) -> list[Any]:
    """Return nested lists of numbers with `_DIGITS` digits, None where not finite."""
    array: NDArray[np.float64] = np.asarray(values, dtype=np.float64)
    if array.ndim > 1:
        return [_numbers(row) for row in array]
    return [float(f"{value:.{_DIGITS}g}") if np.isfinite(value) else None for value in array]
