"""Closure of the θ-coefficients: an SM sample reweighted to θ against samples generated at θ.

Generates pp → ttH at the SM and at three θ points, showers and reconstructs all four, and compares five observables
of the hard process and five of the selected events, absolute normalisation included. Prints one JSON line with the χ²
p-values; all should be above 0.01.

    python benchmarks/reweighting.py [--quick] [--events N] [--folder DIR]
"""

import argparse
import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import scipy.stats
from numpy.typing import NDArray

from partonic.config.generation import QUICK_SAMPLER, GenerationConfig
from partonic.config.simulation import SimulationConfig
from partonic.events.batch import EventBatch
from partonic.events.schema import ProcessInfo
from partonic.events.store import EventStore
from partonic.generation.generate import generate_events
from partonic.physics.fourvector import invariant_mass
from partonic.physics.kinematics import azimuth, delta_phi, rapidity, transverse_momentum
from partonic.processes.definition import build_process
from partonic.processes.tth.settings import TthConfig
from partonic.simulation.pipeline import simulate

Array = NDArray[np.float64]

THETA_POINTS = (
    {"kappa_tilde_t": 0.5},
    {"c_tG": 1.0},
    {"delta_kappa_t": 0.2, "kappa_tilde_t": -0.5, "c_tG": 0.5},
)
PARTON_COLUMNS = ("partons", "x1", "x2", "coefficients")
SELECTED_COLUMNS = ("jet_pt", "lepton_pt", "met_pt", "met_phi", "coefficients")
EDGES: dict[str, Array] = {
    "parton pt_higgs": np.array([0, 40, 80, 120, 160, 200, 250, 320, 420, 600, 7000.0]),
    "parton pt_top": np.array([0, 50, 100, 150, 200, 250, 320, 420, 600, 7000.0]),
    "parton mass_tth": np.array([0, 540, 600, 660, 730, 820, 950, 1150, 1500, 13000.0]),
    "parton rapidity_difference_tops": np.array([0, 0.3, 0.6, 0.9, 1.3, 1.8, 2.5, 20.0]),
    "parton azimuth_difference_tops": np.array([0, 0.8, 1.4, 1.9, 2.3, 2.6, 2.9, np.pi + 1e-9]),
    "selected leading_jet_pt": np.array([0, 80, 110, 140, 180, 230, 300, 7000.0]),
    "selected scalar_pt_sum": np.array([0, 300, 380, 460, 550, 680, 850, 20000.0]),
    "selected jets": np.array([3.5, 4.5, 5.5, 6.5, 7.5, 100.0]),
    "selected lepton_pt": np.array([0, 40, 55, 70, 90, 130, 7000.0]),
    "selected met": np.array([0, 30, 50, 75, 105, 150, 7000.0]),
}


@dataclass
class Histogram:
    """Weighted contents with their variances."""

    edges: Array
    contents: Array = field(init=False)
    variances: Array = field(init=False)

    def __post_init__(self) -> None:
        self.contents = np.zeros(len(self.edges) - 1)
        self.variances = np.zeros(len(self.edges) - 1)

    def fill(self, values: Array, weights: Array) -> None:
        """Add events."""
        self.contents += np.histogram(values, self.edges, weights=weights)[0]
        self.variances += np.histogram(values, self.edges, weights=weights**2)[0]


def parton_observables(batch: EventBatch) -> dict[str, Array]:
    """Observables of H, t, t̄ as the hard process made them."""
    momenta = batch.partons().momenta
    higgs, top, antitop = momenta.unbind(dim=1)
    return {
        "parton pt_higgs": transverse_momentum(higgs).numpy(),
        "parton pt_top": transverse_momentum(top).numpy(),
        "parton mass_tth": invariant_mass(momenta).numpy(),
        "parton rapidity_difference_tops": (rapidity(top) - rapidity(antitop)).abs().numpy(),
        "parton azimuth_difference_tops": delta_phi(azimuth(top), azimuth(antitop)).abs().numpy(),
    }


def selected_observables(batch: EventBatch) -> dict[str, Array]:
    """Observables of reconstructed, selected events."""
    pt, mask = batch.padded("jet_pt", 16)
    return {
        "selected leading_jet_pt": pt[:, 0].astype(float),
        "selected scalar_pt_sum": np.where(mask, pt, 0.0).sum(axis=1).astype(float),
        "selected jets": mask.sum(axis=1).astype(float),
        "selected lepton_pt": batch.padded("lepton_pt", 1)[0][:, 0].astype(float),
        "selected met": batch.column("met_pt").astype(float),
    }


def histograms(store: Path, theta: dict[str, float]) -> dict[str, Histogram]:
    """Histogram the events of `store` weighted to θ."""
    opened = EventStore.open(store)
    monomials = opened.metadata.monomials
    values = monomials.evaluate(monomials.point(theta))
    result = {name: Histogram(edges) for name, edges in EDGES.items()}
    for observables in _observables(opened):
        weights = observables.pop("coefficients") @ values
        for name, numbers in observables.items():
            result[name].fill(numbers, weights)
    return result


def _observables(store: EventStore) -> Iterator[dict[str, Array]]:
    for batch in store.batches(columns=list(PARTON_COLUMNS)):
        yield {**parton_observables(batch), "coefficients": batch.coefficients}
    for batch in store.batches(columns=list(SELECTED_COLUMNS), selected_only=True):
        yield {**selected_observables(batch), "coefficients": batch.coefficients}


def p_value(first: Histogram, second: Histogram) -> float:
    """Return the p-value of χ² of two independent weighted histograms, shape and normalisation."""
    variance = first.variances + second.variances
    chi2 = float(np.sum((first.contents - second.contents) ** 2 / variance))
    return float(scipy.stats.chi2.sf(chi2, len(variance)))


def sample(folder: Path, theta: dict[str, float], events: int, seed: int) -> Path:
    """Generate and simulate a sample at θ and return its store; what an earlier run finished is kept."""
    process = build_process(TthConfig())
    config = GenerationConfig(events=events, theta=theta, sampler=QUICK_SAMPLER)
    generated = generate_events(process, config, seed, folder / "generate")
    store = folder / "events.parquet"
    if not store.exists():
        simulation = SimulationConfig(multiparton_interactions=False)
        simulate(generated.events_file, ProcessInfo.of(process), simulation, seed, store)
    return store


def main() -> None:
    """Run the comparison and print its JSON line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--events", type=int, default=40_000, help="events of each sample")
    parser.add_argument("--quick", action="store_true", help="2,500 events of each sample, one θ point")
    parser.add_argument("--folder", type=Path, help="keep the samples here (default: a temporary folder)")
    options = parser.parse_args()
    points = THETA_POINTS[-1:] if options.quick else THETA_POINTS
    events = 2_500 if options.quick else options.events
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        standard_model = sample(folder / "sm", {}, events, seed=1)
        p_values = {}
        for number, theta in enumerate(points):
            generated = histograms(sample(folder / f"theta{number}", theta, events, seed=2 + number), theta)
            reweighted = histograms(standard_model, theta)
            label = ",".join(f"{name}={value:g}" for name, value in theta.items())
            p_values[label] = {name: round(p_value(reweighted[name], generated[name]), 4) for name in EDGES}
    smallest = min(value for of_point in p_values.values() for value in of_point.values())
    print(json.dumps({"events": events, "smallest_p_value": smallest, "p_values": p_values}))


if __name__ == "__main__":
    main()
