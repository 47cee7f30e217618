"""pp → H t t̄: gluon fusion and quark annihilation, joined with parton densities."""

from collections.abc import Sequence

from partonic.physics.amplitudes.top_decay import TopDecay
from partonic.physics.hard_process import AmplitudeGroup, HardProcess, channels_of
from partonic.physics.particles import LIGHT_QUARKS, Particle, vacuum_expectation_value
from partonic.physics.pdf import PartonDensities
from partonic.physics.phasespace.decayed_tops import DecayedTopsCube, RamboProduction
from partonic.physics.scales import FixedScale
from partonic.processes.top_decays import DecayedTop, chain_of, decayed_tops_cube
from partonic.processes.tth.amplitude import Decays, gluon_fusion_tth, quark_annihilation_tth
from partonic.processes.tth.settings import TthConfig
from partonic.processes.tth.top_line import TopHiggsCouplings

__all__ = ["build", "decays_of"]


def build(settings: TthConfig, final_state: Sequence[Particle]) -> HardProcess:
    """Return the process; q q̄ and q̄ q share one |M|².

    Summed over quark helicities, the s-channel current is symmetric in quark and antiquark.

    Raises:
        ProcessError: if there is no phase space, or decays with impossible masses are in the matrix element.
    """
    couplings = TopHiggsCouplings(
        settings.top_mass, settings.higgs_mass, vacuum_expectation_value(settings.fermi_constant)
    )
    decays = decays_of(settings)
    gluons = [gluon_fusion_tth(couplings, pair) for pair in decays]
    quarks = [
        quark_annihilation_tth(sign * quark, couplings, pair)
        for quark in LIGHT_QUARKS
        for sign in (1, -1)
        for pair in decays
    ]
    scale = settings.top_mass + 0.5 * settings.higgs_mass
    return HardProcess(
        name=settings.name,
        final_state=tuple(final_state),
        groups=tuple(AmplitudeGroup(group[0], channels_of(group)) for group in (gluons, quarks)),
        densities=PartonDensities(settings.pdf.name, folder=settings.pdf.folder, member=settings.pdf.member),
        collider_energy=settings.collider_energy,
        factorization_scale=FixedScale(settings.factorization_scale_factor * scale),
        renormalization_scale=FixedScale(settings.renormalization_scale_factor * scale),
        cube=None if settings.decays == "shower" else _cube_of_decayed(settings),
    )


def decays_of(settings: TthConfig) -> tuple[Decays | None, ...]:
    """Return the decays of t and t̄ in the matrix element by flavour, all of one |M|²; (None,) for those of the shower.

    Products are massless and the flavours of a kind of decay have the same branching fraction; in semileptonic decays
    it does not matter which of the tops decays to leptons.
    """
    if settings.decays == "shower":
        return (None,)
    chain = _chain(settings)
    return tuple(
        (DecayedTop(chain, *of_top), DecayedTop(chain, *of_antitop))
        for of_top, of_antitop in settings.top_decays.flavours
    )


def _chain(settings: TthConfig) -> TopDecay:
    return chain_of(settings.top_decays, settings.top_mass, settings.top_decays.w_mass)


def _cube_of_decayed(settings: TthConfig) -> DecayedTopsCube:
    masses = (settings.higgs_mass, settings.top_mass, settings.top_mass)
    return decayed_tops_cube(_chain(settings), RamboProduction(masses, (1, 2), settings.collider_energy), (1, 2))
