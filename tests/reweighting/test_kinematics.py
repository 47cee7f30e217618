import pytest
import torch
from tests.reweighting.conftest import ENERGY, own_events

from partonic.errors import EventFileError
from partonic.physics.fourvector import invariant_mass, mass, minkowski_dot
from partonic.physics.process import PartonEvents
from partonic.reweighting.kinematics import momenta_on_shell

MASSES = torch.tensor([125.0, 172.5, 172.5], dtype=torch.float64)


def where(row):
    return f"sample, event {row}"


@pytest.fixture
def partons():
    momenta, x1, x2, _, _ = own_events((21, 21), 3, 40)
    return PartonEvents(momenta, x1, x2)


def rounded(events, digits):
    """Return the momenta as a file with so many digits has them."""
    text = [[[float(f"{value:.{digits - 1}e}") for value in row] for row in event] for event in events.momenta.tolist()]
    return PartonEvents(torch.tensor(text, dtype=torch.float64), events.x1, events.x2)


def products(momenta):
    """Return all products of two of the momenta, with those of the incoming ones positive."""
    return minkowski_dot(momenta[:, :, None], momenta[:, None])


def test_exact_momenta_only_change_their_frame(partons):
    found = momenta_on_shell(partons, MASSES, ENERGY, 1e-9, where)
    assert found.shape == (40, 5, 4)
    beams = torch.tensor([[1.0, 0, 0, 1], [1, 0, 0, -1]], dtype=torch.float64) * ENERGY / 2
    fractions = torch.stack([partons.x1, partons.x2], dim=1)
    lab = torch.cat([beams * fractions[..., None], partons.momenta], dim=1)
    scale = (partons.x1 * partons.x2 * ENERGY**2)[:, None, None]
    assert float(((products(found) - products(lab)) / scale).abs().max()) < 1e-12


@pytest.mark.parametrize("digits", [7, 10])
def test_rounded_momenta_are_on_shell_and_balance(partons, digits):
    found = momenta_on_shell(rounded(partons, digits), MASSES, ENERGY, 1e-5, where)
    torch.testing.assert_close(mass(found[:, 2:]), MASSES.expand(40, 3), rtol=1e-12, atol=0)
    energy = invariant_mass(partons.momenta)
    assert float(((found[:, :2].sum(dim=1) - found[:, 2:].sum(dim=1)).abs() / energy[:, None]).max()) < 1e-13
    exact = momenta_on_shell(partons, MASSES, ENERGY, 1e-9, where)
    moved = float(((found - exact).abs() / energy[:, None, None]).max())
    assert 0.1**digits / 100 < moved < 20 * 0.1 ** (digits - 1)


def test_massless_partons(partons):
    """Massless momenta of another mass would not pass; of mass zero they are kept."""
    momenta = torch.tensor([[[50.0, 30.0, 0.0, 40.0], [50.0, -30.0, 0.0, -40.0]]], dtype=torch.float64)
    x = torch.tensor([100.0 / ENERGY], dtype=torch.float64)
    found = momenta_on_shell(PartonEvents(momenta, x, x), torch.zeros(2, dtype=torch.float64), ENERGY, 1e-9, where)
    torch.testing.assert_close(found[:, 2:], momenta, rtol=1e-14, atol=1e-13)


def test_other_masses_are_refused(partons):
    masses = torch.tensor([125.0, 172.5, 173.0], dtype=torch.float64)
    with pytest.raises(EventFileError, match=r"event 0: parton 3 has the mass 172\.5 GeV, but 173 GeV .*40 of 40"):
        momenta_on_shell(partons, masses, ENERGY, 1e-6, where)


def test_imbalance_is_refused(partons):
    with pytest.raises(EventFileError, match="do not balance the incoming ones"):
        momenta_on_shell(PartonEvents(partons.momenta, partons.x1 * 1.001, partons.x2), MASSES, ENERGY, 1e-6, where)
    kicked = partons.momenta.clone()
    kicked[5, 1, 1] += 1.0
    kicked[5, 1, 0] = (kicked[5, 1, 1:].square().sum() + 172.5**2).sqrt()
    with pytest.raises(EventFileError, match=r"event 5: .*\(.* 1 of 40 events\)"):
        momenta_on_shell(PartonEvents(kicked, partons.x1, partons.x2), MASSES, ENERGY, 1e-5, where)


def test_not_a_number_is_refused(partons):
    momenta = partons.momenta.clone()
    momenta[7, 0, 2] = float("nan")
    with pytest.raises(EventFileError, match="event 7: parton 1"):
        momenta_on_shell(PartonEvents(momenta, partons.x1, partons.x2), MASSES, ENERGY, 1e-6, where)
