"""pp → W±Z → 3ℓν, or on-shell pp → W±Z: all channels, joined with parton densities."""

from collections.abc import Sequence
from itertools import product

from partonic.physics.cuts import CentralParticles
from partonic.physics.electroweak import ElectroweakScheme
from partonic.physics.hard_process import AmplitudeGroup, HardProcess, channels_of
from partonic.physics.particles import Particle
from partonic.physics.pdf import PartonDensities
from partonic.physics.phasespace.boson_pair import BosonPairCube
from partonic.physics.phasespace.breit_wigner import BreitWigner
from partonic.physics.phasespace.resonance_tail import ResonanceWithTail
from partonic.physics.scales import FixedScale
from partonic.processes.wz.amplitude import WZAmplitude
from partonic.processes.wz.couplings import WZCouplings
from partonic.processes.wz.on_shell import OnShellWZAmplitude
from partonic.processes.wz.settings import WzConfig

__all__ = ["build", "groups_of", "on_shell_groups"]

_QUARKS = ((2, -1), (4, -3))
"""u d̄ and c s̄: the CKM matrix is the unit matrix."""
_LEPTONS = {"e": 11, "mu": 13}
_CHARGED_SLOTS = (0, 2, 3)


def build(settings: WzConfig, final_state: Sequence[Particle]) -> HardProcess:
    """Return the process."""
    scheme = ElectroweakScheme(
        settings.w_mass, settings.z_mass, settings.fermi_constant, settings.w_width, settings.z_width
    )
    scale = FixedScale(0.5 * (settings.w_mass + settings.z_mass))
    couplings, decayed = WZCouplings(scheme), settings.decays != "none"
    has_cuts = settings.lepton_pt_min > 0.0 or settings.lepton_eta_max is not None
    eta_max = float("inf") if settings.lepton_eta_max is None else settings.lepton_eta_max
    return HardProcess(
        name=settings.name,
        final_state=tuple(final_state),
        groups=groups_of(settings, couplings) if decayed else on_shell_groups(couplings),
        densities=PartonDensities(settings.pdf.name, folder=settings.pdf.folder, member=settings.pdf.member),
        collider_energy=settings.collider_energy,
        factorization_scale=FixedScale(settings.factorization_scale_factor * scale.value),
        renormalization_scale=FixedScale(settings.renormalization_scale_factor * scale.value),
        cube=_cube(settings) if decayed else None,
        cuts=CentralParticles(_CHARGED_SLOTS, settings.lepton_pt_min, eta_max) if has_cuts else None,
    )


def _cube(settings: WzConfig) -> BosonPairCube:
    return BosonPairCube(
        ResonanceWithTail(BreitWigner(settings.w_mass, settings.w_width), share=0.2),
        ResonanceWithTail(BreitWigner(settings.z_mass, settings.z_width)),
        settings.z_mass_range,
        settings.collider_energy,
    )


def on_shell_groups(couplings: WZCouplings) -> tuple[AmplitudeGroup, ...]:
    """Return the channels of W and Z on their mass shells: charge of the W, beam of the quark."""
    groups = []
    for charge, first in product((1, -1), (0, 1)):
        amplitudes = [
            OnShellWZAmplitude((*_initial(quarks, charge, first), charge * 24, 23), couplings) for quarks in _QUARKS
        ]
        groups.append(AmplitudeGroup(amplitudes[0], channels_of(amplitudes)))
    return tuple(groups)


def groups_of(settings: WzConfig, couplings: WZCouplings) -> tuple[AmplitudeGroup, ...]:
    """Return the channels by their |M|²: charge of the W, beam of the quark, whether all leptons are of one flavour."""
    doubly_resonant = settings.diagrams == "doubly_resonant"
    groups = []
    for charge, first, alike in product((1, -1), (0, 1), (False, True)):
        amplitudes = [
            WZAmplitude((*_initial(quarks, charge, first), *final), couplings, doubly_resonant, settings.pair_mass_min)
            for quarks in _QUARKS
            for final in _finals(settings, charge, alike)
        ]
        if amplitudes:
            groups.append(AmplitudeGroup(amplitudes[0], channels_of(amplitudes)))
    return tuple(groups)


def _finals(settings: WzConfig, charge: int, alike: bool) -> list[tuple[int, int, int, int]]:
    """Return the final states with leptons of one flavour, or of two."""
    flavours = [_LEPTONS[name] for name in settings.leptons]
    return [_final(w, z, charge) for w in flavours for z in flavours if (w == z) is alike]


def _initial(quarks: tuple[int, int], charge: int, first: int) -> tuple[int, int]:
    """Return the partons along +z and −z; `first` is the place of the up-type one."""
    up, down = charge * quarks[0], charge * quarks[1]
    return (up, down) if first == 0 else (down, up)


def _final(w: int, z: int, charge: int) -> tuple[int, int, int, int]:
    return -charge * w, charge * (w + 1), z, -z
