"""True flavour of jets, and the b tag of the embedded response."""

import numpy as np
from jaxtyping import Bool, Float, Int

from partonic.config.detector import FlavourTagConfig
from partonic.simulation.jets import JetTable
from partonic.simulation.particles import ParticleTable, delta_phi, pairs_within_events
from partonic.simulation.species import has_heavy_quark

__all__ = ["jet_flavour", "tag", "tag_probability"]


def jet_flavour(jets: JetTable, heavy: ParticleTable, config: FlavourTagConfig) -> Int[np.ndarray, " jets"]:
    """Return 5, 4 or 0 for each jet: the heaviest flavour of a hadron (or quark) within `match_radius`.

    Args:
        jets: jets of N events.
        heavy: last b and c hadrons (quarks, without hadronization) of the same events.
        config: radius and smallest pT.
    """
    hard = heavy.select(heavy.pt > config.hadron_pt_min)
    is_b = has_heavy_quark(hard.pdg, 5) | (np.abs(hard.pdg) == 5)
    first, second = pairs_within_events(jets.offsets, hard.offsets)
    distance = np.hypot(
        jets.eta[first] - hard.eta[second], delta_phi(jets.phi[first], hard.phi[second])
    )  # heavy hadrons have pT > 0, so their η is finite
    near = distance < config.match_radius
    flavour = np.zeros(len(jets.momenta), dtype=np.int8)
    np.maximum.at(flavour, first[near], np.where(is_b[second[near]], 5, 4).astype(np.int8))
    return flavour


def tag_probability(
    pt: Float[np.ndarray, " jets"], flavour: Int[np.ndarray, " jets"], config: FlavourTagConfig
) -> Float[np.ndarray, " jets"]:
    """Return the probability that a jet of transverse momentum `pt` (GeV) and true `flavour` is b-tagged."""
    b = config.b_plateau * np.tanh(config.b_rise * pt) * config.b_scale / (1.0 + config.b_fall * pt)
    c = config.c_plateau * np.tanh(config.c_rise * pt) / (1.0 + config.c_fall * pt)
    light = config.light_constant + config.light_slope * pt
    result: Float[np.ndarray, " jets"] = np.clip(np.select([flavour == 5, flavour == 4], [b, c], light), 0.0, 1.0)
    return result


def tag(
    jets: JetTable, flavour: Int[np.ndarray, " jets"], config: FlavourTagConfig, generator: np.random.Generator
) -> Bool[np.ndarray, " jets"]:
    """Draw which jets are b-tagged."""
    return generator.random(len(flavour)) < tag_probability(jets.pt, flavour, config)
