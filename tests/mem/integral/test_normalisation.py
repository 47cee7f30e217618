"""The three ways to a fiducial cross section agree, with errors that are honest."""

import dataclasses
import math
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
import torch
from tests.mem.toys import CHANNEL, MONOMIALS, SIGMA, LinearGaussian, NormalView
from tests.unfolding.toys import PROCESS, write_store
from torch import Tensor

from partonic.errors import EventFileError, NonFiniteError
from partonic.events.schema import ProcessInfo, StoreMetadata
from partonic.events.store import NORMALISATION_ERROR, EventStore, EventWriter
from partonic.features.decay_channel import DecayChannel
from partonic.inference.coefficients.rate import FiducialRate
from partonic.mem.integral.normalisation import (
    acceptance_cross_section,
    accepted_cross_section,
    integrated_cross_section,
)  # fmt: skip
from partonic.physics.particles import TOP
from partonic.physics.process import PartonEvents

D = 3


@dataclasses.dataclass
class Toy(LinearGaussian):
    """The toy with a whole unit cube, and an acceptance exp(−z₀²/2)."""

    dimensions: int = D
    final_state: tuple[object, ...] = (TOP, TOP.antiparticle)
    collider_energy: float = 13_000.0
    channels: tuple[object, ...] = ()

    def from_unit_cube(self, numbers: Tensor) -> tuple[PartonEvents, Tensor]:
        return NormalView(D).partons(numbers)

    def to_unit_cube(self, events: PartonEvents) -> tuple[Tensor, Tensor]:
        return NormalView(D).numbers(events)

    def channel_coefficients(self, events: PartonEvents) -> Tensor:
        return self.coefficients(events)[:, None]

    def flow_weights(self, events: PartonEvents, theta: Tensor) -> Tensor:
        raise NotImplementedError

    def scale(self, events: PartonEvents) -> Tensor:
        return events.x1

    def alpha_s(self, events: PartonEvents) -> Tensor:
        return events.x1

    def log_probability(self, momenta: Tensor) -> Tensor:
        return -0.5 * momenta.flatten(1)[:, 0].square()

    def cross_section(self) -> np.ndarray:
        """∫ dσ_a ε: a Gaussian of variance ½ in z₀, 1 in the others, times 1/√2."""
        variance = torch.ones(D, dtype=torch.float64)
        variance[0] = 0.5
        aa, ab, bb = ((p * q * variance).sum() for p, q in ((self.a, self.a), (self.a, self.b), (self.b, self.b)))
        return SIGMA / math.sqrt(2) * np.array([1.0, 0.0, 0.0, float(aa), 2 * float(ab), float(bb)])


def chi2(found: FiducialRate, truth: np.ndarray) -> float:
    difference = found.coefficients - truth
    return float(difference @ np.linalg.solve(found.covariance, difference))


def write_toy_store(path: Path, events: int = 20_000, **facts: object) -> Path:
    """Events with z from N(0, 1), weights σ₀/N, accepted with exp(−z₀²/2)."""
    toy, generator = Toy(), torch.Generator().manual_seed(4)
    z = torch.randn((events, D), generator=generator, dtype=torch.float64)
    first, second = z @ toy.a, z @ toy.b
    factors = [torch.ones_like(first), 2 * first, 2 * second, first**2, 2 * first * second, second**2]
    coefficients = SIGMA / events * torch.stack(factors, dim=-1)
    padded = torch.nn.functional.pad(z, (0, 8 - D))
    accepted = torch.rand(events, generator=generator, dtype=torch.float64) < toy.log_probability(padded).exp()
    process = ProcessInfo("toy", ("t", "tbar"), (6, -6), MONOMIALS, 13_000.0)
    metadata = StoreMetadata.for_process(process, facts=facts)

    def fixed(values: Tensor) -> pa.Array:
        flat = pa.array(values.reshape(-1).numpy())
        return pa.FixedSizeListArray.from_arrays(flat, values.shape[1])

    with EventWriter(path, metadata) as writer:
        writer.write(
            pa.table(
                {
                    "event_id": np.arange(events), "weight": coefficients[:, 0].numpy(),
                    "coefficients": fixed(coefficients), "partons": fixed(padded), "x1": np.full(events, 0.5),
                    "x2": np.full(events, 0.5), "selected": accepted.numpy(),
                }
            )
        )  # fmt: skip
    return path


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> EventStore:
    return EventStore.open(write_toy_store(tmp_path_factory.mktemp("store") / "events.parquet"))


