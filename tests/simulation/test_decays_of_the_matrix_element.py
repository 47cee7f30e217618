"""Resonances that the matrix element decays, one inside the other, go through Pythia as they are."""

from dataclasses import dataclass

import numpy as np
import pytest
import torch

from partonic.config.simulation import DecayConfig, SimulationConfig
from partonic.errors import EventFileError
from partonic.estimate import Estimate
from partonic.events.schema import ProcessInfo
from partonic.events.store import EventStore
from partonic.generation.chunks import UnweightedEvents
from partonic.generation.lhe import LheContent, read_lhe, write_lhe
from partonic.physics.hard_process import AmplitudeGroup, HardProcess
from partonic.physics.particles import Particle
from partonic.physics.pdf import PartonDensities
from partonic.physics.process import Channel
from partonic.physics.scales import FixedScale
from partonic.polynomial import Monomials
from partonic.processes.decay_tree import DecayTree, Resonance
from partonic.simulation.pipeline import simulate

EVENTS = 60
CONSTANT = Monomials.constant()
FLOW = ((1, 0), (0, 1), (2, 0), (0, 0), (0, 0), (0, 2))
ANTI = tuple((anticolour, colour) for colour, anticolour in FLOW)
TREE = DecayTree(
    (
        Resonance("t", (6, -6), (0, 1, 2), "matrix element"),
        Resonance("W", (24, -24), (1, 2), "matrix element"),
    )
)
# A gluon from the b takes mass away from b, ℓ and ν: here there is none.
CONFIG = SimulationConfig(workers=1, hadronization=False, pythia_settings=("PartonLevel:FSR = off",))


@dataclass(frozen=True)
class Nothing:
    """The facts of an amplitude."""

    particles: tuple[int, ...] = (2, -1, 5, -11, 12, -5)
    colour_flows: tuple = (FLOW,)
    monomials: Monomials = CONSTANT

    def coefficients(self, momenta, alpha_s):
        return torch.ones((len(momenta), 1), dtype=torch.float64)

    def flow_weights(self, momenta, alpha_s, theta):
        return torch.ones((len(momenta), 1), dtype=torch.float64)


@pytest.fixture(scope="module")
def process():
    """u d̄ → t b̄ → b e⁺ ν b̄ and its conjugate."""
    channels = (Channel((2, -1), (FLOW,), (5, -11, 12, -5)), Channel((-2, 1), (ANTI,), (-5, 11, -12, 5)))
    return HardProcess(
        name="single_top",
        final_state=(Particle("b", 5), Particle("lepton", -11), Particle("neutrino", 12), Particle("other_b", -5)),
        groups=(AmplitudeGroup(Nothing(), channels),),
        densities=PartonDensities("NNPDF31_lo_as_0130"),
        collider_energy=13000.0,
        factorization_scale=FixedScale(100.0),
        renormalization_scale=FixedScale(100.0),
    )


def boosted(momenta, frame):
    """Momenta (E, p) from the rest frame of `frame` to where it has that momentum."""
    mass = np.sqrt(frame[:, 0] ** 2 - (frame[:, 1:] ** 2).sum(axis=1))
    along = (momenta[:, 1:] * frame[:, 1:]).sum(axis=1)
    energy = (frame[:, 0] * momenta[:, 0] + along) / mass
    factor = (along / (frame[:, 0] + mass) + momenta[:, 0]) / mass
    return np.column_stack([energy, momenta[:, 1:] + factor[:, None] * frame[:, 1:]])


def decayed(parent, mass, rng):
    """An isotropic decay to a particle of this mass and one without."""
    total = np.sqrt(parent[:, 0] ** 2 - (parent[:, 1:] ** 2).sum(axis=1))
    momentum = (total**2 - mass**2) / (2.0 * total)
    direction = rng.normal(size=(len(parent), 3))
    direction *= (momentum / np.linalg.norm(direction, axis=1))[:, None]
    first = np.column_stack([np.hypot(momentum, mass), direction])
    second = np.column_stack([momentum, -direction])
    return boosted(first, parent), boosted(second, parent)


