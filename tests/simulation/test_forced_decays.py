"""Which branching fraction belongs to a hard process."""

import pytest

from partonic.config.simulation import DecayConfig
from partonic.errors import ConfigError
from partonic.simulation.forced_decays import branching_fraction, forced_resonances

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


@pytest.mark.parametrize("final_state", [(25, 6, 1, 5), (24, 23), (6, -6, 24)])
def test_other_sources_of_w_bosons_cannot_be_forced(final_state):
    with pytest.raises(ConfigError, match="needs one top pair"):
        branching_fraction(DecayConfig(), final_state)
    inclusive = DecayConfig(higgs="inclusive", tops="inclusive")
    assert branching_fraction(inclusive, final_state) == 1.0


def test_forced_resonances():
    assert forced_resonances(DecayConfig()) == (25, 6, -6, 24, -24)
    assert forced_resonances(DecayConfig(tops="inclusive")) == (25,)
