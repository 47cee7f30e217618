"""ZH: the parameters of the process at reference points, and form factors from their definition."""

import pytest
import torch
from tests.reference.vh_points import REFERENCE

from partonic.errors import ProcessError
from partonic.physics.electroweak import ElectroweakScheme
from partonic.processes.zh.amplitude import ZH_PARAMETERS, zh_amplitude

SCHEME = ElectroweakScheme()


def values_of(amplitude, momenta):
    return dict(
        zip(amplitude.monomials.names, amplitude.coefficients(momenta, momenta.new_ones(len(momenta))).T, strict=True)
    )


@pytest.mark.parametrize("quark", [1, 2])
@pytest.mark.parametrize("lepton", [None, 11])
def test_reference_points(quark, lepton):
    amplitude = zh_amplitude(quark, lepton=lepton)
    momenta, expected = REFERENCE[amplitude.particles]
    values = values_of(amplitude, torch.tensor(momenta, dtype=torch.float64))
    assert amplitude.monomials.parameters == ZH_PARAMETERS
    for name, operator in {name: name.replace("_", "") for name in ZH_PARAMETERS[:4]}.items():
        for suffix in ("", "^2"):
            reference = values["1"].new_tensor(expected[operator + suffix])
            torch.testing.assert_close(values[name + suffix], reference, rtol=1e-9, atol=1e-20)
    for name in ("1", "cHq1*cHq3"):
        reference = values["1"].new_tensor(expected[name])
        torch.testing.assert_close(values[name.replace("cH", "c_H")], reference, rtol=1e-9, atol=0.0)


@pytest.mark.parametrize("quark", [1, 2])
@pytest.mark.parametrize(("name", "dual"), [("g2_ZZ", ""), ("g4_ZZ", "til")])
def test_form_factor_from_on_shell_operators(quark, name, dual):
    """c_HW and c_HB bring ZZ and a photon that turns into Z H, which their sum does not."""
    amplitude = zh_amplitude(quark, lepton=None)
    momenta, expected = REFERENCE[amplitude.particles]
    values = values_of(amplitude, torch.tensor(momenta, dtype=torch.float64))
    # c_HW + c_HB is ZZ and γγ alone, with g^ZZ = −2 v²/Λ², and γγ leads to no Z on its mass shell
    unit = -2.0 * (SCHEME.vacuum_expectation_value / 1000.0) ** 2
    total = values["1"].new_tensor(expected[f"cHW{dual}"]) + values["1"].new_tensor(expected[f"cHB{dual}"])
    torch.testing.assert_close(values[name] * unit, total, rtol=1e-9, atol=1e-18)


def test_square_of_g4_from_on_shell_operators():
    """q_W = (c²z + sc γ)², q_B = (s²z − sc γ)², q_WB = (sc z + ½(s² − c²)γ)² of each helicity determine z².

    Only for the dual operators: c_HWB itself shifts the couplings of the Z, too.
    """
    s, c = SCHEME.sine, SCHEME.cosine
    unit = -2.0 * (SCHEME.vacuum_expectation_value / 1000.0) ** 2
    rows = [(c**2, s * c), (s**2, -s * c), (s * c, 0.5 * (s**2 - c**2))]
    matrix = torch.tensor([[z * z, 2.0 * z * g, g * g] for z, g in rows], dtype=torch.float64)
    for quark in (1, 2):
        amplitude = zh_amplitude(quark, lepton=None)
        momenta, expected = REFERENCE[amplitude.particles]
        values = values_of(amplitude, torch.tensor(momenta, dtype=torch.float64))
        squares = [values["1"].new_tensor(expected[f"c{operator}til^2"]) for operator in ("HW", "HB", "HWB")]
        of_z = torch.linalg.solve(matrix, torch.stack(squares))[0]
        torch.testing.assert_close(values["g4_ZZ^2"] * unit**2, of_z, rtol=1e-7, atol=0.0)


def test_other_particles_are_refused():
    with pytest.raises(ProcessError, match="expected a quark"):
        zh_amplitude(21)
