"""pp → H t t̄: gluon fusion and quark annihilation, joined with parton densities."""

from collections.abc import Sequence

from partonic.physics.hard_process import AmplitudeGroup, HardProcess, channels_of
from partonic.physics.particles import LIGHT_QUARKS, Particle, vacuum_expectation_value
from partonic.physics.pdf import PartonDensities
from partonic.physics.scales import FixedScale
from partonic.processes.tth.amplitude import TopHiggsCouplings, gluon_fusion_tth, quark_annihilation_tth
from partonic.processes.tth.settings import TthConfig

__all__ = ["build"]


def build(settings: TthConfig, final_state: Sequence[Particle]) -> HardProcess:
    """Return the process; q q̄ and q̄ q share one |M|².

    Summed over quark helicities, the s-channel current is symmetric in quark and antiquark.
    """
    couplings = TopHiggsCouplings(
        settings.top_mass, settings.higgs_mass, vacuum_expectation_value(settings.fermi_constant)
    )
    gluons = gluon_fusion_tth(couplings)
    quarks = [quark_annihilation_tth(sign * quark, couplings) for quark in LIGHT_QUARKS for sign in (1, -1)]
    scale = settings.top_mass + 0.5 * settings.higgs_mass
    return HardProcess(
        name=settings.name,
        final_state=tuple(final_state),
        groups=(AmplitudeGroup(gluons, channels_of([gluons])), AmplitudeGroup(quarks[0], channels_of(quarks))),
        densities=PartonDensities(settings.pdf.name, folder=settings.pdf.folder, member=settings.pdf.member),
        collider_energy=settings.collider_energy,
        factorization_scale=FixedScale(settings.factorization_scale_factor * scale),
        renormalization_scale=FixedScale(settings.renormalization_scale_factor * scale),
    )
