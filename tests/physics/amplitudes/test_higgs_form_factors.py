"""Form factors of H with field strengths: definitions of JHEP 03 (2025) 114 and the relation between ZZ and WW."""

import pytest

from partonic.physics.amplitudes.higgs_form_factors import HiggsFormFactors
from partonic.physics.electroweak import ElectroweakScheme

SCHEME = ElectroweakScheme()
UNIT = -2.0 * (SCHEME.vacuum_expectation_value / 1000.0) ** 2


def test_ww_is_the_operator_of_w_alone():
    operators = {"c_hw": 0.7, "c_hb": -0.4, "c_hwb": 1.3}
    assert HiggsFormFactors.from_warsaw(SCHEME, **operators).ww(SCHEME) == pytest.approx(0.7 * UNIT, rel=1e-12)


def test_photon_couples_by_charge_alone():
    """W³W³ − BB and W³B in the combination s² c_HW + c² c_HB − s c c_HWB = 0 leave γγ out."""
    sine, cosine = SCHEME.sine, SCHEME.cosine
    form = HiggsFormFactors.from_warsaw(SCHEME, c_hw=cosine**2, c_hb=sine**2, c_hwb=2.0 * sine * cosine)
    assert form.gammagamma == pytest.approx(0.0, abs=1e-16)
    assert form.zgamma == pytest.approx(0.0, abs=1e-16)
    assert form.zz == pytest.approx(UNIT, rel=1e-12)
    assert form.ww(SCHEME) == pytest.approx(cosine**2 * UNIT, rel=1e-12)


def test_neutral_is_symmetric():
    assert HiggsFormFactors(1.0, 2.0, 3.0).neutral == ((1.0, 2.0), (2.0, 3.0))
