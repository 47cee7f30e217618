"""pp → t t̄ b b̄: gluon fusion and quark annihilation, joined with parton densities."""

from collections.abc import Sequence

from partonic.physics.hard_process import AmplitudeGroup, HardProcess, channels_of
from partonic.physics.particles import Particle
from partonic.physics.pdf import PartonDensities
from partonic.physics.phasespace.transverse_pairs import TransversePairs
from partonic.physics.process import Channel
from partonic.physics.scales import TransverseMassScale
from partonic.processes.ttbb.amplitude import (
    INITIAL_QUARKS,
    BeamsExchanged,
    gluon_fusion_ttbb,
    quark_annihilation_ttbb,
)
from partonic.processes.ttbb.settings import TtbbConfig

__all__ = ["build"]


def build(settings: TtbbConfig, final_state: Sequence[Particle]) -> HardProcess:
    """Return the process: gg, q q̄ and q̄ q, which differ here.

    The scales are those of arXiv:1309.5912, eq. 2: two of the four powers of α_s belong to the b quarks, whose
    transverse momenta are a tenth of m_t: the geometric mean lets each quark choose the scale of its own power.
    """
    gluons = gluon_fusion_ttbb(settings.top_mass, settings.bottom_mass)
    quarks = quark_annihilation_ttbb(settings.top_mass, settings.bottom_mass)
    exchanged = BeamsExchanged(quarks)
    final = tuple(particle.pdg_id for particle in final_state)
    masses = tuple(particle.mass for particle in final_state)
    return HardProcess(
        name=settings.name,
        final_state=tuple(final_state),
        groups=(
            AmplitudeGroup(gluons, channels_of([gluons])),
            AmplitudeGroup(quarks, tuple(Channel((q, -q), quarks.colour_flows, final) for q in INITIAL_QUARKS)),
            AmplitudeGroup(exchanged, tuple(Channel((-q, q), exchanged.colour_flows, final) for q in INITIAL_QUARKS)),
        ),
        densities=PartonDensities(settings.pdf.name, folder=settings.pdf.folder, member=settings.pdf.member),
        collider_energy=settings.collider_energy,
        factorization_scale=TransverseMassScale(masses[:2], "arithmetic", settings.factorization_scale_factor),
        renormalization_scale=TransverseMassScale(masses, "geometric", settings.renormalization_scale_factor),
        cube=TransversePairs(settings.top_mass, settings.bottom_mass, settings.collider_energy),
    )
