"""Resonances between the incoming partons and their products in an event file."""

import numpy as np
import pytest

from partonic.errors import ProcessError
from partonic.generation.lhe_particles import (
    colour_lines_of_event,
    event_layout,
    resonance_momenta,
    template_lines,
)
from partonic.physics.particles import Particle
from partonic.physics.process import Channel
from partonic.processes.decay_tree import DecayTree, Resonance

# u b -> d t(-> b nu e+) : colour of t is that of the b it decays to
TOP = Resonance("t", (6, -6), (1, 2, 3), "matrix element")
W = Resonance("W", (24, -24), (2, 3), "matrix element")
NESTED = DecayTree((TOP, W))
FLOW = ((1, 0), (2, 0), (1, 0), (2, 0), (0, 0), (0, 0))
ANTI = tuple((second, first) for first, second in FLOW)


FINAL_STATE = (Particle("q", 1), Particle("b", 5, 4.8), Particle("lepton", -11), Particle("neutrino", 12))
CHANNELS = (Channel((2, 5), (FLOW,), (1, 5, -11, 12)), Channel((-2, -5), (ANTI,), (-1, -5, 11, -12)))


@pytest.mark.parametrize(
    ("channel", "ids", "top_colours"),
    [(0, (2, 5, 6, 24, 1, 5, -11, 12), (502, 0)), (1, (-2, -5, -6, -24, -1, -5, 11, -12), (0, 502))],
)
def test_nested_resonances(channel, ids, top_colours):
    layout = event_layout(CHANNELS[channel], FINAL_STATE, NESTED, 0)
    assert layout.pdg_ids == ids
    assert layout.statuses == (-1, -1, 2, 2, 1, 1, 1, 1)
    assert layout.mothers == ((0, 0), (0, 0), (1, 2), (3, 3), (1, 2), (3, 3), (4, 4), (4, 4))
    assert layout.colours[2:4] == (top_colours, (0, 0))
    assert layout.colours[5] == top_colours
    assert layout.masses == (0.0, 0.0, None, None, 0.0, 4.8, 0.0, 0.0)


def test_every_line_has_thirteen_numbers():
    for line in template_lines(event_layout(CHANNELS[0], FINAL_STATE, NESTED, 0)):
        assert len(line.split()) == 13


def test_colour_singlet_of_two_quarks_has_no_colour():
    flow = ((1, 0), (0, 1), (2, 0), (0, 2))
    boson = Resonance("W", (24,), (0, 1), "matrix element")
    lines = colour_lines_of_event(Channel((2, -1), (flow,)), 0, (boson,))
    assert lines == ((501, 0), (0, 501), (0, 0), (502, 0), (0, 502))


def test_momentum_and_mass_are_those_of_the_products():
    generator = np.random.default_rng(3)
    vectors = generator.normal(size=(50, 4, 3)) * 40.0
    momenta = np.concatenate([np.linalg.norm(vectors, axis=-1, keepdims=True), vectors], axis=-1)
    top, boson = resonance_momenta(momenta, (TOP, W)).transpose(1, 0, 2)
    np.testing.assert_allclose(top[:, :3], vectors[:, 1:].sum(axis=1), rtol=1e-12)
    opening = (vectors[:, 2] * vectors[:, 3]).sum(axis=1)
    np.testing.assert_allclose(boson[:, 4] ** 2, 2.0 * (momenta[:, 2, 0] * momenta[:, 3, 0] - opening), rtol=1e-9)
    assert (top[:, 4] > boson[:, 4]).all()


def test_products_of_too_many_colours():
    two = Resonance("t", (6,), (0, 1), "matrix element")
    flow = ((1, 0), (2, 0), (1, 0), (2, 0))
    with pytest.raises(ProcessError, match=r"leave the colour lines \[501, 502\]"):
        colour_lines_of_event(Channel((2, 5), (flow,)), 0, (two,))
