"""Names of coefficients as features."""

import pytest

from partonic.errors import ConfigError
from partonic.polynomial import Monomials
from partonic.sbi.stacking.names import CoefficientName, expanded_names, is_coefficient, sources_of

NAMES = ("high_level", "mem:ratios", "other:errors", "mem:R[b]")


def test_coefficients_are_written_out():
    assert [is_coefficient(name) for name in NAMES] == [False, True, True, True]
    assert sources_of(NAMES) == ("mem", "other")
    known = {"mem": Monomials.up_to_degree(("a", "b"), 1), "other": Monomials(("a",), ((1,), (2,)))}
    written = expanded_names(NAMES[:3], known)
    assert written == ("high_level", "mem:R[a]", "mem:R[b]", "other:error[a]", "other:error[a^2]")
    assert expanded_names(written, known) == written
    assert CoefficientName.parse("other:error[a^2]") == CoefficientName("other", "error", "a^2")


@pytest.mark.parametrize("name", ["mem:all", "mem:R[]", ":ratios[a]", "mem:R"])
def test_other_names_are_refused(name):
    with pytest.raises(ConfigError, match="of coefficients: expected"):
        CoefficientName.parse(name)
