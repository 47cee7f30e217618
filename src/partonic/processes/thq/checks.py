"""|M|² of u b → H t d at a point, from independent generators."""

from partonic.processes.definition import MatrixElementCheck
from partonic.processes.thq.amplitude import PSEUDOSCALAR_STRENGTH, SingleTopHiggsAmplitude

__all__ = ["up_bottom"]

# Averaged over spins and colours, in GeV⁻², in powers of δκ_t = κ_e − 1 and κ̃_t = (2/3) κ_o, with all widths zero:
# ufoamp 1.0.0 with the Standard Model and a γ5 term in the ttH vertex, the first number also Sherpa 3.0.3.
_HIGGS = (152.03299773259263, -19.708160728736907, -84.24528047711958, -1.8312611993509549)
_TOP = (213.56700226740736, -83.00961858204828, 52.470947856892344, -78.80873880064904)
_LIGHT = (134.4, 102.71777931078518, 31.77433262022723, 80.64)
_STANDARD_MODEL = 2.5564701404570883e-06
_LINEAR, _QUADRATIC = 8.820296875698904e-06, 1.2411153066098176e-05
_ODD_LINEAR, _ODD_QUADRATIC = 1.4081903018268219e-06, 1.524803636760873e-06
_BEAM = 250.0


def up_bottom() -> MatrixElementCheck:
    """Return the point."""
    return MatrixElementCheck(
        label="ub → tHd",
        amplitude=SingleTopHiggsAmplitude((2, 5)),
        momenta=((_BEAM, 0.0, 0.0, _BEAM), (_BEAM, 0.0, 0.0, -_BEAM), _HIGGS, _TOP, _LIGHT),
        coefficients={
            "1": _STANDARD_MODEL - _LINEAR + _QUADRATIC,
            "kappa_e": _LINEAR - 2.0 * _QUADRATIC,
            "kappa_o": PSEUDOSCALAR_STRENGTH * _ODD_LINEAR,
            "kappa_e^2": _QUADRATIC,
            "kappa_o^2": PSEUDOSCALAR_STRENGTH**2 * _ODD_QUADRATIC,
        },
    )
