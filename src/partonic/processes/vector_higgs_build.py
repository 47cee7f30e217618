"""pp → V H joined from its amplitudes: densities, scale, and the map that follows the resonance V."""

from collections.abc import Sequence

from partonic.physics.electroweak import ElectroweakScheme
from partonic.physics.hard_process import AmplitudeGroup, HardProcess
from partonic.physics.particles import Particle
from partonic.physics.pdf import PartonDensities
from partonic.physics.phasespace.associated_resonance import AssociatedResonance
from partonic.physics.phasespace.breit_wigner import BreitWigner
from partonic.physics.scales import FixedScale, PartonicEnergyScale, Scale
from partonic.processes.vector_higgs_settings import VectorHiggsConfig

__all__ = ["electroweak_scheme", "vector_higgs_process"]


def electroweak_scheme(settings: VectorHiggsConfig) -> ElectroweakScheme:
    """Return masses, widths and couplings of the settings."""
    return ElectroweakScheme(
        settings.w_mass, settings.z_mass, settings.fermi_constant, settings.w_width, settings.z_width
    )


def vector_higgs_process(
    settings: VectorHiggsConfig,
    final_state: Sequence[Particle],
    groups: Sequence[AmplitudeGroup],
    resonance: BreitWigner,
) -> HardProcess:
    """Return the process.

    Args:
        settings: of WH or ZH.
        final_state: H and two leptons, or H and V.
        groups: amplitudes with their channels.
        resonance: mass and width of V.
    """
    cube = None
    if settings.is_decayed:
        cube = AssociatedResonance(
            settings.higgs_mass, resonance, settings.lepton_pair_mass_range, settings.collider_energy
        )
    return HardProcess(
        name=settings.name,
        final_state=tuple(final_state),
        groups=tuple(groups),
        densities=PartonDensities(settings.pdf.name, folder=settings.pdf.folder, member=settings.pdf.member),
        collider_energy=settings.collider_energy,
        factorization_scale=_scale(settings, resonance.mass, settings.factorization_scale_factor),
        renormalization_scale=_scale(settings, resonance.mass, settings.renormalization_scale_factor),
        cube=cube,
    )


def _scale(settings: VectorHiggsConfig, vector_mass: float, factor: float) -> Scale:
    if settings.scale == "invariant_mass":
        return PartonicEnergyScale(settings.collider_energy, factor)
    return FixedScale(factor * (vector_mass + settings.higgs_mass))
