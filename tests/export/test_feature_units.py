import pytest

from partonic.export.feature_units import feature_unit
from partonic.features.high_level import FEATURES


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("met", "GeV"), ("jets", ""), ("lepton_eta", ""), ("closest_pair_delta_r", ""), ("mean_pair_delta_r", ""),
        ("jet_pt[0]", "GeV"), ("jet_phi[2]", "rad"), ("jet_btag[1]", ""), ("partons[3]", "GeV"), ("met_px", "GeV"),
        ("s_hat", "GeV^2"), ("log(s_hat)", "log of GeV^2"), ("log(x1)", ""), ("weird_observable", None),
    ],
)  # fmt: skip
def test_units(name: str, unit: str | None) -> None:
    assert feature_unit(name) == unit


def test_every_high_level_feature_has_one() -> None:
    pure = {name for name in FEATURES if not feature_unit(name)}
    assert pure == {"jets", "tagged_jets", "lepton_eta", "higgs_pair_delta_r", "closest_pair_delta_r",
                    "mean_pair_delta_r"}  # fmt: skip
