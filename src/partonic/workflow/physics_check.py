"""Quick checks of the physics of an installation: one matrix element and the leading-order cross section."""

from partonic.config.analysis import AnalysisConfig
from partonic.errors import ProcessError

__all__ = ["cross_section_is_plausible", "matrix_element_agrees"]

# |M|² of gg → t t̄ H in the Standard Model from an independent generator, averaged over spins and colours, in GeV⁻², at
# α_s = 0.118, m_t = 172.5 GeV also in the Yukawa coupling, m_H = 125 GeV, G_F = 1.16639e−5 GeV⁻², beams of 400 GeV.
_TOP = (189.98283892707246, 66.1323851221861, -26.503520551324407, 35.514787388162)
_ANTITOP = (298.6044203565222, 154.24519648665674, -112.55424841536029, -151.4869973987888)
_REFERENCE = 9.904872902946052e-07
_REFERENCE_FERMI_CONSTANT = 1.16639e-5
_BEAM_ENERGY = 400.0

_POINTS = 20_000


def matrix_element_agrees(config: AnalysisConfig) -> str:
    """Compare |M|² of the Standard Model at one point with the value of an independent generator.

    Raises:
        ProcessError: if they differ by more than 1e-8.
    """
    import torch

    from partonic.physics.amplitudes.tth import TopHiggsCouplings, gluon_fusion_tth
    from partonic.physics.particles import vacuum_expectation_value

    beams = torch.tensor([(1.0, 0, 0, 1), (1, 0, 0, -1)], dtype=torch.float64) * _BEAM_ENERGY
    tops = torch.tensor([_TOP, _ANTITOP], dtype=torch.float64)
    higgs = beams.sum(dim=0, keepdim=True) - tops.sum(dim=0, keepdim=True)
    couplings = TopHiggsCouplings(vacuum_expectation_value=vacuum_expectation_value(_REFERENCE_FERMI_CONSTANT))
    alpha_s = torch.full((1,), 0.118, dtype=torch.float64)
    value = gluon_fusion_tth(couplings).coefficients(torch.cat([beams, higgs, tops])[None], alpha_s)[0, 0].item()
    if not abs(value / _REFERENCE - 1) < 1e-8:
        raise ProcessError(
            f"|M|²(gg → ttH) is {value!r} GeV⁻² where an independent generator has {_REFERENCE!r}: this installation "
            "computes wrongly; please report it with the output of `pip freeze`"
        )
    return f"|M|²(gg → ttH) is that of an independent generator to {abs(value / _REFERENCE - 1):.0e}"


def cross_section_is_plausible(config: AnalysisConfig) -> str:
    """Build the process, which reads the parton densities, and integrate it with a few thousand points.

    Raises:
        PdfError: if the PDF set is missing.
        ProcessError: if the collider energy is below threshold, or the cross section is not positive at some θ.
    """
    import torch

    from partonic.estimate import Estimate
    from partonic.physics.hard_process import build_process
    from partonic.rng import numpy_generator, torch_generator

    process = build_process(config.process)
    numbers = torch.rand(
        _POINTS, process.dimensions, dtype=torch.float64, generator=torch_generator(config.seed, "check")
    )
    events, log_jacobian = process.from_unit_cube(numbers)
    coefficients = (process.coefficients(events) * log_jacobian.exp()[:, None]).numpy()
    theta = numpy_generator(config.seed, "check").normal(size=(100, len(process.monomials.parameters)))
    lowest = (process.monomials.evaluate(theta) @ coefficients.mean(axis=0)).min()
    standard_model = Estimate.from_weights(coefficients[:, 0])
    if not (lowest > 0 and standard_model.value > 0):
        raise ProcessError(
            f"the cross section of '{process.name}' is {min(lowest, standard_model.value)} pb at some θ, but must be "
            "positive: this is a bug, please report it with the analysis file"
        )
    return (
        f"'{process.name}', θ = ({', '.join(process.monomials.parameters)}), PDF set {config.process.pdf.name}: "
        f"σ(θ = 0) = {standard_model} pb, from {_POINTS:,} points"
    )
