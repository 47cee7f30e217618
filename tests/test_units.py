import pytest
import scipy.constants

from partonic.units import GEV2_TO_PB, PB_TO_FB


def test_hbar_c_squared() -> None:
    """(ħc)² from SI constants: 1 pb = 1e-40 m², 1 GeV = 1e9 e J."""
    hbar_c = scipy.constants.hbar * scipy.constants.c / (1e9 * scipy.constants.e)  # GeV m
    assert pytest.approx(hbar_c**2 / 1e-40, rel=1e-9) == GEV2_TO_PB


def test_femtobarn() -> None:
    assert PB_TO_FB == 1000.0
