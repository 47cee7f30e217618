"""Observables of two photons and the most forward jet, on events whose values are known."""

import numpy as np
import pytest
from tests.report.test_object_observables import metadata, view

from partonic.features.diphoton_and_jet import DIPHOTON_AND_JET

PHOTONS = [(80.0, 0.5, 0.2), (60.0, -0.3, 1.4), (30.0, 2.0, 3.0)]
JETS = [(90.0, 0.1, -2.6, 9.0), (70.0, -3.1, -1.9, 8.0), (60.0, 2.9, 2.5, 7.0)]


def value(name, photons=PHOTONS, jets=JETS):
    columns = {f"jet_{key}": [jet[index] for jet in jets] for index, key in enumerate(("pt", "eta", "phi", "mass"))}
    columns |= {
        f"photon_{key}": [photon[index] for photon in photons] for index, key in enumerate(("pt", "eta", "phi"))
    }
    values, defined = DIPHOTON_AND_JET[name](view(metadata(0, photons=True), **columns))
    return float(values[0]) if defined[0] else None


def test_the_two_hardest_photons_and_the_most_forward_jet():
    x = 80.0 * np.cos(0.2) + 60.0 * np.cos(1.4)
    y = 80.0 * np.sin(0.2) + 60.0 * np.sin(1.4)
    z = 80.0 * np.sinh(0.5) - 60.0 * np.sinh(0.3)
    assert value("diphoton_pt") == pytest.approx(np.hypot(x, y), rel=1e-5)
    assert value("forward_jet_eta") == pytest.approx(3.1, rel=1e-5)
    assert value("delta_eta_forward_diphoton") == pytest.approx(3.1 + np.arcsinh(z / np.hypot(x, y)), rel=1e-5)


def test_back_to_back_photons_have_a_small_pt_and_a_finite_angle():
    assert value("diphoton_pt", [(50.0, 0.0, 0.0), (50.0, 0.0, np.pi)]) == pytest.approx(0.0, abs=1e-4)
    assert value("delta_eta_forward_diphoton", [(50.0, 0.0, 0.0), (50.0, 0.0, np.pi)]) == pytest.approx(3.1, abs=1e-3)


def test_events_without_photons_or_jets_have_no_value():
    assert value("diphoton_pt", PHOTONS[:1]) is None
    assert value("delta_eta_forward_diphoton", PHOTONS[:1]) is None
    assert value("forward_jet_eta", jets=[]) is None
    assert value("delta_eta_forward_diphoton", jets=[]) is None
