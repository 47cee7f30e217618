"""Partons, final states and resonances of a process, as a store of events needs them."""

from partonic.config.process import PdfConfig
from partonic.events.process_info import ProcessInfo
from partonic.physics.particles import HIGGS, TOP
from partonic.polynomial import Monomials
from partonic.processes.decay_tree import ANY_FINAL_STATE
from partonic.processes.definition import build_process
from partonic.processes.thq.settings import ThqConfig
from partonic.processes.tth.settings import TthConfig


def test_process_info_of_a_process():
    class Toy:
        name = "toy"
        final_state = (HIGGS, TOP)
        monomials = Monomials.constant()
        collider_energy = 13_600.0
        dimensions = 4
        channels = ()

        def from_unit_cube(self, numbers): ...
        def to_unit_cube(self, events): ...
        def coefficients(self, events): ...
        def channel_coefficients(self, events): ...
        def flow_weights(self, events, theta): ...
        def scale(self, events): ...
        def alpha_s(self, events): ...

    assert ProcessInfo.of(Toy()) == ProcessInfo("toy", ("H", "t"), (25, 6), Monomials.constant(), 13_600.0)


def test_process_info_of_an_analysis_file_needs_no_parton_densities():
    without = TthConfig(pdf=PdfConfig(name="NoSuchSet"))
    assert ProcessInfo.of_config(without) == ProcessInfo.of(build_process(TthConfig()))


def test_facts_of_a_process_whose_channels_differ():
    info = ProcessInfo.of_config(ThqConfig())
    assert info.parton_pdg == info.final_states[0] == (25, 6, 1)
    assert (25, -6, -1) in info.final_states
    assert len(set(info.final_states)) == len(info.final_states) == 8
    assert info.decay_tree.origins == (25, 6, -6)
    assert info.standard_model == {"kappa_e": 1.0}


def test_resonances_are_those_among_the_partons_unless_the_process_says_more():
    info = ProcessInfo("any", ("W", "jet"), (24, 1), Monomials.constant(), 13e3)
    assert [one.name for one in info.decay_tree.resonances] == ["W"]
    assert ProcessInfo("any", (), (), Monomials.constant(), 13e3).decay_tree == ANY_FINAL_STATE


def test_other_partons_keep_the_resonances():
    tth = ProcessInfo("tth", ("H", "t", "tbar"), (25, 6, -6), Monomials.constant(), 13e3)
    other = tth.with_partons(("t", "tbar"), (6, -6))
    assert other.final_states == ((6, -6),)
    assert other.decay_tree.origins == (25, 6, -6)
    assert [one.slots for one in other.decay_tree.resonances] == [(), (0,), (1,)]
