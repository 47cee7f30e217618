r"""Coverage of intervals, expected limits of all methods: ``python benchmarks/interval_coverage.py --store x.parquet``.

Prints one JSON line:

- `points`: for each θ, pseudo-experiments of the yield of `--luminosity` drawn from the pool, all parameters fitted
  together: for each parameter `coverage_68` and `coverage_95` (share of experiments whose interval holds the truth,
  with binomial errors), the same with the errors of integration, rate and calibration (`_total`), and with that of the
  pool too (`_pool`: all experiments share its fluctuation, which data do not have), `bias_pull` (mean of
  θ̂ − truth in units of its error, that of the pool included), `bias`, and mean and width of the pulls, all of the
  maximum nearest to the truth of those not excluded at 95%; `best_bias` is the mean of the best fit minus truth, and
  `right_sign` how often it has the sign of the truth; `joint` is the
  coverage of all parameters together. `effective_pool_size` is how many equally weighted events the pool is worth at
  that θ.
- `toys`, with `--toys N`: coverage of intervals from N pseudo-experiments for each of `--toy-experiments` data sets, of
  `--toy-parameter`, beside the median `threshold` that they have in place of 0.99 and 3.84.
- `expected_95`: expected 95% intervals at θ = 0, one parameter at a time, of parton truth, of the matrix element method
  (unbinned, and R_1, R_2 in bins), of a histogram of pT of the Higgs candidate, and of the rate only, all from the same
  events (`partonic.inference.experiments.comparison`).

The pool is all selected events of the store that have coefficients in `--coefficients` (a file of `partonic mem`);
without that file the pseudo-experiments use parton truth. The candidate of H is the pair of jets that the assignment
network of `--model` chooses. Example (held-out events, with another seed than those of the training):

    partonic mem pool.yaml
    cd runs/pool
    partonic calibrate mem/tth.parquet --store simulate/events.parquet --max-events 10000 -o calibration.json
    python ../../benchmarks/interval_coverage.py --store simulate/events.parquet --coefficients mem/tth.parquet \
        --calibration calibration.json --skip 10000

`--quick` without a store uses parton truth of 400 events that are in the repository, with the luminosity raised to
3,000 expected events: it shows that the benchmark runs, nothing else.
"""

import argparse
import json
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from partonic.cli.progress import TerminalProgress
from partonic.errors import PartonicError
from partonic.events.batch import EventBatch
from partonic.events.store import EventStore
from partonic.features.event_status import is_usable
from partonic.features.inputs import event_tokens
from partonic.inference.calibration.calibration_file import read_calibration
from partonic.inference.coefficients.coefficients_file import read_coefficients
from partonic.inference.coefficients.event_coefficients import EventCoefficients
from partonic.inference.coefficients.truth import truth_coefficients
from partonic.inference.experiments.baselines import rate_only
from partonic.inference.experiments.comparison import ComparedEvents, compare_methods, shape_norm_of
from partonic.inference.experiments.coverage import ParameterCoverage, PointCoverage, coverage_study
from partonic.inference.experiments.pool import Pool, PoolSample
from partonic.inference.experiments.pseudo_experiments import Setup
from partonic.inference.experiments.study import Plan, Workers
from partonic.inference.experiments.toy_coverage import ToyCoverage, toy_coverage
from partonic.inference.likelihood.mixture import Mixture
from partonic.physics.kinematics import from_pt_eta_phi_m, transverse_momentum
from partonic.trained.model_files import find_model
from partonic.unfolding.quality.result import json_ready
from partonic.unfolding.unfolder import Unfolder
from partonic.units import PB_TO_FB

Array = NDArray[np.float64]

QUICK_STORE = Path(__file__).parents[1] / "tests" / "reference" / "tth_selected.parquet"
QUICK_EXPERIMENTS = 20
QUICK_YIELD = 3000
POINTS = ("", "kappa_tilde_t=0.5", "c_tG=0.3")
NORMALISATION = "integral of the estimated densities: the rate, or their own mean over simulated events"
CANDIDATE = "pT(H candidate)"
TRUTH = "parton truth"
RECO = ("jet_pt", "jet_eta", "jet_phi", "jet_mass", "jet_btag", "jet_tagged", "lepton_pt", "lepton_eta", "lepton_phi",
        "lepton_mass", "lepton_pdg", "lepton_isolation", "met_pt", "met_phi")  # fmt: skip


