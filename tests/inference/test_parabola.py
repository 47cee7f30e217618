import pytest

from partonic.inference.likelihood.intervals import Interval
from partonic.inference.parabola import parabola_misleads


def interval(*segments, level=0.95, **options):
    return Interval("a", level, segments, **options)


@pytest.mark.parametrize(
    ("value", "error", "found", "misleads"),
    [
        (0.0, 0.1, interval((-0.196, 0.196)), False),
        (0.0, 0.1, interval((-0.1, 0.1), level=0.68), False),
        (0.0, 0.1, interval((-0.3, 0.3)), True),  # half as long again as the curvature says
        (0.05, 0.1, interval((-0.09, 0.30)), True),  # as long, but not about the best fit
        (0.098, 0.068, interval((-0.25, 0.21)), True),  # near degeneracy: of the fit in the validation
        (0.7, 0.1, interval((-0.8, -0.5), (0.5, 0.9)), True),
        (0.0, 0.1, interval((-0.196, 0.196), open_above=True), True),
        (0.0, None, interval((-0.196, 0.196)), True),
        (0.3, 0.1, interval((-0.196, 0.196)), True),  # the best fit is outside
    ],
)
def test_a_parabola_that_misleads(value, error, found, misleads):
    assert parabola_misleads(value, error, found) == misleads
