"""|M|² of u d̄ → e⁺ν μ⁻μ⁺ and u d̄ → W⁺Z at a point, from independent programs."""

from partonic.processes.definition import MatrixElementCheck
from partonic.processes.wz.amplitude import WZAmplitude
from partonic.processes.wz.on_shell import OnShellWZAmplitude

__all__ = ["four_leptons", "on_shell"]

# Averaged over spins and colours, in GeV⁻⁴, all diagrams, fixed widths, the default constants; two programs that agree
# to 1e-11. Their D = ∂ + i g W: the terms that are odd in c_WWW have the other sign here.
_MOMENTA = (
    (250.0, 0.0, 0.0, 250.0),
    (250.0, 0.0, 0.0, -250.0),
    (174.39699342952113, 12.05180428573668, 132.54017199957485, -112.70389583788949),
    (74.10921657047889, -37.313665081201115, 61.89031984551623, -16.41507503235345),
    (213.12826451922965, -7.234733774786623, -177.41763041850552, 117.87408612951907),
    (38.365525480770344, 32.496594570251055, -17.01286142658559, 11.244884740723865),
)
_COEFFICIENTS = {
    "1": 1.0954008263184172e-06,
    "c_PhiWB": 4.771787852421168e-07,
    "c_WWW": 8.561768218848331e-08,
    "c_Phiq3": 1.3428318980650385e-06,
    "c_PhiWB^2": 6.01134082866404e-08,
    "c_WWW^2": 8.679880609284757e-07,
    "c_Phiq3^2": 1.2885759769674638e-06,
}
_ON_SHELL_MOMENTA = (
    (250.0, 0.0, 0.0, 250.0),
    (250.0, 0.0, 0.0, -250.0),
    (248.14560524724, -25.262404261390977, 194.43467468610402, -129.12174864507534),
    (251.85439475276002, 25.262404261390977, -194.43467468610402, 129.12174864507534),
)
_ON_SHELL_COEFFICIENTS = {
    "1": 0.007699468903279835,
    "c_PhiWB": 0.0013223699744265034,
    "c_WWW": 0.0017037250281787455,
    "c_Phiq3": 0.012190426220338346,
    "c_PhiWB^2": 0.00011810100196039518,
    "c_WWW^2": 0.010618507962956762,
    "c_Phiq3^2": 0.01214852312997899,
}


def four_leptons() -> MatrixElementCheck:
    """Return the point."""
    return MatrixElementCheck(
        label="u d̄ → e⁺ν μ⁻μ⁺",
        amplitude=WZAmplitude((2, -1, -11, 12, 13, -13)),
        momenta=_MOMENTA,
        coefficients=_COEFFICIENTS,
        tolerance=1e-6,
    )


def on_shell() -> MatrixElementCheck:
    """Return the point of W and Z on their mass shells, dimensionless."""
    return MatrixElementCheck(
        label="u d̄ → W⁺Z",
        amplitude=OnShellWZAmplitude((2, -1, 24, 23)),
        momenta=_ON_SHELL_MOMENTA,
        coefficients=_ON_SHELL_COEFFICIENTS,
        tolerance=1e-6,
    )