def main() -> None:
    """Run the study and print one JSON line."""
    options = arguments()
    store_path = QUICK_STORE if options.quick and options.store is None else options.store
    if store_path is None or not store_path.is_file():
        sys.exit(f"no event store {store_path}: simulate events first (see the head of this file), or use --quick")
    begin = time.perf_counter()
    try:
        events, source = loaded(EventStore.open(store_path), options)
        if store_path == QUICK_STORE:  # events cut out of a larger sample: their weights sum to a part of the yield
            options.luminosity = QUICK_YIELD / (PB_TO_FB * float(events.weights[:, 0].sum()))
        comparison = compare_methods(events, options.luminosity, mean_ratios=options.normalisation == "mean_ratios")
        studied, from_toys = coverage(events, source, options)
    except PartonicError as error:
        sys.exit(str(error))
    head = {
        "store": str(store_path), "coefficients": None if options.coefficients is None else str(options.coefficients),
        "source": source, "normalisation": options.normalisation, "luminosity": options.luminosity,
        "events": len(events.weights),
        "usable": int(events.estimates[source].usable().sum()), "seed": options.seed, "quick": options.quick,
    }  # fmt: skip
    found = {
        "points": [figures(each) for each in studied], "toys": [figures_of_toys(each) for each in from_toys],
        "expected_95": comparison.to_json(),
    }  # fmt: skip
    seconds = round(time.perf_counter() - begin, 1)
    print(json.dumps(json_ready({**head, **found, "seconds": seconds}), allow_nan=False))


def arguments() -> argparse.Namespace:
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--store", type=Path, help="event store of simulated events")
    parser.add_argument("--coefficients", type=Path, help="their coefficients, from `partonic mem`")
    parser.add_argument("--calibration", type=Path, help="their calibration, from `partonic calibrate`")
    parser.add_argument("--skip", type=int, default=0, help="leave out the first events, those of the calibration")
    parser.add_argument("--experiments", type=int, default=500, help="pseudo-experiments at each point")
    parser.add_argument("--points", nargs="*", default=POINTS, help='e.g. "" "kappa_tilde_t=0.5,c_tG=0.1"')
    parser.add_argument("--toys", type=int, default=0, help="pseudo-experiments of each interval from toys")
    parser.add_argument("--toy-experiments", type=int, default=150, help="data sets that have such intervals")
    parser.add_argument("--toy-parameter", default="kappa_tilde_t", help="parameter that has them")
    parser.add_argument("--luminosity", type=float, default=300.0, help="fb⁻¹")
    parser.add_argument("--events", type=int, help="selected events at most")
    parser.add_argument("--model", default="pretrained", help="unfolding model whose network assigns the jets of H")
    parser.add_argument("--workers", type=int, default=1, help="processes for the pseudo-experiments")
    parser.add_argument("--output", type=Path, help="finished experiments are kept beside this file, to go on later")
    parser.add_argument("--normalisation", choices=["rate", "mean_ratios"], default="rate", help=NORMALISATION)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--quick", action="store_true", help=f"few events, {QUICK_EXPERIMENTS} experiments")
    return parser.parse_args()


def loaded(store: EventStore, options: argparse.Namespace) -> tuple[ComparedEvents, str]:
    """Return the events that have coefficients, and who made them.

    Their weights sum to the fiducial cross sections: where only part of the selected events have coefficients, they are
    scaled up by the numbers of events.
    """
    batch = store.read(["event_id", "coefficients", *RECO], selected_only=True)
    truth = truth_coefficients(store)
    mem = None if options.coefficients is None else read_coefficients(options.coefficients)[0]
    wanted = truth.event_id if mem is None else mem.event_id
    rows = np.flatnonzero(np.isin(truth.event_id, wanted))[options.skip :][: options.events]
    mask = np.isin(np.arange(len(batch)), rows)
    chosen, ids = batch.filter(mask), truth.event_id[rows]
    weights = chosen.coefficients * (len(batch) / len(rows))
    estimates = {TRUTH: truth.select(mask)}
    if mem is not None:
        mem = in_order(mem, ids, options.coefficients)
        if options.calibration is not None:
            rate = rate_only(store.metadata.monomials, weights).rate()
            mem = read_calibration(options.calibration).apply(mem, rate)
        estimates[mem.source] = mem
    observables = {CANDIDATE: candidate_pt(chosen, options.model)}
    events = ComparedEvents(store.metadata.monomials, weights, estimates, observables)
    return events, TRUTH if mem is None else mem.source


def in_order(coefficients: EventCoefficients, event_id: NDArray[np.int64], path: Path) -> EventCoefficients:
    """Return the coefficients of these events, which must be in the order of the file."""
    kept = coefficients.select(np.isin(coefficients.event_id, event_id))
    if not np.array_equal(kept.event_id, event_id):
        sys.exit(
            f"the events of {path} are not selected events of the store, in its order: give the store of that file"
        )
    return kept


