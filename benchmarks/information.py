r"""What coefficients know of θ: ``python benchmarks/information.py --store events.parquet --coefficients tth.parquet``.

Regression of the true bounded ratios c_a(z)/c_h(z) (h as in `partonic.inference.calibration.joint_calibration`) by
boosted trees, once on the estimated ratios of the matrix element method, once on 28 high-level features of the objects,
once on both. Prints one JSON line: for each ratio R² on the half of the events that the trees did not see (`mem`,
`high_level`, `both`), and that of the joint calibration on the same events (`calibration`). Estimates that know all
there is to know leave nothing for other features to add, and a calibration that is flexible enough nothing for trees.

The events should be ones that no network was trained on. ``--quick`` takes 4,000 of them, and few trees.
"""

import argparse
import json
import sys
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingRegressor

from partonic.errors import PartonicError
from partonic.events.batch import RECO_COLUMNS
from partonic.events.store import EventStore
from partonic.features.high_level import high_level_features
from partonic.inference.calibration.features import shares_of_reference
from partonic.inference.calibration.joint_calibration import fit_joint_calibration
from partonic.inference.coefficients.coefficients_file import read_coefficients
from partonic.inference.coefficients.event_weights import weights_of

Array = NDArray[np.float64]
QUICK_EVENTS, QUICK_TREES, TREES = 4_000, 30, 300


def main() -> None:
    """Compare and print one JSON line."""
    options = arguments()
    try:
        print(json.dumps(compared(options)))
    except PartonicError as error:
        sys.exit(str(error))


def arguments() -> argparse.Namespace:
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--store", type=Path, required=True, help="event store of simulated events")
    parser.add_argument("--coefficients", type=Path, required=True, help="their coefficients, from `partonic mem`")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_EVENTS} events, {QUICK_TREES} trees")
    return parser.parse_args()


def compared(options: argparse.Namespace) -> dict[str, object]:
    """Return R² of each independent ratio by what it is predicted from."""
    begin = time.perf_counter()
    store = EventStore.open(options.store)
    events = read_coefficients(options.coefficients)[0]
    events = events.select(events.usable())
    if options.quick:
        events = events.select(np.arange(len(events)) < QUICK_EVENTS)
    weights = weights_of(store, events.event_id, polynomial=True)
    learned = np.arange(len(events)) % 2 == 0
    calibration = fit_joint_calibration(events.select(learned), weights[learned])
    good = weights @ calibration.reference > 0
    events, weights, learned = events.select(good), weights[good], learned[good]
    w = weights @ calibration.reference
    truth = weights / w[:, None]
    estimates, _ = shares_of_reference(events, calibration.reference, calibration.inputs)
    features = high_level(store, events.event_id)
    calibrated = calibration.apply(events).ratios
    calibrated = calibrated / (calibrated @ calibration.reference)[:, None]
    sources = {"mem": estimates, "high_level": features, "both": np.column_stack([estimates, features])}
    found: dict[str, dict[str, float]] = {}
    for column in calibration.inputs:
        of_ratio = {"calibration": r_squared(truth[:, column], calibrated[:, column], w, ~learned)}
        for name, source in sources.items():
            trees = HistGradientBoostingRegressor(
                max_iter=QUICK_TREES if options.quick else TREES, learning_rate=0.05, max_leaf_nodes=15,
                min_samples_leaf=100, l2_regularization=1.0, early_stopping=True, random_state=options.seed,
            )  # fmt: skip
            trees.fit(source[learned], truth[learned, column], sample_weight=w[learned] / w.mean())
            of_ratio[name] = r_squared(truth[:, column], trees.predict(source), w, ~learned)
        found[events.monomials.names[column]] = {name: round(value, 4) for name, value in of_ratio.items()}
    return {
        "store": str(options.store), "coefficients": str(options.coefficients), "events": len(events),
        "held_out": int((~learned).sum()), "r_squared": found, "seed": options.seed, "quick": options.quick,
        "seconds": round(time.perf_counter() - begin, 1),
    }  # fmt: skip


def high_level(store: EventStore, event_id: NDArray[np.int64]) -> Array:
    """Return the high-level features of these events, which must be selected ones in the order of the store."""
    ids, rows = [], []
    for batch in store.batches(columns=("event_id", *RECO_COLUMNS), selected_only=True):
        ids.append(np.asarray(batch.column("event_id")))
        rows.append(high_level_features(batch.reco()))
    known, features = np.concatenate(ids), np.concatenate(rows)
    order = np.argsort(known)
    place = order[np.minimum(np.searchsorted(known, event_id, sorter=order), len(known) - 1)]
    if not np.array_equal(known[place], event_id):
        sys.exit(
            "the coefficients are of other events than the selected ones of the store: give the store of that file"
        )
    values: Array = features[place]
    return values


def r_squared(truth: Array, predicted: Array, w: Array, rows: NDArray[np.bool_]) -> float:
    """Return which part of the weighted variance of the truth is explained, on some rows."""
    mean = np.average(truth[rows], weights=w[rows])
    left = np.average((truth[rows] - predicted[rows]) ** 2, weights=w[rows])
    return float(1.0 - left / np.average((truth[rows] - mean) ** 2, weights=w[rows]))


if __name__ == "__main__":
    main()
