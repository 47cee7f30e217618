import builtins
import itertools
from collections.abc import Sequence

import matplotlib
import pytest

from partonic.errors import DependencyError
from partonic.plots import PALETTE, figure_style


def lightness(colour: str) -> float:
    """Relative luminance of a colour (sRGB, ITU-R BT.709)."""
    channels = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_settings_of_matplotlib_come_back() -> None:
    before = dict(matplotlib.rcParams)
    with figure_style():
        assert matplotlib.rcParams["xtick.direction"] == "in"
    assert dict(matplotlib.rcParams) == before


def test_colours_are_distinct_in_grey_for_the_first_three() -> None:
    levels = sorted(lightness(colour) for colour in PALETTE[:3])
    assert len(set(PALETTE)) == len(PALETTE)
    assert min(b - a for a, b in itertools.pairwise(levels)) > 0.05


def test_missing_matplotlib_is_said_clearly(monkeypatch: pytest.MonkeyPatch) -> None:
    load = builtins.__import__

    def without(name: str, *args: object, **options: Sequence[str]) -> object:
        if name == "matplotlib":
            raise ImportError(name)
        return load(name, *args, **options)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(DependencyError, match=r"partonic\[report\]"), figure_style():
        pass
