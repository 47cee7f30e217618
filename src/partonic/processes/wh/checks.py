"""|M|² of u d̄ → H e⁺ ν at a point, from independent programs."""

from partonic.physics.electroweak import ElectroweakScheme
from partonic.processes.definition import MatrixElementCheck
from partonic.processes.wh.amplitude import wh_amplitude

__all__ = ["up_antidown"]

# ufoamp 1.0.0 and Sherpa 3.0.3 with the model SMEFTsim_U35_MwScheme; the Standard Model also from Sherpa's own one.
_MOMENTA = (
    (125.0, 0.0, 0.0, 125.0),
    (125.0, 0.0, 0.0, -125.0),
    (143.134803118, -50.87747474323672, -42.85350580353208, -20.91964310705553),
    (86.73842837983398, 54.509806863019676, 60.25126838757994, 30.36479163846988),
    (20.12676850216601, -3.6323321197829763, -17.397762584047868, -9.445148531414356),
)
_STANDARD_MODEL = 1.3342798772995857e-05
_C_HQ3 = (1.565008460654696e-05, 4.5891216941235024e-06)
_C_HW = (1.2885210899845046e-05, 3.3358103850630804e-06)
_C_HW_DUAL = (5.0853317067477445e-06, 1.928954386298324e-06)
"""Linear and quadratic coefficients, Λ = 1 TeV; ε^{0123} = −1."""
_CROSS = 7.562133708321287e-06
"""Coefficient of c_Hq3 c_HW."""


def up_antidown() -> MatrixElementCheck:
    """Return the point, with a partonic energy of 250 GeV.

    g₂^WW = cos²θ_W g2_ZZ is c_HW = −g₂^WW Λ²/(2v²), and the same for the duals.
    """
    scheme = ElectroweakScheme()
    operator = -0.5 * scheme.cosine**2 * (1000.0 / scheme.vacuum_expectation_value) ** 2
    coefficients = {
        "1": _STANDARD_MODEL,
        "c_Hq3": _C_HQ3[0],
        "c_Hq3^2": _C_HQ3[1],
        "g2_ZZ": operator * _C_HW[0],
        "g2_ZZ^2": operator**2 * _C_HW[1],
        "g4_ZZ": operator * _C_HW_DUAL[0],
        "g4_ZZ^2": operator**2 * _C_HW_DUAL[1],
        "c_Hq3*g2_ZZ": operator * _CROSS,
    }
    return MatrixElementCheck("u d̄ → H e⁺ ν", wh_amplitude((2, -1)), _MOMENTA, coefficients)
