import math

import pytest

from partonic.errors import ProcessError
from partonic.physics.electroweak import ElectroweakScheme, charge_of, isospin_of


def test_charges_of_a_generation_and_their_antiparticles():
    assert [charge_of(pdg) for pdg in (2, 1, 12, 11, 24)] == pytest.approx([2 / 3, -1 / 3, 0, -1, 1])
    assert all(charge_of(-pdg) == -charge_of(pdg) for pdg in (1, 2, 5, 6, 11, 13, 24))
    # The gauge anomaly cancels: charges of a generation, three colours each, sum to zero.
    assert 3 * (charge_of(2) + charge_of(1)) + charge_of(12) + charge_of(11) == pytest.approx(0)


def test_couplings_obey_the_relations_of_the_scheme():
    scheme = ElectroweakScheme()
    g, e = scheme.weak_coupling, scheme.electric_charge
    assert scheme.vacuum_expectation_value == pytest.approx(246.22, abs=0.01)
    assert 1 / e**2 == pytest.approx(1 / g**2 + 1 / scheme.hypercharge_coupling**2)
    assert g**2 / (8 * scheme.w_mass**2) == pytest.approx(scheme.fermi_constant / math.sqrt(2))
    for pdg in (1, 2, 11, 12):
        left, right = scheme.z_couplings(pdg)
        assert left - right == pytest.approx(g / scheme.cosine * isospin_of(pdg))
    assert scheme.z_couplings(12)[1] == 0


@pytest.mark.parametrize(
    "call", [lambda: charge_of(21), lambda: isospin_of(-2), lambda: ElectroweakScheme(w_mass=95.0)]
)
def test_what_has_no_coupling_is_refused(call):
    with pytest.raises(ProcessError, match=r"expected|needs"):
        call()