@torch.no_grad()
def candidate_pt(batch: EventBatch, model: str) -> Array:
    """Return pT of the two jets that are assigned to H, GeV; NaN where an event cannot be assigned."""
    network = Unfolder.load(find_model(model, "tth")).network.provenance
    reco = batch.reco()
    usable = is_usable(reco)
    values = torch.full((len(reco),), torch.nan, dtype=torch.float64)
    for rows in torch.nonzero(usable).squeeze(1).split(2000):
        part = reco.select(rows)
        jets = network.assign(event_tokens(part), as_many_as_possible=True)[:, :2]
        momenta = from_pt_eta_phi_m(part.jets[..., :4].double())
        pair = momenta.gather(1, jets.clamp(min=0)[..., None].expand(-1, -1, 4)).sum(dim=1)
        values[rows] = torch.where((jets >= 0).all(dim=1), transverse_momentum(pair), torch.nan)
    return values.numpy()


def coverage(
    events: ComparedEvents, source: str, options: argparse.Namespace
) -> tuple[list[PointCoverage], list[ToyCoverage]]:
    """Run the pseudo-experiments at all points."""
    names = events.monomials.parameters
    mixture = Mixture(rate_only(events.monomials, events.weights).rate(), (), options.luminosity, fitted=names)
    estimate = events.estimates[source]
    norm = shape_norm_of(estimate, events.weights) if options.normalisation == "mean_ratios" else None
    pool = Pool.of([PoolSample(0, events.weights, estimate)])
    experiments = min(options.experiments, QUICK_EXPERIMENTS) if options.quick else options.experiments
    points = [parsed(text) for text in options.points]
    with tempfile.TemporaryDirectory() as folder:
        output = options.output or Path(folder) / "coverage"
        plan = Plan(experiments, output, Workers(options.workers), TerminalProgress())
        setup = Setup(mixture, names, shape_norm=norm, seed=options.seed)
        studied = coverage_study(setup, pool, points, plan)
        if not options.toys:
            return studied, []
        plans = [
            replace(plan, experiments=options.toy_experiments, output=output.with_name(f"{output.name}.point{number}"))
            for number in range(len(points))
        ]
        return studied, [
            toy_coverage(setup, pool, options.toy_parameter, point, each, options.toys)
            for point, each in zip(points, plans, strict=True)
        ]


def parsed(text: str) -> dict[str, float]:
    """Return e.g. {"a": 1.0} of ``"a=1"``."""
    try:
        return {name.strip(): float(value) for name, value in (part.split("=") for part in text.split(",") if part)}
    except ValueError:
        sys.exit(f"--points takes name=value,name=value; got '{text}'")


def figures(point: PointCoverage) -> dict[str, object]:
    """Return what is printed of one point."""
    return {
        "theta": dict(point.theta),
        "experiments": point.experiments,
        "failed": point.failed,
        "events": point.events,
        "non_positive": point.non_positive,
        "effective_pool_size": point.effective_pool_size,
        "parameters": {each.name: of_parameter(each) for each in point.parameters},
        "joint": dict(point.joint),
    }


def figures_of_toys(found: ToyCoverage) -> dict[str, object]:
    """Return what is printed of intervals from toys at one point."""
    return {
        "theta": dict(found.theta), "parameter": found.name, "experiments": found.experiments, "toys": found.toys,
        **{f"coverage_{round(100 * float(level))}": each.value for level, each in found.coverage.items()},
        **{f"coverage_{round(100 * float(level))}_error": each.error for level, each in found.coverage.items()},
        **{f"threshold_{round(100 * float(level))}": each for level, each in found.threshold.items()},
    }  # fmt: skip


def of_parameter(found: ParameterCoverage) -> dict[str, object]:
    """Return what is printed of one parameter."""
    shares = {
        f"coverage_{round(100 * float(level))}{suffix}": fraction
        for suffix, fractions in (
            ("", found.coverage),
            ("_total", found.coverage_total),
            ("_pool", found.coverage_pool),
        )
        for level, fraction in fractions.items()
    }
    values = {name: fraction.value for name, fraction in shares.items()}
    errors = {f"{name}_error": fraction.error for name, fraction in shares.items()}
    of_nearest = ("bias", "bias_error", "pool_error", "bias_pull", "spread", "pull_mean", "pull_width")
    sign = None if found.right_sign is None else found.right_sign.value
    return {
        **values,
        **errors,
        "right_sign": sign,
        **{name: getattr(found, name) for name in ("best_bias", "best_bias_error", *of_nearest)},
    }


if __name__ == "__main__":
    main()
