"""pp → W± H: u d̄, c s̄ and their conjugates in both orders, joined with parton densities."""

from collections.abc import Sequence

from partonic.physics.hard_process import AmplitudeGroup, HardProcess, channels_of
from partonic.physics.particles import Particle
from partonic.physics.phasespace.breit_wigner import BreitWigner
from partonic.processes.vector_higgs_build import electroweak_scheme, vector_higgs_process
from partonic.processes.wh.amplitude import wh_amplitude
from partonic.processes.wh.settings import WhConfig

__all__ = ["build"]

_DOUBLETS = ((2, 1), (4, 3))
"""Quarks that a W joins where the CKM matrix is one; there is no top in the proton beside the b."""


def build(settings: WhConfig, final_state: Sequence[Particle]) -> HardProcess:
    """Return the process; the two doublets, and lepton flavours, share one |M|²."""
    scheme = electroweak_scheme(settings)
    leptons = settings.lepton_ids if settings.is_decayed else (None,)
    groups = []
    for sign in (1, -1):
        for swapped in (False, True):
            pairs = [(sign * up, -sign * down) for up, down in _DOUBLETS]
            initial = [(second, first) if swapped else (first, second) for first, second in pairs]
            amplitudes = [wh_amplitude(pair, scheme, lepton) for pair in initial for lepton in leptons]
            groups.append(AmplitudeGroup(amplitudes[0], channels_of(amplitudes)))
    return vector_higgs_process(settings, final_state, groups, BreitWigner(settings.w_mass, settings.w_width))
