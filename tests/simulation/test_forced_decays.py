"""Which branching fraction belongs to a hard process."""

import pytest

from partonic.config.simulation import DecayConfig
from partonic.errors import ConfigError
from partonic.simulation.forced_decays import branching_fraction, decays_in_use, forced_resonances

SEMILEPTONIC = 2 * (2 * 0.1086) * 0.6741


@pytest.mark.parametrize(
    ("final_state", "expected"),
    [
        ((25, 6, -6), SEMILEPTONIC * 0.5824),
        ((6, -6, 5, -5), SEMILEPTONIC),
        ((25, 25), 0.5824**2),
        ((21, 21), 1.0),
    ],
)
def test_only_what_the_process_contains_counts(final_state, expected):
    assert branching_fraction(DecayConfig(), final_state) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("final_state", "tops", "message"),
    [
        ((25, 6, 1, 5), "semileptonic", "needs one top pair"),
        ((6, -6), "hadronic", "needs exactly one top"),
        ((6, 6), "dilepton", "needs one top pair"),
        ((6, -6, 24), "semileptonic", "only be forced together"),
    ],
)
def test_tops_that_do_not_fit_have_no_known_fraction(final_state, tops, message):
    with pytest.raises(ConfigError, match=message):
        branching_fraction(DecayConfig(tops=tops), final_state)
    inclusive = DecayConfig(higgs="inclusive", tops="inclusive")
    assert branching_fraction(inclusive, final_state) == 1.0


@pytest.mark.parametrize(
    ("decays", "final_state", "expected"),
    [
        ({"tops": "hadronic", "higgs": "gammagamma"}, (25, 6, 1), 0.6741 * 0.00227),
        ({"tops": "leptonic", "leptons": ("mu",)}, (6, 3), 0.1086),
        ({"w": "leptonic", "z": "leptonic"}, (24, 23), 2 * 0.1086 * 2 * 0.033658),
        ({"w": "hadronic", "z": "invisible"}, (-24, 23), 0.6741 * 0.2),
        ({"w": "leptonic"}, (11, -12, 25), 0.5824),
        ({"tops": "inclusive", "higgs": "WW"}, (25, 5, -5), 0.2137),
    ],
)
def test_single_tops_and_bosons(decays, final_state, expected):
    assert branching_fraction(DecayConfig(**decays), final_state) == pytest.approx(expected, rel=1e-12)


def test_fractions_of_a_boson_add_up_to_one():
    every = ("e", "mu", "tau")
    w = [DecayConfig(w=kind, leptons=every).w_fraction for kind in ("leptonic", "hadronic")]
    z = [DecayConfig(z=kind, leptons=every).z_fraction for kind in ("leptonic", "hadronic", "invisible")]
    assert sum(w) == pytest.approx(1.0, abs=2e-4)
    assert sum(z) == pytest.approx(1.0, abs=2e-4)


def test_forced_resonances():
    assert forced_resonances(DecayConfig()) == (25, 6, -6, 24, -24)
    assert forced_resonances(DecayConfig(tops="inclusive")) == (25,)
    assert forced_resonances(DecayConfig(tops="inclusive", w="hadronic", z="leptonic")) == (25, 24, -24, 23)


def test_what_a_process_lacks_is_not_used():
    used = decays_in_use(DecayConfig(), (11, -12, 25))
    assert (used.higgs, used.tops) == ("bb", "inclusive")
    assert forced_resonances(used) == (25,)
    assert decays_in_use(DecayConfig(), (25, 6, -6)) == DecayConfig()
