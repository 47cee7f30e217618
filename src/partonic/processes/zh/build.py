"""pp → Z H: up- and down-type quarks in both orders, joined with parton densities."""

from collections.abc import Sequence

from partonic.physics.hard_process import AmplitudeGroup, HardProcess, channels_of
from partonic.physics.particles import LIGHT_QUARKS, Particle
from partonic.physics.phasespace.breit_wigner import BreitWigner
from partonic.processes.vector_higgs_build import electroweak_scheme, vector_higgs_process
from partonic.processes.zh.amplitude import zh_amplitude
from partonic.processes.zh.settings import ZhConfig

__all__ = ["build"]


def build(settings: ZhConfig, final_state: Sequence[Particle]) -> HardProcess:
    """Return the process; quarks of one charge, and lepton flavours, share one |M|²."""
    scheme = electroweak_scheme(settings)
    leptons = settings.lepton_ids if settings.is_decayed else (None,)
    groups = []
    for parity in (0, 1):
        for sign in (1, -1):
            quarks = [sign * quark for quark in LIGHT_QUARKS if quark % 2 == parity]
            amplitudes = [zh_amplitude(quark, scheme, lepton) for quark in quarks for lepton in leptons]
            groups.append(AmplitudeGroup(amplitudes[0], channels_of(amplitudes)))
    return vector_higgs_process(settings, final_state, groups, BreitWigner(settings.z_mass, settings.z_width))
