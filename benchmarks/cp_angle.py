r"""The CP angle of tHq by all methods: ``python benchmarks/cp_angle.py --store x.parquet --coefficients mem.parquet``.

κ_e = cos α, κ_o = sin α. Prints one JSON line:

- `expected`: for each α of `--angles`, each number of events of `--numbers` and each method, the total length in
  degrees of the expected intervals (`length_68`, `length_95`; an Asimov sample, 360 where nothing is excluded) of the
  shape alone and, for `rate` and `<method> and rate`, with the number of events. Methods are the matrix element method,
  parton truth, histograms of one and of two observables, and the learned ratios of `--sbi`. `curve` is q of the shape
  around the circle.
- `pseudo_experiments`: for each of these points, of the matrix element method: coverage of 68% and 95% intervals with
  binomial errors, statistical (`coverage`), with the errors of integral, rate and calibration (`coverage_total`) and
  with that of the pool (`coverage_pool`; experiments share the events that they are drawn from); mean and width of the
  pulls; bias of the maximum nearest to the truth with its errors; `effective_pool_size`.
- `calibration_curve`: at `--curve` angles around the circle, α, the mean of α̂ (of the maximum nearest to the truth; −α
  fits almost as well), its standard error, and that from the size of the pool.

Each point has the same random numbers, so that fluctuations of different points are not independent: the errors are
those of a point by itself.

The luminosity is chosen at each point so that the expected number of events is the one asked for: shapes are compared
at the same number of events. Coefficients may be of a part of the selected events; events of a calibration have to be
others (`--skip`). Example:

    partonic mem study.yaml
    python benchmarks/cp_angle.py --store runs/study/simulate/events.parquet --coefficients runs/study/mem/thq.parquet \
        --calibration calibration.json --skip 2000
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from partonic.cli.progress import TerminalProgress
from partonic.config.inference import InferenceConfig
from partonic.config.inference.outputs import HistogramConfig
from partonic.errors import PartonicError
from partonic.events.store import EventStore
from partonic.inference.binned.binned_likelihood import binned_pool
from partonic.inference.binned.histograms import filled_histograms
from partonic.inference.coefficients.coefficients_file import CoefficientsMetadata, read_coefficients
from partonic.inference.coefficients.event_coefficients import EventCoefficients
from partonic.inference.coefficients.truth import truth_coefficients
from partonic.inference.experiments.baselines import rate_only
from partonic.inference.experiments.coverage import Fraction, PointCoverage, coverage_study
from partonic.inference.experiments.expected import expected_limits
from partonic.inference.experiments.pool import Pool, PoolSample
from partonic.inference.experiments.pseudo_experiments import Setup
from partonic.inference.experiments.study import Plan, Workers
from partonic.inference.samples import Files, Loaded, load
from partonic.processes.definition import standard_model
from partonic.unfolding.quality.result import json_ready
from partonic.units import PB_TO_FB

CIRCLE = {"kind": "circle", "cosine": {"kappa_e": 1.0}, "sine": {"kappa_o": 1.0}}
ALPHA = "alpha"
PT_EDGES = (40.0, 70.0, 100.0, 140.0, 180.0, 230.0, 300.0)
ETA_EDGES = (1.5, 2.2, 2.9, 3.6, 4.4)
HISTOGRAMS = {
    "pT of the photons": HistogramConfig(edges={"diphoton_pt": PT_EDGES}),
    "pT of the photons, and their distance to the forward jet": HistogramConfig(
        edges={"diphoton_pt": PT_EDGES, "delta_eta_forward_diphoton": ETA_EDGES}
    ),
}
WHOLE, POINTS = (-180.0, 180.0), 73
MEM, TRUTH, RATE = "matrix element method", "parton truth", "rate"


def main() -> None:
    """Run the study and print one JSON line."""
    options, begin = arguments(), time.perf_counter()
    try:
        study = Study(options)
        found = {
            "events": len(study.mem), "usable": int(study.mem.usable().sum()), "calibration": str(options.calibration),
            "expected": list(study.expected()), "pseudo_experiments": list(study.pseudo_experiments()),
            "calibration_curve": list(study.calibration_curve()),
        }  # fmt: skip
    except PartonicError as error:
        sys.exit(str(error))
    print(json.dumps(json_ready({**found, "seconds": round(time.perf_counter() - begin, 1)}), allow_nan=False))


def arguments() -> argparse.Namespace:
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--store", type=Path, required=True, help="event store of simulated tHq events")
    parser.add_argument("--coefficients", type=Path, required=True, help="their coefficients, from `partonic mem`")
    parser.add_argument("--calibration", type=Path, help="their calibration, from `partonic calibrate`")
    parser.add_argument("--skip", type=int, default=0, help="leave out the first events, those of the calibration")
    parser.add_argument("--sbi", type=Path, help="learned ratios of the same events, from `partonic sbi`")
    parser.add_argument("--angles", type=float, nargs="*", default=[0.0, 45.0, 90.0, 180.0], help="degrees")
    parser.add_argument("--numbers", type=int, nargs="*", default=[400, 10_000], help="expected events")
    parser.add_argument("--experiments", type=int, default=500, help="pseudo-experiments at each point; 0 for none")
    parser.add_argument("--curve", type=int, default=12, help="angles of the calibration curve; 0 for none")
    parser.add_argument("--curve-experiments", type=int, default=100, help="pseudo-experiments at each of them")
    parser.add_argument("--workers", type=int, default=2, help="processes")
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


class Study:
    """All methods on the same events."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.store = EventStore.open(options.store)
        config = InferenceConfig.model_validate(
            {"luminosity": 1.0, "curves": {ALPHA: CIRCLE}, "calibration": options.calibration, "shape_only": True}
        )
        given = of_events(read_coefficients(options.coefficients), options.skip)
        files = Files(options.store, options.coefficients)
        self.loaded: Loaded = load(files, config, options.seed, given)
        self.mem, self.weights = self.loaded.signal, self.loaded.samples[0].weights
        rate = rate_only(self.mem.monomials, self.weights).rate()  # of the same events, as templates have it
        mixture = replace(self.loaded.setup.mixture, signal=rate)
        self.setup: Setup = replace(self.loaded.setup, mixture=mixture)
        self.pools = self._pools()

    def _pools(self) -> dict[str, Pool]:
        """Return the events as each method sees them."""
        monomials, ids = self.mem.monomials, self.mem.event_id
        truth = truth_coefficients(self.store, standard_model(self.store.metadata.process))
        chosen = truth.select(np.isin(truth.event_id, ids))
        histograms = filled_histograms(HISTOGRAMS, self.store, ids, monomials, self.weights)
        estimates = {MEM: self.mem, TRUTH: chosen}
        if self.options.sbi is not None:
            learned, _ = read_coefficients(self.options.sbi)
            estimates["learned ratios"] = learned.select(np.isin(learned.event_id, ids))
        for name, events in estimates.items():
            if not np.array_equal(events.event_id, ids):
                sys.exit(f"the events of '{name}' are not those of {self.options.coefficients}")
        return {
            **{name: Pool.of([PoolSample(0, self.weights, each)]) for name, each in estimates.items()},
            **{name: binned_pool(each) for name, each in histograms.items()},
            RATE: binned_pool(rate_only(monomials, self.weights)),
        }

    def _at(self, alpha: float, events: int, *, shape_only: bool = True) -> Setup:
        """Return what experiments of so many expected events at an angle have in common."""
        mixture = self.setup.mixture
        cross_section = float(mixture.vector(mixture.point({ALPHA: alpha})) @ mixture.stacked_rate)
        luminosity = events / (PB_TO_FB * cross_section)
        return replace(self.setup, mixture=replace(mixture, luminosity=luminosity), shape_only=shape_only)

    def expected(self) -> Iterator[dict[str, object]]:
        """Yield the expected intervals of all methods."""
        for alpha in self.options.angles:
            for events in self.options.numbers:
                found: dict[str, dict[str, object]] = {}
                for name, pool in self.pools.items():
                    if name != RATE:
                        found[name] = expectation(self._at(alpha, events), pool, alpha, curve=True)
                    with_rate = RATE if name == RATE else f"{name} and rate"
                    found[with_rate] = expectation(self._at(alpha, events, shape_only=False), pool, alpha)
                yield {"alpha": alpha, "events": events, "methods": found}

    def pseudo_experiments(self) -> Iterator[dict[str, object]]:
        """Yield what pseudo-experiments say of the matrix element method."""
        for events in self.options.numbers if self.options.experiments else ():
            for alpha in self.options.angles:
                yield figures(self._study(alpha, events, self.options.experiments), alpha, events)

    def calibration_curve(self) -> Iterator[dict[str, float]]:
        """Yield mean estimates around the circle, with the first number of events."""
        for step in range(self.options.curve):
            alpha = -180.0 + 360.0 * (step + 1) / self.options.curve
            (found,) = self._study(alpha, self.options.numbers[0], self.options.curve_experiments).parameters
            yield {
                "alpha": alpha, "mean": found.mean, "error": found.bias_error, "pool_error": found.pool_error,
                "spread": found.spread,
            }  # fmt: skip

    def _study(self, alpha: float, events: int, experiments: int) -> PointCoverage:
        with tempfile.TemporaryDirectory() as folder:
            plan = Plan(experiments, Path(folder) / "coverage", Workers(self.options.workers), TerminalProgress())
            (found,) = coverage_study(self._at(alpha, events), self.pools[MEM], [{ALPHA: alpha}], plan)
        return found


