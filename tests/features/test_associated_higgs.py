"""Observables of reconstructed ZH, on events whose values are known."""

import numpy as np
import pytest
import torch
from tests.report.test_object_observables import metadata, view

from partonic.features.associated_higgs import ASSOCIATED_HIGGS
from partonic.physics.fourvector import invariant_mass
from partonic.physics.kinematics import from_pt_eta_phi_m
from partonic.processes.vector_higgs_observables import decay_angles

LEPTONS = [(80.0, 0.4, 0.3, 11), (50.0, -0.2, 1.2, -11), (20.0, 1.0, -2.0, 13)]
JETS = [(90.0, 0.1, -2.6, 9.0), (70.0, 0.9, -1.9, 8.0), (60.0, -1.0, 2.5, 7.0), (40.0, 0.0, 1.0, 5.0)]
TAGGED = [True, True, False, True]


def event(leptons=LEPTONS, jets=JETS, tagged=TAGGED):
    names = ("pt", "eta", "phi", "mass")
    columns = {f"jet_{name}": [jet[index] for jet in jets] for index, name in enumerate(names)}
    return view(metadata(2), leptons=leptons, jet_tagged=tagged, met_pt=10.0, met_phi=0.0, **columns)


def value(name: str, **changes) -> float | None:
    values, defined = ASSOCIATED_HIGGS[name](event(**changes))
    return float(values[0]) if defined[0] else None


def momenta(*objects) -> torch.Tensor:
    return from_pt_eta_phi_m(torch.tensor(objects, dtype=torch.float64))


def whole() -> torch.Tensor:
    """H of the two jets whose mass is nearest to 125 GeV, negative and positive lepton, `(1, 3, 4)`."""
    pairs = {pair: momenta(JETS[pair[0]], JETS[pair[1]]).sum(dim=0) for pair in ((0, 1), (0, 3), (1, 3))}
    masses = {pair: float(invariant_mass(momenta(JETS[pair[0]], JETS[pair[1]])[None])) for pair in pairs}
    best = min(masses, key=lambda pair: abs(masses[pair] - 125.0))
    leptons = momenta(*((*lepton[:3], 0.0) for lepton in LEPTONS[:2]))
    return torch.stack([pairs[best], *leptons])[None]


def test_masses_and_momenta() -> None:
    h = whole()[0, 0]
    mass = float(torch.sqrt(h[0] ** 2 - (h[1:] ** 2).sum()))
    assert value("higgs_candidate_mass") == pytest.approx(mass, rel=1e-5)
    assert value("higgs_candidate_pt") == pytest.approx(float(torch.hypot(h[1], h[2])), rel=1e-5)
    assert value("vh_mass") == pytest.approx(float(invariant_mass(whole())), rel=1e-5)


def test_angles_and_their_moments() -> None:
    star, polar, phi = (float(each) for each in decay_angles(whole()))
    assert value("vh_cos_theta_star") == pytest.approx(star, abs=1e-5)
    assert value("vh_cos_theta_1") == pytest.approx(polar, abs=1e-5)
    assert value("vh_phi") == pytest.approx(phi, abs=1e-5)
    one, two = np.arccos(star), np.arccos(polar)
    once, twice = np.sin(2 * one) * np.sin(2 * two), np.sin(one) ** 2 * np.sin(two) ** 2
    assert value("vh_cos_phi_moment") == pytest.approx(once * np.cos(phi), abs=1e-5)
    assert value("vh_sin_phi_moment") == pytest.approx(once * np.sin(phi), abs=1e-5)
    assert value("vh_cos_2phi_moment") == pytest.approx(twice * np.cos(2 * phi), abs=1e-5)
    assert value("vh_sin_2phi_moment") == pytest.approx(twice * np.sin(2 * phi), abs=1e-5)


def test_reflection_changes_the_sign_of_sines() -> None:
    """A reflection at the x–z plane: sines of φ are odd under it, all else is even."""
    leptons = [(pt, eta, -phi, pdg) for pt, eta, phi, pdg in LEPTONS]
    jets = [(pt, eta, -phi, mass) for pt, eta, phi, mass in JETS]
    for name in ASSOCIATED_HIGGS:
        sign = -1.0 if "sin" in name or name == "vh_phi" else 1.0
        assert value(name, leptons=leptons, jets=jets) == pytest.approx(sign * value(name), rel=1e-4, abs=1e-6), name


def test_what_an_event_does_not_have() -> None:
    assert value("higgs_candidate_mass", tagged=[True, False, False, False]) is None
    assert value("vh_mass", tagged=[True, False, False, False]) is None
    assert value("vh_phi", leptons=LEPTONS[:1]) is None
    assert value("higgs_candidate_pt", leptons=[]) == value("higgs_candidate_pt")
    assert value("vh_mass", leptons=[LEPTONS[0], (50.0, -0.2, 1.2, 11)]) is None  # charges are equal
