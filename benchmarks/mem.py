"""How well and how fast events are integrated: ``python benchmarks/mem.py --store events.parquet``.

Prints one JSON line for the matrix element method with trained networks on selected events of a store:

- `median_ess_fraction`: effective points of P_0, (Σw)²/Σw², as a share of the points; `few_effective_points` events
  have fewer than 30, `dominated` ones hang on a single point.
- `median_relative_error`: of P_0 and, for each monomial, of R_a = P_a/P_0, relative to |R_a| (absent where R_a
  vanishes); `median_ratio_error` is the absolute one.
- `seconds_per_event`: wall-clock time of the whole run on `workers` processes, their start included, by event.
- `time_shares`: where the time of one process goes: proposal, partons, transfer function, acceptance, matrix element
  (without) and parton densities, initial state, measured on a few events.
- `explained`: R² of the true ratios c_a/c_0 of the partons, the part of their variance that R_a(x) explains, without
  calibration; below 0 for an estimate that is wrong in scale.
- `classical_time_ratio`: median over the same events of (time × relative error²) of the classical method over that of
  this one, that is the ratio of times at equal error of P_0; on `classical_events` of them, one process each, tt̄H only.
  The two estimate different things: the classical integral has fewer dimensions, because it takes directions and decays
  as exact, and knows no shower. `classical_explained` beside `explained_of_the_same` events says what either is worth
  (a few ten events tell it roughly).

The process is that of the store (with trained networks: tth, ttbb, thq).

The events must not be those that the networks were trained on: simulate them with another seed.

    partonic simulate held_out.yaml        # name: held_out, seed: 2
    python benchmarks/mem.py --store runs/held_out/simulate/events.parquet
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from partonic.cli.progress import TerminalProgress
from partonic.config.mem import MemConfig
from partonic.errors import PartonicError
from partonic.events.batch import RECO_COLUMNS, RecoEvents
from partonic.events.store import EventStore
from partonic.inference.coefficients.coefficients_file import read_coefficients
from partonic.inference.coefficients.event_coefficients import EventCoefficients
from partonic.inference.coefficients.event_weights import weights_of
from partonic.inference.experiments.estimator_quality import explained
from partonic.mem.integral.diagnostics import IntegralDiagnostics
from partonic.mem.integral.importance_sampling import EventIntegrator
from partonic.mem.integral.integrand import Ingredients
from partonic.mem.integral.integrate_events import hypothesis_of_store, integrate_events
from partonic.physics.hard_process import HardProcess
from partonic.physics.process import Process
from partonic.process_registry import find_process
from partonic.processes.definition import build_process
from partonic.rng import torch_generator

REFERENCE = Path(__file__).resolve().parents[1] / "tests" / "reference" / "tth_selected.parquet"
SEED = 20_261_124
PROFILED = 10
NEGLIGIBLE = 1e-6


def main() -> None:
    """Integrate and print one JSON line."""
    options = arguments()
    if not options.store.is_file():
        sys.exit(f"no event store {options.store}: simulate events first (see the head of this file)")
    try:
        print(json.dumps(measured(options), allow_nan=False))
    except PartonicError as error:
        sys.exit(str(error))


def arguments() -> argparse.Namespace:
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--store", type=Path, help="event store of held-out simulated events [--quick: 400 of our own]")
    parser.add_argument("--model", default="pretrained", help="`pretrained` or a folder with transfer and acceptance")
    parser.add_argument("--proposal", default="auto", choices=["auto", "network", "unfolding"])
    parser.add_argument("--base", default="fitted", choices=["gaussian", "defensive", "fitted", "sobol", "vegas"])
    parser.add_argument("--events", type=int, default=500, help="selected events")
    parser.add_argument("--points", type=int, default=10_000, help="points of each event")
    parser.add_argument("--workers", type=int, default=2, help="processes")
    parser.add_argument("--classical-events", type=int, default=20, help="events of the classical method; 0 for none")
    parser.add_argument("--quick", action="store_true", help="20 events, 2,000 points, 2 events classically")
    options = parser.parse_args()
    if options.store is None:
        if not options.quick:
            parser.error("give held-out events with --store, or --quick")
        options.store = REFERENCE
    if options.quick:
        options.events, options.points, options.classical_events = 20, 2_000, min(options.classical_events, 2)
    return options


def measured(options: argparse.Namespace) -> dict[str, object]:
    """Return all figures."""
    config = MemConfig.model_validate(
        {
            "model": options.model, "proposal": {"kind": options.proposal}, "base": {"kind": options.base},
            "points": {"first": min(1000, options.points), "maximum": options.points},
            "max_events": options.events, "workers": options.workers,
        }
    )  # fmt: skip
    store = EventStore.open(options.store)
    process = find_process(store.metadata.process).settings.model_validate(
        {"name": store.metadata.process, "collider_energy": store.metadata.collider_energy}
    )
    hypothesis = hypothesis_of_store(store.metadata, process)
    with tempfile.TemporaryDirectory() as folder:
        output, begin = Path(folder) / "coefficients.parquet", time.perf_counter()
        integrate_events(options.store, output, hypothesis, config, SEED, progress=TerminalProgress())
        seconds = (time.perf_counter() - begin) / options.events
        found, _ = read_coefficients(output)
    few = config.model_copy(update={"workers": 1})
    reco, event_id = events_of(store, max(PROFILED, options.classical_events))
    shares, each = profile(hypothesis.ingredients(few), few, reco, event_id)
    return {
        "events": len(found),
        "points": options.points,
        "base": options.base,
        "workers": options.workers,
        "process": process.name,
        **quality(found),
        "explained": explained_by(found, store),
        "seconds_per_event": seconds,
        "seconds_per_event_one_process": each,
        "time_shares": shares,
        **classical(options.classical_events, build_process(process), found, (reco, event_id), each, store),
    }


def events_of(store: EventStore, number: int) -> tuple[RecoEvents, np.ndarray]:
    """Return the first selected events and their numbers."""
    batch = next(store.batches(["event_id", *RECO_COLUMNS], size=number, selected_only=True))
    return batch.reco(), batch.column("event_id").astype(np.int64)


def quality(found: EventCoefficients) -> dict[str, object]:
    """Return how precise the coefficients are."""
    good = found.select(found.usable())
    integrals = IntegralDiagnostics.of(good)
    errors = np.sqrt(np.diagonal(good.covariance, axis1=1, axis2=2))
    relative: dict[str, float] = {"P_0": float(np.median(good.relative_error))}
    for a, name in enumerate(good.monomials.names):
        size = np.abs(good.ratios[:, a])
        if a and np.median(size) > NEGLIGIBLE:
            relative[name] = float(np.median(errors[:, a] / np.maximum(size, NEGLIGIBLE)))
    return {
        "without_coefficients": int((~found.usable()).sum()),
        "median_ess_fraction": float(np.median(integrals.effective_share)),
        "few_effective_points": integrals.few,
        "dominated": int((integrals.largest_weight_share > 0.3).sum()),
        "median_relative_error": relative,
        "median_ratio_error": dict(
            zip(good.monomials.names, map(float, np.median(errors, axis=0)), strict=True)
        ),
    }  # fmt: skip


def explained_by(found: EventCoefficients, store: EventStore) -> dict[str, float]:
    """Return R² of the true ratios of the events that have coefficients."""
    usable = found.select(found.usable())
    return explained(usable, weights_of(store, usable.event_id)) if len(usable) else {}


def profile(
    ingredients: Ingredients, config: MemConfig, reco: RecoEvents, event_id: np.ndarray
) -> tuple[Mapping[str, float], float]:
    """Return the shares of the time of one process on one core, and its seconds for an event."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    integrator = EventIntegrator(ingredients, config, SEED)
    rows = torch.arange(PROFILED)
    begin = time.perf_counter()
    found = integrator.integrate(reco.select(rows), event_id[:PROFILED])
    total = time.perf_counter() - begin
    seconds = dict(integrator.integrand.seconds)
    if isinstance(ingredients.process, HardProcess):
        densities = seconds_of_densities(ingredients.process) * float(IntegralDiagnostics.of(found).points.sum())
        seconds |= {"parton_densities": densities, "matrix_element": seconds["matrix_element"] - densities}
    torch.set_num_threads(threads)
    seconds["rest"] = total - sum(seconds.values())
    return {name: value / total for name, value in seconds.items()}, total / PROFILED


