"""WH: the parameters of the process at reference points, charges, beams, and what g4_ZZ does not do."""

import pytest
import torch
from tests.reference.vh_points import REFERENCE

from partonic.errors import ProcessError
from partonic.physics.electroweak import ElectroweakScheme
from partonic.processes.wh.amplitude import WH_PARAMETERS, wh_amplitude

SCHEME = ElectroweakScheme()
# g₂^WW = cos²θ_W g2_ZZ = −2 (v²/Λ²) c_HW
C_HW = -0.5 * SCHEME.cosine**2 * (1000.0 / SCHEME.vacuum_expectation_value) ** 2
OPERATORS = {"c_Hq3": ("cHq3", 1.0), "g2_ZZ": ("cHW", C_HW), "g4_ZZ": ("cHWtil", C_HW)}


def values_of(amplitude, momenta):
    return dict(
        zip(amplitude.monomials.names, amplitude.coefficients(momenta, momenta.new_ones(len(momenta))).T, strict=True)
    )


@pytest.mark.parametrize("lepton", [None, 11])
def test_reference_points(lepton):
    amplitude = wh_amplitude((2, -1), lepton=lepton)
    momenta, expected = REFERENCE[amplitude.particles]
    values = values_of(amplitude, torch.tensor(momenta, dtype=torch.float64))
    assert amplitude.monomials.parameters == WH_PARAMETERS
    standard_model = values["1"]
    torch.testing.assert_close(standard_model, standard_model.new_tensor(expected["1"]), rtol=1e-10, atol=0.0)
    for name, (operator, factor) in OPERATORS.items():
        for power, suffix in ((1, ""), (2, "^2")):
            reference = factor**power * standard_model.new_tensor(expected[operator + suffix])
            error = (values[name + suffix] - reference).abs()
            assert (error <= 1e-9 * reference.abs() + 1e-12 * standard_model).all(), name + suffix
    cross = C_HW * standard_model.new_tensor(expected["cHq3*cHW"])
    torch.testing.assert_close(values["c_Hq3*g2_ZZ"], cross, rtol=1e-9, atol=0.0)


def test_charges_and_beams():
    assert wh_amplitude((2, -1)).particles == (2, -1, 25, -11, 12)
    assert wh_amplitude((1, -2), lepton=13).particles == (1, -2, 25, 13, -14)
    assert wh_amplitude((-3, 4), lepton=None).particles == (-3, 4, 25, 24)
    momenta = torch.tensor(REFERENCE[(2, -1, 25, -11, 12)][0], dtype=torch.float64)
    first = values_of(wh_amplitude((2, -1)), momenta)
    second = values_of(wh_amplitude((-1, 2)), momenta[:, [1, 0, 2, 3, 4]])
    # CP: the other charge at reflected momenta, with the opposite sign of what is odd in g4_ZZ
    conjugate = values_of(wh_amplitude((-2, 1)), momenta * torch.tensor([1.0, -1, -1, -1], dtype=torch.float64))
    for name, values in first.items():
        torch.testing.assert_close(second[name], values, rtol=1e-10, atol=1e-18)
        sign = -1.0 if name in ("g4_ZZ", "c_Hq3*g4_ZZ", "g2_ZZ*g4_ZZ") else 1.0
        torch.testing.assert_close(conjugate[name], sign * values, rtol=1e-9, atol=1e-16)


@pytest.mark.parametrize("initial", [(2, -2), (2, 1), (5, -1), (21, 2)])
def test_initial_state_without_the_charge_of_a_w(initial):
    with pytest.raises(ProcessError):
        wh_amplitude(initial)
