"""Events of tt̄bb̄, without a Higgs boson and with unequal weights, from the event file to the store."""

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch

from partonic.config.simulation import SimulationConfig
from partonic.estimate import Estimate
from partonic.events.schema import ProcessInfo
from partonic.events.store import EventStore
from partonic.generation.chunks import UnweightedEvents
from partonic.generation.lhe import LheContent, write_lhe
from partonic.physics.hard_process import AmplitudeGroup, HardProcess
from partonic.physics.pdf import PartonDensities
from partonic.physics.phasespace.transverse_pairs import TransversePairs
from partonic.physics.process import Channel
from partonic.physics.scales import FixedScale
from partonic.polynomial import Monomials, morphing_basis
from partonic.processes.definition import definition_of
from partonic.processes.ttbb.settings import TtbbConfig
from partonic.simulation.pipeline import simulate

EVENTS = 60
FLOW = ((501, 502), (502, 503), (501, 0), (0, 504), (504, 0), (0, 503))


class Flat:
    """|M|² = 1."""

    particles = (21, 21, 6, -6, 5, -5)
    monomials = Monomials.constant()
    colour_flows = (FLOW,)

    def coefficients(self, momenta, alpha_s):
        return torch.ones(len(momenta), 1, dtype=torch.float64)

    def flow_weights(self, momenta, alpha_s, theta):
        return torch.ones(len(momenta), 1, dtype=torch.float64)


@pytest.fixture(scope="module")
def process():
    config = TtbbConfig()
    return HardProcess(
        name="ttbb",
        final_state=definition_of(config).final_state(config),
        groups=(AmplitudeGroup(Flat(), (Channel((21, 21), (FLOW,)),)),),
        densities=PartonDensities(config.pdf.name),
        collider_energy=config.collider_energy,
        factorization_scale=FixedScale(200.0),
        renormalization_scale=FixedScale(200.0),
        cube=TransversePairs(config.top_mass, config.bottom_mass, config.collider_energy),
    )


@pytest.fixture(scope="module")
def events(process):
    generator = torch.Generator().manual_seed(20260713)
    numbers = 0.45 + 0.1 * torch.rand(EVENTS, 10, generator=generator, dtype=torch.float64)
    points, _ = process.from_unit_cube(numbers)
    zeros = torch.zeros(EVENTS, dtype=torch.int64)
    weights = 0.5 + torch.rand(EVENTS, 1, generator=generator, dtype=torch.float64)
    return UnweightedEvents(
        points.momenta, points.x1, points.x2, zeros, zeros, process.scale(points), process.alpha_s(points), weights
    )


@pytest.fixture(scope="module")
def store(process, events, tmp_path_factory):
    folder = tmp_path_factory.mktemp("ttbb")
    content = LheContent(process.monomials, morphing_basis(process.monomials), {}, {})
    write_lhe(folder / "events.lhe.gz", process, content, [Estimate(1.0, 0.1, 100, 100.0)], iter([events]), 3)
    config = SimulationConfig(workers=1)
    simulate(folder / "events.lhe.gz", ProcessInfo.of(process), config, 1, folder / "events.parquet")
    return EventStore.open(folder / "events.parquet")


def columns_of(store, names):
    return pq.read_table(store.path, columns=names)


def test_weights_stay_unequal_and_sum_to_the_cross_section(store, events):
    table = columns_of(store, ["weight", "coefficients"])
    fraction = store.metadata.facts["branching_fraction"]
    weight = table.column("weight").to_numpy()
    np.testing.assert_allclose(weight, events.coefficients[:, 0].numpy() * fraction / EVENTS, rtol=1e-12)
    np.testing.assert_allclose(np.array(table.column("coefficients").to_pylist())[:, 0], weight, rtol=1e-12)
    generated = store.metadata.cut_flow[0]
    assert generated.weight == pytest.approx(weight.sum())
    assert generated.weight_error == pytest.approx(np.sqrt((weight**2).sum()))


def test_branching_fraction_is_that_of_the_tops_alone(store):
    assert store.metadata.facts["branching_fraction"] == pytest.approx(SimulationConfig().decays.top_pair_fraction)


def test_partons_are_in_the_store(store, events):
    partons = np.array(columns_of(store, ["partons"]).column("partons").to_pylist()).reshape(EVENTS, 4, 4)
    np.testing.assert_allclose(partons, events.momenta.numpy(), rtol=1e-9, atol=1e-9)
    assert store.metadata.parton_names == ("t", "tbar", "b", "bbar")


def test_there_is_one_hadronic_top_and_no_view_with_a_higgs(store):
    table = columns_of(store, ["hadronic_top", "isr_partons", "decay_origin"])
    assert set(table.column("hadronic_top").to_pylist()) == {-6, 6}
    assert table.column("isr_partons").null_count == EVENTS
    assert {origin for row in table.column("decay_origin").to_pylist() for origin in row} == {-6, 6}


def test_no_jet_comes_from_a_higgs(store):
    rows = columns_of(store, ["jet_provenance"]).column("jet_provenance").to_pylist()
    assert {code for row in rows if row is not None for code in row} <= {0, 2, 3}