@pytest.fixture(scope="module")
def momenta():
    """Momenta of b, e, ν, b̄: tops and W far from their poles, too."""
    rng = np.random.default_rng(11)
    whole = np.tile([600.0, 0.0, 0.0, 0.0], (EVENTS, 1))
    top, other = decayed(whole, rng.uniform(160.0, 185.0, EVENTS), rng)
    boson, bottom = decayed(top, rng.uniform(60.0, 100.0, EVENTS), rng)
    lepton, neutrino = decayed(boson, np.zeros(EVENTS), rng)
    return np.stack([bottom, lepton, neutrino, other], axis=1)


@pytest.fixture(scope="module")
def lhe(process, momenta, tmp_path_factory):
    path = tmp_path_factory.mktemp("single_top") / "events.lhe.gz"
    ones = torch.ones(EVENTS, dtype=torch.float64)
    events = UnweightedEvents(
        momenta=torch.from_numpy(momenta),
        x1=ones * 600.0 / 13000.0,
        x2=ones * 600.0 / 13000.0,
        channel=torch.arange(EVENTS) % 2,
        colour_flow=torch.zeros(EVENTS, dtype=torch.int64),
        scale=ones * 100.0,
        alpha_s=ones * 0.118,
        coefficients=ones[:, None],
    )
    content = LheContent(process.monomials, np.zeros((1, 0)), {}, {})
    write_lhe(path, process, content, [Estimate(0.5, 0.1, 100, 100.0)] * 2, iter([events]), 3, TREE)
    return path


def test_file_is_read_back(lhe, momenta):
    (events,) = read_lhe(lhe)
    np.testing.assert_array_equal(events.momenta.numpy(), momenta)
    assert events.channel.tolist() == [index % 2 for index in range(EVENTS)]


@pytest.fixture(scope="module")
def store(process, lhe):
    simulate(lhe, ProcessInfo.of(process, TREE), CONFIG, 1, lhe.parent / "events.parquet")
    return EventStore.open(lhe.parent / "events.parquet")


def mass(momenta):
    return np.sqrt(momenta[..., 0] ** 2 - (momenta[..., 1:] ** 2).sum(axis=-1))


def test_masses_and_products_are_kept(store, momenta):
    names = ["decay_partons", "decay_pdg", "decay_origin", "hadronic_top"]
    batch = store.read(["cut", "parton_pdg", "colour_flow", *names])
    assert (batch.column("cut") != 0).all()  # Pythia takes every event
    assert (batch.column("colour_flow") == 0).all()
    assert (batch.column("hadronic_top") == 0).all()
    for event in range(EVENTS):
        sign = 1 if event % 2 == 0 else -1
        assert batch.column("parton_pdg")[event].tolist() == [5 * sign, -11 * sign, 12 * sign, -5 * sign]
        pdg = batch.table["decay_pdg"][event].as_py()
        assert sorted(pdg) == sorted([5 * sign, -11 * sign, 12 * sign])
        assert batch.table["decay_origin"][event].as_py() == [6 * sign] * 3  # the outermost
        products = np.array(batch.table["decay_partons"][event].as_py()).reshape(-1, 4)
        leptons = products[np.abs(pdg) > 5]
        assert mass(products.sum(axis=0)) == pytest.approx(mass(momenta[event, :3].sum(axis=0)), rel=1e-5)
        assert mass(leptons.sum(axis=0)) == pytest.approx(mass(momenta[event, 1:3].sum(axis=0)), rel=1e-5)


def test_decays_that_the_tree_does_not_have_are_refused(process, lhe, tmp_path):
    """The same file for a process whose top is the business of the shower."""
    shower = DecayTree((Resonance("t", (6, -6), (0,)),))
    top = ProcessInfo("t", ("t", "b"), (6, -5), process.monomials, 13000.0, ((-6, 5),), shower)
    config = CONFIG.model_copy(update={"decays": DecayConfig(tops="leptonic")})
    with pytest.raises(EventFileError, match=r"has events of the final state \[5, -11, 12, -5\], but the process 't'"):
        simulate(lhe, top, config, 1, tmp_path / "events.parquet")
