import math

import pytest

from partonic.report.content import number_with_error, percent_with_error


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        (0.40132, 0.00123, "0.4013 ± 0.0012"),
        (12.0, 3.4, "12.0 ± 3.4"),
        (1234.5, 67.0, "1234 ± 67"),
        (0.0996, 0.00996, "0.100 ± 0.010"),
        (-0.5, 0.1, "−0.50 ± 0.10"),
        (4.0, 1e-11, "4"),
        (4.0, 0.0, "4"),
        (0.0, 0.0, "0"),
        (0.0, 0.02, "0.000 ± 0.020"),
        (2.5e-7, 1e-8, "(2.50 ± 0.10)·10⁻⁷"),
        (3.21e8, 1.5e7, "(3.21 ± 0.15)·10⁸"),
    ],
)
def test_value_and_error_end_at_the_same_place(value: float, error: float, text: str) -> None:
    assert number_with_error(value, error) == text
    assert number_with_error(value, error, "pb") == f"{text} pb"


@pytest.mark.parametrize(
    ("value", "below", "above", "text"),
    [
        (0.1234, 0.0031, 0.0032, "12.34 +0.32 −0.31 %"),
        (0.5, 0.0101, 0.0102, "50.0 ± 1.0 %"),
        (1.0, 0.01, 0.0, "100.0 +0.0 −1.0 %"),
        (math.nan, math.nan, math.nan, "–"),
    ],
)
def test_percentages(value: float, below: float, above: float, text: str) -> None:
    assert percent_with_error(value, below, above) == text
