"""|M|² of gg → H t t̄ at a point, from an independent generator."""

from partonic.physics.particles import vacuum_expectation_value
from partonic.processes.definition import MatrixElementCheck
from partonic.processes.tth.amplitude import gluon_fusion_tth
from partonic.processes.tth.top_line import TopHiggsCouplings

__all__ = ["gluon_fusion"]

# In the Standard Model, averaged over spins and colours, in GeV⁻², at α_s = 0.118, m_t = 172.5 GeV also in the Yukawa
# coupling, m_H = 125 GeV, G_F = 1.16639e−5 GeV⁻², beams of 400 GeV.
_TOP = (189.98283892707246, 66.1323851221861, -26.503520551324407, 35.514787388162)
_ANTITOP = (298.6044203565222, 154.24519648665674, -112.55424841536029, -151.4869973987888)
_SQUARED = 9.904872902946052e-07
_FERMI_CONSTANT = 1.16639e-5
_BEAM = 400.0


def gluon_fusion() -> MatrixElementCheck:
    """Return the point; the Higgs boson is what the tops leave."""
    total = (2.0 * _BEAM, 0.0, 0.0, 0.0)
    energy, px, py, pz = (whole - top - antitop for whole, top, antitop in zip(total, _TOP, _ANTITOP, strict=True))
    return MatrixElementCheck(
        label="gg → ttH",
        amplitude=gluon_fusion_tth(
            TopHiggsCouplings(vacuum_expectation_value=vacuum_expectation_value(_FERMI_CONSTANT))
        ),
        momenta=((_BEAM, 0.0, 0.0, _BEAM), (_BEAM, 0.0, 0.0, -_BEAM), (energy, px, py, pz), _TOP, _ANTITOP),
        coefficients={"1": _SQUARED},
    )