def seconds_of_densities(process: HardProcess, points: int = 10_000) -> float:
    """Return the time of the parton densities of one point."""
    numbers = torch.rand((points, process.dimensions), generator=torch_generator(SEED, "bench"), dtype=torch.float64)
    partons, _ = process.from_unit_cube(numbers)
    scale = process.scale(partons)
    ids = sorted({parton for channel in process.channels for parton in channel.initial})
    begin = time.perf_counter()
    for x in (partons.x1, partons.x2):
        process.densities.x_times_density(ids, x, scale)
    return (time.perf_counter() - begin) / points


def classical(
    number: int,
    process: Process,
    found: EventCoefficients,
    events: tuple[RecoEvents, np.ndarray],
    seconds: float,
    store: EventStore,
) -> dict[str, object]:
    """Return the ratio of times at equal relative error of P_0, and what either method explains on the same events."""
    if not number or store.metadata.process != "tth":
        return {}
    from partonic.mem.classical.hypothesis import TopPairHypothesis
    from partonic.mem.classical.integrator import ClassicalIntegrator
    from partonic.mem.classical.transfer import TransferFunctions

    integrator = ClassicalIntegrator(TopPairHypothesis(process), TransferFunctions.pretrained(process.name))
    reco, event_id = events
    integrals = integrator.integrals(reco.select(torch.arange(number)), event_id[:number], SEED, TerminalProgress())
    ratios, times, errors, rows, values = [], [], [], [], []
    for row, (one, ours, usable) in enumerate(zip(integrals, found.relative_error, found.usable(), strict=False)):
        if one.status != "ok" or not usable:
            continue
        error = float(np.sqrt(one.covariance[0, 0]) / one.values[0])
        ratios.append(one.seconds * error**2 / (seconds * float(ours) ** 2))
        times.append(one.seconds)
        errors.append(error)
        rows.append(row)
        values.append(one.values / one.values[0])
    if not ratios:
        return {"classical_events": 0}
    same = found.select(np.isin(np.arange(len(found)), rows))
    return {
        "classical_events": len(ratios),
        "classical_time_ratio": float(np.median(ratios)),
        "classical_seconds_per_event": float(np.median(times)),
        "classical_relative_error": float(np.median(errors)),
        "classical_explained": explained_by(replace(same, ratios=np.array(values)), store),
        "explained_of_the_same": explained_by(same, store),
    }


if __name__ == "__main__":
    main()
