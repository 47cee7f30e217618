"""Observables of W and Z candidates on an event whose values are known; those of photons are tested with the report."""

import numpy as np
import pytest
from tests.report.test_object_observables import metadata, view

from partonic.features.object_observables import OBJECT_OBSERVABLES

# Z → e⁺e⁻ with 60 GeV along x and 45 along y (m = 73 GeV); a muon of the W against it
LEPTONS = [(60.0, 0.0, 0.0, 11), (50.0, 0.3, -2.2, 13), (45.0, 0.0, np.pi / 2, -11)]


def one(name: str, leptons: list[tuple[float, ...]]) -> float | None:
    values, defined = OBJECT_OBSERVABLES[name](view(metadata(3), leptons=leptons, met_pt=40.0, met_phi=1.0))
    return float(values[0]) if defined[0] else None


def test_transverse_momentum_of_the_z() -> None:
    assert one("z_candidate_pt", LEPTONS) == pytest.approx(75.0, rel=1e-5)
    assert one("z_candidate_pt", LEPTONS[:2]) is None


def test_azimuth_between_w_lepton_and_z() -> None:
    between = np.arctan2(45.0, 60.0) + 2.2
    assert one("delta_phi_wz", LEPTONS) == pytest.approx(between, rel=1e-5)
    across = [LEPTONS[0], (50.0, 0.3, 2.8 + np.pi - 2 * np.pi, 13), LEPTONS[2]]
    assert 0.0 <= one("delta_phi_wz", across) <= np.pi
    assert one("delta_phi_wz", [LEPTONS[0], LEPTONS[2]]) is None
