import numpy as np
import pytest

from partonic.processes.decay_tree import DecayTree, Resonance
from partonic.simulation.harvest import DecayTable
from partonic.simulation.isr import isr_view, with_radiation
from partonic.simulation.matching import hadronic_tops


def test_one_emission_is_given_back_exactly(rng):
    """With a single massless emission and no primordial kT the view is the whole event."""
    initiators = np.array([[[900.0, 0, 0, 900], [500, 0, 0, -500]]] * 50)
    radiation = rng.normal(0, 60, (50, 3))
    radiation = np.concatenate([np.linalg.norm(radiation, axis=1)[:, None], radiation], axis=1)
    rest = np.array([1400.0, 0, 0, 400]) - radiation
    partons, x1, x2 = with_radiation(rest[:, None], initiators, 13000.0)
    np.testing.assert_allclose(partons[:, 1], radiation, rtol=1e-9)
    np.testing.assert_allclose(x1, 900 / 6500)
    np.testing.assert_allclose(x2, 500 / 6500)


def test_view_of_showered_events(showered):
    view = isr_view(showered, 13000.0)
    assert view.valid.all()
    total = view.partons.sum(axis=1)
    np.testing.assert_allclose(total[:, 1:3], 0.0, atol=1e-9)
    np.testing.assert_allclose(total[:, 0], 6500 * (view.x1 + view.x2))
    np.testing.assert_allclose(total[:, 3], 6500 * (view.x1 - view.x2), atol=1e-8)
    radiation = view.partons[:, 3]
    np.testing.assert_allclose(radiation[:, 0] ** 2, (radiation[:, 1:] ** 2).sum(axis=1))
    assert ((view.x1 > 0) & (view.x1 < 1) & (view.x2 > 0) & (view.x2 < 1)).all()
    # the initiators carry at least as much, up to primordial kT
    largest = showered.initiators[:, 0, 0] / 6500
    assert (view.x1 < 1.05 * largest + 1e-3).all()


def test_hadronic_top_comes_second(showered):
    view = isr_view(showered, 13000.0)
    hadronic = hadronic_tops(showered.decays)
    assert (hadronic.sum(axis=1) == 1).all()
    first = np.where(hadronic[:, 0], 1, 2)
    events = np.arange(len(first))
    np.testing.assert_array_equal(view.partons[:, 1], showered.resonances[events, first])
    np.testing.assert_array_equal(view.partons[:, 2], showered.resonances[events, 3 - first])


def test_unknown_initiators_give_no_view(showered):
    broken = type(showered)(**{**showered.__dict__, "initiators": np.full_like(showered.initiators, np.nan)})
    view = isr_view(broken, 13000.0)
    assert not view.valid.any()
    assert np.isnan(view.partons).all()


W, Z, H = Resonance("W", (24,), (0,)), Resonance("Z", (23,), (1,)), Resonance("H", (25,), (2,))


def test_three_resonances_without_tops_keep_their_order(showered):
    tree = DecayTree((W, Z, H))
    decays = DecayTable(showered.decays.particles, showered.decays.origin, tree)
    view = isr_view(type(showered)(**{**showered.__dict__, "decays": decays}), 13000.0, tree)
    assert view.valid.all()
    np.testing.assert_array_equal(view.partons[:, :3], showered.resonances)


@pytest.mark.parametrize(
    ("tree", "partons"),
    [
        (DecayTree((W, Z)), 2),
        (DecayTree((W, Z, H)), 4),
        (DecayTree((Resonance("W", (24,), (0, 1), "matrix element"), Resonance("Z", (23,), (2,)), H)), 4),
    ],
)
def test_other_processes_have_no_view(showered, tree, partons):
    view = isr_view(showered, 13000.0, tree, partons)
    assert not view.valid.any()
    assert view.partons.shape == (showered.num_events, 4, 4)
    assert np.isnan(view.x1).all()
