import pytest
from pydantic import ValidationError

from partonic.config.report import BinningConfig, ReportConfig


def test_defaults() -> None:
    config = ReportConfig()
    assert config.formats == ("pdf", "png")
    assert config.theta == ()
    assert config.sections == ()


def test_equal_bins_end_exactly_at_the_upper_edge() -> None:
    edges = BinningConfig(bins=3, low=0.1, high=0.7).bin_edges()
    assert edges[0] == 0.1
    assert edges[-1] == 0.7
    assert len(edges) == 4
    assert BinningConfig(edges=(0, 1, 5)).bin_edges() == (0, 1, 5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "give `edges`, or all of `bins`, `low` and `high`"),
        ({"bins": 3, "low": 0}, "give `edges`, or all of"),
        ({"edges": (0, 1), "bins": 2, "low": 0, "high": 1}, "not both"),
        ({"edges": (0,)}, "needs two or more edges"),
        ({"edges": (0, float("inf"))}, "finite number"),
        ({"edges": (0, 2, 1)}, "the edges must increase"),
        ({"bins": 2, "low": 1, "high": 0}, "the edges must increase"),
        ({"bins": 0, "low": 0, "high": 1}, "greater than or equal to 1"),
    ],
)
def test_binnings_that_make_no_sense(options: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        BinningConfig.model_validate(options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"formats": ("pdf", "pdf")}, "a format is listed twice"),
        ({"formats": ("jpg",)}, "Input should be 'pdf', 'png' or 'svg'"),
        ({"theta": tuple({"a": float(k)} for k in range(13))}, "at most 12 θ points"),
        ({"batch_size": 0}, "greater than or equal to 1"),
        ({"titel": "x"}, "Extra inputs are not permitted"),
    ],
)
def test_reports_that_make_no_sense(options: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        ReportConfig.model_validate(options)