def test_three_ways_agree_with_the_closed_form(store: EventStore) -> None:
    toy = Toy()
    generator = torch.Generator().manual_seed(1)
    ways = {
        "accepted": accepted_cross_section(store),
        "acceptance": acceptance_cross_section(store, toy, CHANNEL),
        "process": integrated_cross_section(toy, toy, CHANNEL, 100_000, generator),
    }
    for name, found in ways.items():
        assert chi2(found, toy.cross_section()) < 25.0, name  # 6 degrees of freedom
        assert math.sqrt(found.covariance[0, 0]) < 0.02 * found.coefficients[0], name
    assert ways["acceptance"].covariance[0, 0] < ways["accepted"].covariance[0, 0]


def test_weights_that_are_known_to_the_last_digit(store: EventStore) -> None:
    """The variance of a sum of N weights w or 0 is N p (1 − p) w² for p N accepted."""
    found = accepted_cross_section(store)
    weight = SIGMA / store.num_events
    accepted = found.coefficients[0] / weight
    variance = weight**2 * accepted * (1 - accepted / store.num_events)
    assert found.covariance[0, 0] == pytest.approx(variance, rel=1e-9)
    record = found.record()
    assert record.coefficients == tuple(found.coefficients)
    assert np.array_equal(record.covariance, found.covariance)


def test_common_error_of_the_normalisation_is_added(store: EventStore, tmp_path: Path) -> None:
    other = EventStore.open(write_toy_store(tmp_path / "other.parquet", **{NORMALISATION_ERROR: 0.1}))
    first, second = accepted_cross_section(store), accepted_cross_section(other)
    np.testing.assert_allclose(
        second.covariance - first.covariance, 0.01 * np.outer(first.coefficients, first.coefficients), atol=1e-12
    )


def test_either_top_may_be_the_hadronic_one() -> None:
    """The acceptance of the semileptonic decay channel is that of both assignments, on average."""

    class FirstTopOnly(Toy):
        def log_probability(self, momenta: Tensor) -> Tensor:
            return torch.where(momenta[:, 0, 0] != 0.0, 0.0, -torch.inf).double()  # the other top of the toy has E = 0

    toy = FirstTopOnly()
    generator = torch.Generator().manual_seed(1)
    decay_channel = DecayChannel("semileptonic", (6, -6))
    half = integrated_cross_section(toy, toy, decay_channel, 50_000, generator, branching_fraction=0.5)
    assert half.coefficients[0] == pytest.approx(0.25 * SIGMA, rel=0.05)


def test_no_accepted_event(tmp_path: Path) -> None:
    path = write_store(tmp_path / "empty.parquet", events=0)
    with pytest.raises(EventFileError, match="has no accepted event with a weight"):
        accepted_cross_section(EventStore.open(path))
    with pytest.raises(EventFileError, match="has no events: expected simulated ones"):
        acceptance_cross_section(EventStore.open(path), Toy(), DecayChannel("semileptonic", PROCESS.parton_pdg))


def test_rejected_events_do_not_count(tmp_path: Path) -> None:
    store = EventStore.open(write_store(tmp_path / "events.parquet"))
    batch = store.read(["coefficients", "selected"])
    chosen = pc.fill_null(batch.table.column("selected"), False).to_numpy()
    np.testing.assert_allclose(accepted_cross_section(store).coefficients, batch.coefficients[chosen].sum(axis=0))


def test_acceptance_that_is_nan(store: EventStore) -> None:
    class Broken(Toy):
        def log_probability(self, momenta: Tensor) -> Tensor:
            return torch.full((len(momenta),), torch.nan)

    with pytest.raises(NonFiniteError, match=r"the acceptance of .* sets of partons is NaN or infinite"):
        acceptance_cross_section(store, Broken(), CHANNEL)
