"""pp → H t q: amplitudes of all flavours, joined with parton densities."""

from collections.abc import Sequence

from partonic.physics.amplitudes.top_decay import TopDecay
from partonic.physics.electroweak import ElectroweakScheme
from partonic.physics.hard_process import AmplitudeGroup, HardProcess, channels_of
from partonic.physics.particles import BOTTOM, Particle
from partonic.physics.pdf import PartonDensities
from partonic.physics.phasespace.unit_cube import UnitCube
from partonic.physics.sampling_channel import ChannelMap
from partonic.physics.scales import FixedScale
from partonic.processes.thq.amplitude import SingleTopHiggsAmplitude, SingleTopHiggsCouplings, flavour_groups
from partonic.processes.thq.beam_cube import BottomBehindCube
from partonic.processes.thq.cube import SingleTopHiggsCube
from partonic.processes.thq.settings import ThqConfig
from partonic.processes.top_decays import DecayedTop, chain_of, decayed_tops_cube, flavours_of_w

__all__ = ["build", "couplings_of", "decays_of"]

_SCALE_SHARE = 0.25
"""μ = (m_t + m_H)/4, a choice of ours: what the b carries away is collinear, and a scale of the order of its transverse
momentum, well below m_t + m_H, is the one to which its density resums."""

_FLAT_OF_W, _FLAT_OF_TOP, _MASS_SCALE_OF_TOP = 0.05, 0.9, 250.0
"""Parts of cos θ without a pole in the two maps of the sampling, and the scale in GeV above which the mass of tH falls
in the second: H from the top comes with larger masses."""


def couplings_of(settings: ThqConfig) -> SingleTopHiggsCouplings:
    """Return masses and couplings of the amplitudes."""
    scheme = ElectroweakScheme(w_mass=settings.w_mass, fermi_constant=settings.fermi_constant, w_width=settings.w_width)
    return SingleTopHiggsCouplings(settings.top_mass, scheme)


def build(settings: ThqConfig, final_state: Sequence[Particle]) -> HardProcess:
    """Return the process: q b, q̄' b and their conjugates, with either parton coming from either side."""
    couplings = couplings_of(settings)
    decays, cube = (
        decays_of(settings),
        SingleTopHiggsCube(settings.higgs_mass, settings.top_mass, settings.collider_energy),
    )
    # Every second group has the b in the second beam; the others are its mirror images.
    behind = tuple(index for index, pairs in enumerate(flavour_groups()) if abs(pairs[0][1]) == BOTTOM.pdg_id)
    groups = []
    for pairs in flavour_groups():
        amplitudes = [SingleTopHiggsAmplitude(pair, couplings, decay) for pair in pairs for decay in decays]
        groups.append(AmplitudeGroup(amplitudes[0], channels_of(amplitudes)))
    scale = _SCALE_SHARE * (settings.top_mass + settings.higgs_mass)
    return HardProcess(
        name=settings.name,
        final_state=tuple(final_state),
        groups=tuple(groups),
        densities=PartonDensities(settings.pdf.name, folder=settings.pdf.folder, member=settings.pdf.member),
        collider_energy=settings.collider_energy,
        factorization_scale=FixedScale(settings.factorization_scale_factor * scale),
        renormalization_scale=FixedScale(settings.renormalization_scale_factor * scale),
        cube=_decayed(settings, cube),
        maps=tuple(ChannelMap(name, _decayed(settings, one), behind) for name, one in _maps(settings)),
    )


def _maps(settings: ThqConfig) -> tuple[tuple[str, SingleTopHiggsCube], ...]:
    """Return a map for H from the W, whose propagators are poles in cos θ, and one for H from the top, without."""
    own = (settings.higgs_mass, settings.top_mass, settings.collider_energy, settings.w_mass)
    return (
        ("H from W", BottomBehindCube(*own, flat=_FLAT_OF_W)),
        ("H from top", BottomBehindCube(*own, flat=_FLAT_OF_TOP, mass_scale=_MASS_SCALE_OF_TOP)),
    )


def _decayed(settings: ThqConfig, cube: SingleTopHiggsCube) -> UnitCube:
    return cube if settings.decays == "shower" else decayed_tops_cube(_chain(settings), cube, (1,))


def decays_of(settings: ThqConfig) -> tuple[DecayedTop | None, ...]:
    """Return the decays of the top in the matrix element, one for each flavour; (None,) if the shower decays it."""
    if settings.decays == "shower":
        return (None,)
    own = settings.top_decays
    return tuple(DecayedTop(_chain(settings), down, part) for down, part in flavours_of_w(own.tops, own.leptons))


def _chain(settings: ThqConfig) -> TopDecay:
    return chain_of(settings.top_decays, settings.top_mass, settings.w_mass)