def expectation(setup: Setup, pool: Pool, alpha: float, *, curve: bool = False) -> dict[str, object]:
    """Return the lengths of the expected intervals, and q around the circle if wanted."""
    limits = expected_limits(setup, pool, {ALPHA: alpha}, ranges={ALPHA: WHOLE}, points=POINTS)
    lengths = {f"length_{100 * each.level:.0f}": each.length for each in limits.intervals[ALPHA]}
    scan = limits.curves[ALPHA]
    return lengths | ({"curve": {"alpha": scan.values, "q": np.round(scan.profiled, 4)}} if curve else {})


def of_events(
    read: tuple[EventCoefficients, CoefficientsMetadata], skip: int
) -> tuple[EventCoefficients, CoefficientsMetadata]:
    """Return the coefficients after the first `skip` events."""
    coefficients, metadata = read
    return coefficients.select(np.arange(len(coefficients)) >= skip), metadata


def figures(point: PointCoverage, alpha: float, events: int) -> dict[str, object]:
    """Return what is printed of the pseudo-experiments at one point."""
    (found,) = point.parameters
    kinds: Mapping[str, Mapping[str, Fraction]] = {
        "coverage": found.coverage, "coverage_total": found.coverage_total, "coverage_pool": found.coverage_pool,
    }  # fmt: skip
    return {
        "alpha": alpha, "events": events, "experiments": point.experiments, "failed": point.failed,
        "non_positive": point.non_positive, "effective_pool_size": point.effective_pool_size,
        **{kind: {level: [each.value, each.error] for level, each in by.items()} for kind, by in kinds.items()},
        **{name: getattr(found, name) for name in (
            "bias", "bias_error", "pool_error", "bias_pull", "spread", "pull_mean", "pull_width", "best_bias",
            "best_bias_error",
        )},
    }  # fmt: skip


if __name__ == "__main__":
    main()
