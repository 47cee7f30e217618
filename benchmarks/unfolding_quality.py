"""How good the unfolding models are: ``python benchmarks/unfolding_quality.py --store events.parquet``.

Prints one JSON line: for each parton view of the model,

- `regression_max_abs_median_pt_bias`: the largest |median of pT(regressed)/pT(true) − 1| over H, t_had, t_lep and bins
  of true pT (50, 75, 100, 125, 150, 200, 250, 300, 400 GeV), with its error.
- `sample_pt_bias_bulk`, `sample_pt_bias_low`: mean of pT(sampled)/pT(true) − 1 for each particle, over events with a
  true pT of 50 to 250 GeV and below 50 GeV, 30 samples an event; `of_means` is the bias of the mean pT, which does not
  weight soft particles more. `sample_pt_bias_by_bin` is the same in bins.
- `rank_ks_max`: the largest Kolmogorov–Smirnov distance of the ranks of the truth to the uniform distribution, over the
  numbers of the unit cube and pT, η, φ of the particles, √ŝ, p_z; `rank_ks_limit` is what 95% of calibrated models stay
  below in one variable.
- `tarp_ks_numbers`, `tarp_ks_physical`: the same for random regions in all variables together (arXiv:2302.03026).
- `coverage_68`, `coverage_95`: part of the events whose truth is in these highest-density regions.
- `c2st`: accuracy of a classifier that tells truth and sample apart knowing the event; 0.5 is perfect.
- `log_q`: mean log q of the truth.
- `by_multiplicity`: some of these by number of jets.

Statistical errors stand beside the numbers. The events must not be those that the model was trained on: make them with
another seed, e.g. (some 50,000 selected events; hours on two cores, `seed` as in the file below)

    partonic simulate held_out.yaml      # name: held_out, seed: 2, generation: {events: 350000}
    python benchmarks/unfolding_quality.py --store runs/held_out/simulate/events.parquet
"""

import argparse
import json
import sys
import time
from pathlib import Path

from partonic.cli.progress import TerminalProgress
from partonic.errors import PartonicError
from partonic.events.store import EventStore
from partonic.trained.model_files import available_views, find_model
from partonic.unfolding.quality import PARTICLES, UnfoldingQuality
from partonic.unfolding.quality.evaluate import EvaluationSettings, evaluate_unfolding
from partonic.unfolding.quality.provenance import evaluate_provenance
from partonic.unfolding.quality.result import json_ready
from partonic.unfolding.unfolder import Unfolder

REFERENCE = Path(__file__).resolve().parents[1] / "tests" / "reference" / "tth_selected.parquet"
QUICK_EVENTS = 2_000
PROVENANCE_EVENTS = 20_000


def main() -> None:
    """Evaluate all views of the model and print one JSON line."""
    options = arguments()
    if not options.store.is_file():
        sys.exit(
            f"no event store {options.store}: simulate held-out events first, with a seed that the model was not "
            "trained with (see the head of this file), and give their store with --store"
        )
    events = QUICK_EVENTS if options.quick else options.events
    settings = EvaluationSettings(events=events, samples=options.samples, single_events=0)
    try:
        store = EventStore.open(options.store)
        process = store.metadata.process
        views = options.views or available_views(options.model, process)
        folders = [find_model(options.model, process, view) for view in views or (None,)]
        results = dict(evaluated(folder, store, settings, options) for folder in folders)
    except PartonicError as error:
        sys.exit(str(error))
    head = {"model": str(options.model), "store": str(options.store), "seed": options.seed, "quick": options.quick}
    print(json.dumps(json_ready({**head, **results}), allow_nan=False))


def arguments() -> argparse.Namespace:
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--store", type=Path, help="event store of held-out simulated events [--quick: 400 of our own]")
    parser.add_argument("--model", default="pretrained", help="`pretrained` or a folder written by `partonic train`")
    parser.add_argument("--views", nargs="*", choices=["hard", "with_isr"], help="default: all that the model has")
    parser.add_argument("--events", type=int, default=50_000, help="selected events at most")
    parser.add_argument("--samples", type=int, default=100, help="samples of each event")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_EVENTS} events")
    options = parser.parse_args()
    if options.store is None:
        if not options.quick:
            parser.error("give held-out events with --store, or --quick")
        options.store = REFERENCE
    return options


def evaluated(
    folder: Path, store: EventStore, settings: EvaluationSettings, options: argparse.Namespace
) -> tuple[str, dict[str, object]]:
    """Return the name of the view of a model, and its figures."""
    unfolder = Unfolder.load(folder)
    unfolder.check(store.metadata, str(store.path))
    begin = time.perf_counter()
    quality = evaluate_unfolding(unfolder, store, settings, options.seed, TerminalProgress())
    seconds = time.perf_counter() - begin
    provenance = evaluate_provenance(unfolder.network.provenance, store, min(settings.events, PROVENANCE_EVENTS))
    return unfolder.view.name, {**figures(quality), "provenance": provenance.record(), "seconds": round(seconds, 1)}


def figures(quality: UnfoldingQuality) -> dict[str, object]:
    """Return what is printed of one model."""
    largest = quality.largest_regression_bias()
    distances = {test.name: test.distance for test in quality.distances}
    return {
        "events": quality.events,
        "samples": quality.samples,
        "unusable": quality.unusable,
        "regression_max_abs_median_pt_bias": largest.value,
        "regression_max_abs_median_pt_bias_error": largest.error,
        "regression_pt_bias_by_bin": {name: by_bin(quality, name, "median") for name in PARTICLES},
        "sample_pt_bias_bulk": {name: mean_bias(quality, "bulk", name) for name in PARTICLES},
        "sample_pt_bias_low": {name: mean_bias(quality, "low", name) for name in PARTICLES},
        "sample_pt_bias_by_bin": {name: by_bin(quality, name, "mean") for name in PARTICLES},
        "rank_ks_max": quality.rank_ks_max.distance,
        "rank_ks_max_variable": quality.rank_ks_max.name,
        "rank_ks_limit": quality.rank_ks_max.distance_limit,
        "rank_ks": {test.name: test.distance for test in quality.ranks},
        "tarp_ks_numbers": distances["all numbers"],
        "tarp_ks_physical": distances["all physical variables"],
        "coverage_68": quality.coverage_68.value,
        "coverage_68_error": quality.coverage_68.error,
        "coverage_95": quality.coverage_95.value,
        "coverage_95_error": quality.coverage_95.error,
        "c2st": quality.classifier.value,
        "c2st_error": quality.classifier.error,
        "log_q": quality.log_density.value,
        "log_q_error": quality.log_density.error,
        "boost_correlation": {name: found.coefficient for name, found in quality.boost.correlations.items()},
        "by_multiplicity": quality.by_multiplicity,
    }


def mean_bias(quality: UnfoldingQuality, span: str, particle: str) -> dict[str, float]:
    """Return the mean bias of the samples of a particle in a range of true pT."""
    found = quality.sample_pt_bias[span][particle]
    return {"value": found.mean.value, "error": found.mean.error, "of_means": found.of_means}


def by_bin(quality: UnfoldingQuality, particle: str, kind: str) -> dict[str, list[float]]:
    """Return edges, biases and errors of pT: ``"median"`` of the regression or ``"mean"`` of the samples."""
    bias = quality.regression[f"pt lab {particle}"] if kind == "median" else quality.sampled[f"pt cm {particle}"]
    return {
        "edges": bias.edges.tolist(),
        "value": getattr(bias, kind).tolist(),
        "error": getattr(bias, f"{kind}_error").tolist(),
    }


if __name__ == "__main__":
    main()
