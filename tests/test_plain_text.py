"""Letters that a terminal lacks are written out."""

import pytest

from partonic.parameter_names import parameter_text
from partonic.plain_text import in_encoding


@pytest.mark.parametrize(
    ("text", "encoding", "written"),
    [
        ("σ = 0.69 ± 0.01 pb", "ascii", "sigma = 0.69 +- 0.01 pb"),
        ("σ = 0.69 ± 0.01 pb", "latin-1", "sigma = 0.69 ± 0.01 pb"),
        ("σ = 0.69 ± 0.01 pb", "utf-8", "σ = 0.69 ± 0.01 pb"),
        ("100 fb⁻¹ at √S, |M|²(gg → tt̄H)", "ascii", "100 fb^-1 at sqrt S, |M|^2(gg -> ttbarH)"),
        ("[−1, 0] ∪ [1, 2]", None, "[-1, 0] or [1, 2]"),
        ("σ", "no-such-encoding", "sigma"),
        ("plain", "no-such-encoding", "plain"),
        ("a letter 字", "ascii", "a letter ?"),
    ],
)
def test_letters(text: str, encoding: str | None, written: str) -> None:
    assert in_encoding(text, encoding) == written


def test_symbols_of_parameters_can_be_read() -> None:
    assert in_encoding(parameter_text("kappa_tilde_t"), "ascii") == "kappa_tilde_t"
    assert in_encoding(parameter_text("delta_kappa_t"), "ascii") == "deltakappa_t"
