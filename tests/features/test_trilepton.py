"""W and Z candidates: partons measured without error come back, and so do their observables."""

import numpy as np
import pytest
import torch
from tests.report.test_object_observables import metadata, view

from partonic.features.named import NamedFeatures
from partonic.features.trilepton import TRILEPTON, W_MASS, trilepton_momenta
from partonic.physics.fourvector import boost_from_rest_frame, mass, on_shell
from partonic.process_registry import find_process


def two_body(parent, towards):
    """Massless daughters of a parent, the first towards a direction in its rest frame."""
    direction = torch.tensor(towards, dtype=torch.float64)
    half = 0.5 * mass(parent) * direction / direction.norm()
    daughters = torch.stack([on_shell(half, 0.0), on_shell(-half, 0.0)])
    return boost_from_rest_frame(daughters, parent.expand(2, 4))


def wz_event():
    """Momenta of ℓ_W, ν, ℓ⁻, ℓ⁺ with the mass of the W exactly that of the reconstruction."""
    w = on_shell(torch.tensor([120.0, -40.0, 10.0], dtype=torch.float64), W_MASS)
    z = on_shell(torch.tensor([-110.0, 30.0, -25.0], dtype=torch.float64), 91.0)
    return torch.cat([two_body(w, (0.3, 0.8, 0.45)), two_body(z, (0.1, -0.7, 0.5))])


def seen(momenta, pdg=(11, 13, -13)):
    order = sorted(zip((0, 2, 3), pdg, strict=True), key=lambda each: -float(momenta[each[0], 1:3].norm()))
    leptons = []
    for index, each in order:
        _, x, y, z = (float(value) for value in momenta[index])
        leptons.append((np.hypot(x, y), np.arcsinh(z / np.hypot(x, y)), np.arctan2(y, x), each))
    x, y = float(momenta[1, 1]), float(momenta[1, 2])
    return view(metadata(3), leptons=leptons, met_pt=np.hypot(x, y), met_phi=np.arctan2(y, x))


def test_the_partons_come_back():
    momenta = wz_event()
    found, exists = trilepton_momenta(seen(momenta))
    assert exists.all()
    torch.testing.assert_close(found[0], momenta, rtol=1e-5, atol=1e-3)


@pytest.mark.parametrize(
    ("feature", "observable"),
    [("wz_mass", "mass_WZ"), ("wz_cos_theta_w", "cos_theta_W"), ("wz_cos_theta_z", "cos_theta_Z"),
     ("wz_phi_w", "phi_W"), ("wz_phi_z", "phi_Z")],
)  # fmt: skip
def test_observables_are_those_of_the_partons(feature, observable):
    momenta = wz_event()
    of = next(each.of for each in find_process("wz").observables(("l_W", "nu", "l_minus", "l_plus"))
              if each.name == observable)  # fmt: skip
    expected = float(of(momenta[None], torch.zeros(1, 4, dtype=torch.int64))[0])
    values, exists = TRILEPTON[feature](seen(momenta))
    assert exists.all()
    assert values[0] == pytest.approx(expected, rel=1e-4)


def test_a_neutrino_that_makes_no_w_gets_the_real_part():
    momenta = wz_event()
    momenta[1, 1:3] *= 3.0  # the transverse mass is beyond that of the W
    found, _ = trilepton_momenta(seen(momenta))
    assert torch.isfinite(found).all()
    assert float(mass(found[0, 0] + found[0, 1])) > W_MASS


def test_charge_and_lepton_of_the_w():
    momenta = wz_event()
    event = seen(momenta)
    assert TRILEPTON["lepton_charge_sum"](event)[0][0] == -1.0
    assert TRILEPTON["w_lepton_pt"](event)[0][0] == pytest.approx(float(momenta[0, 1:3].norm()), rel=1e-5)
    assert TRILEPTON["w_lepton_eta"](event)[0][0] == pytest.approx(
        float(torch.asinh(momenta[0, 3] / momenta[0, 1:3].norm())), rel=1e-4
    )


def test_without_a_pair_there_is_nothing():
    leptons = [(60.0, 0.0, 0.0, 11), (50.0, 0.3, -2.2, 13), (45.0, 0.0, 1.5, 11)]
    event = view(metadata(3), leptons=leptons, met_pt=40.0, met_phi=1.0)
    for name in ("wz_mass", "wz_phi_w", "w_lepton_pt"):
        assert not TRILEPTON[name](event)[1].any()


def test_as_named_features_with_nan_where_there_is_none():
    event = seen(wz_event())
    names = ["transverse_mass_wz", "wz_phi_w", "dilepton_mass"]
    found = NamedFeatures(names, event.batch.metadata).of(event.batch)
    assert np.isfinite(found).all()
    lonely = view(metadata(3), leptons=[(60.0, 0.0, 0.0, 11)], met_pt=40.0, met_phi=1.0)
    assert np.isnan(NamedFeatures(names, lonely.batch.metadata).of(lonely.batch)).all()
