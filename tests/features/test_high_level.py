import numpy as np
import torch

from partonic.events.batch import RecoEvents
from partonic.features.high_level import FEATURES, higgs_pair, high_level_features


def event(jets, tagged, leptons=1):
    """One event of jets (pT, η, φ, m), with a muon of 50 GeV at φ = 0 and missing momentum of 40 GeV opposite."""
    count = len(jets)
    features = torch.zeros(1, max(count, 1), 5)
    features[0, :count, :4] = torch.tensor(jets).reshape(count, 4)
    mask = torch.zeros(1, max(count, 1), dtype=torch.bool)
    mask[0, :count] = True
    tags = torch.zeros_like(mask)
    tags[0, :count] = torch.tensor(tagged, dtype=torch.bool)
    return RecoEvents(
        jets=features,
        jet_tagged=tags,
        jet_mask=mask,
        leptons=torch.tensor([[[50.0, 0.5, 0.0, 0.1, 0.0]]]),
        lepton_pdg=torch.tensor([[13]]),
        lepton_mask=torch.tensor([[leptons > 0]]),
        met=torch.tensor([[40.0, np.pi]]),
    )


def named(reco):
    return dict(zip(FEATURES, high_level_features(reco)[0], strict=True))


def test_features_by_hand():
    jets = [[100.0, 0.0, 0.0, 0.0], [80.0, 0.0, np.pi / 2, 0.0], [60.0, 0.0, np.pi, 0.0], [30.0, 1.0, 0.0, 0.0]]
    found = named(event(jets, [True, True, True, False]))
    assert found["jets"] == 4
    assert found["tagged_jets"] == 3
    assert np.isclose(found["sum_pt"], 270)
    assert np.isclose(found["jet4_pt"], 30)
    assert np.isnan(found["jet5_pt"])
    assert np.isclose(found["tagged3_pt"], 60)
    assert np.isnan(found["tagged4_pt"])
    # massless back to back in the transverse plane: m = 2 √(E1 E2) sin(Δφ/2)
    masses = {pair: 2 * np.sqrt(a * b) * np.sin(angle / 2) for pair, a, b, angle in
              (("01", 100, 80, np.pi / 2), ("02", 100, 60, np.pi), ("12", 80, 60, np.pi / 2))}  # fmt: skip
    assert np.isclose(found["higgs_pair_mass"], masses["01"])
    assert np.isclose(found["higgs_pair_pt"], np.hypot(100, 80))
    assert np.isclose(found["higgs_pair_delta_r"], np.pi / 2)
    assert np.isclose(found["closest_pair_delta_r"], np.pi / 2)
    assert np.isclose(found["largest_pair_mass"], masses["02"])
    assert np.isclose(found["mean_pair_mass"], np.mean(list(masses.values())))
    assert np.isclose(found["mean_pair_delta_r"], (np.pi / 2 + np.pi + np.pi / 2) / 3)
    assert np.isclose(found["tagged_mass"], np.sqrt(240**2 - 40**2 - 80**2))
    assert np.isclose(found["transverse_mass_w"], np.sqrt(2 * 50 * 40 * 2), rtol=1e-5)
    assert np.isclose(found["lepton_eta"], 0.5)


def test_what_is_missing_is_nan():
    found = named(event([[100.0, 0.0, 0.0, 0.0]], [True], leptons=0))
    missing = {name for name, value in found.items() if np.isnan(value)}
    assert missing == {
        "lepton_pt", "lepton_eta", "transverse_mass_w", "mean_pair_delta_r", "mean_pair_mass", "largest_pair_mass",
        *(f"jet{number}_pt" for number in range(2, 7)), *(f"tagged{number}_pt" for number in range(2, 5)),
        *(f"{pair}_pair_{name}" for pair in ("higgs", "closest") for name in ("mass", "pt", "delta_r")),
    }  # fmt: skip
    none = named(event([], []))
    assert none["jets"] == 0
    assert none["tagged_mass"] < 1e-9


def test_padding_changes_nothing():
    jets = [[100.0, 0.3, 0.0, 5.0], [80.0, -0.2, 1.5, 8.0], [60.0, 1.0, 3.0, 4.0]]
    narrow = event(jets, [True, False, True])
    wide = event([*jets, [0.0, 0.0, 0.0, 0.0]], [True, False, True, False])
    wide.jet_mask[0, 3] = False
    np.testing.assert_array_equal(high_level_features(narrow), high_level_features(wide))


def test_higgs_pair():
    jets = [[100.0, 0.0, 0.0, 0.0], [80.0, 0.0, np.pi / 2, 0.0], [60.0, 0.0, np.pi, 0.0]]
    momentum = higgs_pair(event(jets, [True, True, True]))
    np.testing.assert_allclose(momentum[0].numpy(), [180.0, 100.0, 80.0, 0.0], atol=1e-5)
    assert torch.isnan(higgs_pair(event(jets, [True, False, False]))).all()
