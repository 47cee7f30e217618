"""Observables of reconstructed WH, on events whose values are known."""

import numpy as np
import pytest
import torch
from tests.report.test_object_observables import metadata, view

from partonic.features.associated_w import ASSOCIATED_W, neutrino_momentum
from partonic.physics.fourvector import invariant_mass
from partonic.physics.kinematics import from_pt_eta_phi_m
from partonic.physics.particles import W_BOSON
from partonic.processes.vector_higgs_observables import decay_angles

LEPTON = (80.0, 0.4, 0.3, -11)
JETS = [(90.0, 0.1, -2.6, 9.0), (70.0, 0.9, -1.9, 8.0), (60.0, -1.0, 2.5, 7.0)]
MET = (60.0, 1.1)


def value(name, leptons=(LEPTON,), jets=JETS, met=MET, tagged=(True, True, False)):
    names = ("pt", "eta", "phi", "mass")
    columns = {f"jet_{key}": [jet[index] for jet in jets] for index, key in enumerate(names)}
    seen = view(metadata(1), leptons=leptons, jet_tagged=list(tagged), met_pt=met[0], met_phi=met[1], **columns)
    values, defined = ASSOCIATED_W[name](seen)
    return float(values[0]) if defined[0] else None


def momenta(*objects):
    return from_pt_eta_phi_m(torch.tensor(objects, dtype=torch.float64))


def test_the_neutrino_makes_a_w(rng):
    lepton = momenta(*((float(rng.uniform(30, 200)), float(rng.normal()), float(rng.uniform(-3, 3)), 0.0)
                       for _ in range(200)))  # fmt: skip
    missing = torch.from_numpy(rng.normal(0.0, 25.0, (200, 2)))
    found = neutrino_momentum(lepton, missing)
    torch.testing.assert_close(invariant_mass(found[:, None]), torch.zeros(200, dtype=torch.float64), atol=1e-4, rtol=0)
    torch.testing.assert_close(found[:, 1:3], missing)
    pt = torch.linalg.vector_norm(lepton[:, 1:3], dim=1), torch.linalg.vector_norm(missing, dim=1)
    transverse = torch.sqrt(2.0 * (pt[0] * pt[1] - (lepton[:, 1:3] * missing).sum(dim=1)))
    mass = invariant_mass(torch.stack([lepton, found], dim=1))
    below = transverse < W_BOSON.mass
    assert 20 < below.sum() < 200
    torch.testing.assert_close(mass[below], torch.full_like(mass[below], W_BOSON.mass), rtol=1e-6, atol=0)
    mu = 0.5 * W_BOSON.mass**2 + (lepton[:, 1:3] * missing).sum(dim=1)
    torch.testing.assert_close(found[~below, 3], (mu * lepton[:, 3] / pt[0] ** 2)[~below])


def test_of_two_neutrinos_the_central_one():
    lepton, missing = momenta((80.0, 0.4, 0.3, 0.0)), torch.tensor([[30.0, 20.0]], dtype=torch.float64)
    pz = float(neutrino_momentum(lepton, missing)[0, 3])
    grid = torch.linspace(-400.0, 400.0, 800_001, dtype=torch.float64)
    all_of_them = torch.stack([torch.sqrt(1300.0 + grid**2), torch.full_like(grid, 30.0), torch.full_like(grid, 20.0),
                               grid], dim=1)  # fmt: skip
    mass = invariant_mass(torch.stack([lepton.expand(len(grid), 4), all_of_them], dim=1))
    crossed = grid[:-1][(mass[:-1] - W_BOSON.mass) * (mass[1:] - W_BOSON.mass) < 0]
    assert len(crossed) == 2
    assert pz == pytest.approx(float(crossed[crossed.abs().argmin()]), abs=0.002)


def test_masses_momenta_and_angles():
    lepton = momenta((*LEPTON[:3], 0.0))
    missing = torch.tensor([[MET[0] * np.cos(MET[1]), MET[0] * np.sin(MET[1])]], dtype=torch.float64)
    higgs = momenta(JETS[0], JETS[1]).sum(dim=0)
    whole = torch.stack([higgs, lepton[0], neutrino_momentum(lepton, missing)[0]])[None]
    star, polar, phi = (float(each) for each in decay_angles(whole))
    sines = np.sin(np.arccos(star)) * np.sin(np.arccos(polar))
    expected = {
        "w_candidate_pt": float(torch.linalg.vector_norm(lepton[0, 1:3] + missing[0])),
        "wh_mass": float(invariant_mass(whole)), "wh_cos_theta_star": star, "wh_cos_theta_1": polar,
        "wh_cos_phi_moment": sines * np.cos(phi), "wh_sin_phi_moment": sines * np.sin(phi),
        "wh_cos_2phi_moment": sines**2 * np.cos(2 * phi), "wh_sin_2phi_moment": sines**2 * np.sin(2 * phi),
    }  # fmt: skip
    assert expected.keys() == ASSOCIATED_W.keys()
    for name, number in expected.items():
        assert value(name) == pytest.approx(number, rel=1e-5, abs=1e-6), name


def test_reflection_changes_the_sign_of_sines():
    leptons = [(*LEPTON[:2], -LEPTON[2], LEPTON[3])]
    jets = [(pt, eta, -phi, mass) for pt, eta, phi, mass in JETS]
    for name in ASSOCIATED_W:
        sign = -1.0 if "sin" in name else 1.0
        assert value(name, leptons, jets, (MET[0], -MET[1])) == pytest.approx(sign * value(name), rel=1e-4), name


def test_what_an_event_does_not_have():
    assert value("wh_mass", tagged=(True, False, False)) is None
    assert value("w_candidate_pt", tagged=(True, False, False)) == value("w_candidate_pt")
    assert value("w_candidate_pt", leptons=()) is None
    assert value("wh_cos_theta_1", leptons=()) is None
