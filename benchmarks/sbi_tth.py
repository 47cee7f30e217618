r"""Learned estimators of tt̄H on equal events: ``python benchmarks/sbi_tth.py --store events.parquet [options]``.

Trains each method on growing parts of one store of simulated events and compares all on the same held-out third: R² of
each true ratio c_a/c_0 (weights at θ = 0; none can reach 1, for shower and detector lose information), expected 95%
intervals of each parameter at 300 fb⁻¹ with the others at 0 (uncalibrated, normalised by their own means), seconds
of training and per event. With `--coefficients`, those of another estimator (the matrix element method) stand in the
table for the events that it has, beside parton truth and the rate. The learning curve of a method is the rows with its
name. One JSON line a row.

The store: `partonic run` of a file like `examples/tth_sbi.yaml` with more events; its last two thirds train.
"""

import argparse
import json
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from partonic.config.sbi import SbiConfig
from partonic.event_status import OK
from partonic.events.store import EventStore
from partonic.features.named import NamedFeatures
from partonic.inference.coefficients.coefficients_file import read_coefficients
from partonic.inference.coefficients.event_coefficients import EventCoefficients
from partonic.inference.coefficients.event_weights import weights_of
from partonic.inference.coefficients.rate import FiducialRate
from partonic.inference.experiments.comparison import PARTON_TRUTH, RATE_ONLY, ComparedEvents, compare_methods
from partonic.sbi.data import read_events
from partonic.sbi.estimator import SbiEstimator
from partonic.sbi.split import Parts
from partonic.sbi.train import TrainingEvents, train_on_events

Array = NDArray[np.float64]
LUMINOSITY = 300.0
PRECISE: dict[str, Any] = {"derivatives": {"weighting": "precision"}}
METHODS: dict[str, dict[str, Any]] = {
    "derivatives": {},
    "precise_derivatives": PRECISE,
    "laplace": {"network": {"error": "laplace"}},
    "sally": {"method": "sally"},
    "precise_set_transformer": {
        **{"network": {"backbone": "set_transformer", "members": 2}, "training": {"epochs": 15}},
        **PRECISE,
    },
    "trees": {"method": "trees", "trees": {"trees": 300, "max_depth": 3, "learning_rate": 0.1, "patience": 20}},
    "set_transformer": {"network": {"backbone": "set_transformer", "members": 2}, "training": {"epochs": 15}},
    "lgatr_slim": {"network": {"backbone": "lgatr_slim", "members": 1}, "training": {"epochs": 10}},
    "lgatr": {"network": {"backbone": "lgatr", "members": 1}, "training": {"epochs": 5}},
    "lloca": {"network": {"backbone": "lloca", "members": 1}, "training": {"epochs": 10}},
}


def main() -> None:
    """Train and print a line for each method and number of events."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--store", type=Path, required=True)
    parser.add_argument("--coefficients", type=Path, help="of events of the held-out third, from `partonic mem`")
    parser.add_argument("--methods", nargs="*", default=["derivatives", "trees"], choices=list(METHODS))
    parser.add_argument("--events", nargs="*", type=int, default=[14_000], help="numbers of training events")
    parser.add_argument("--test", type=int, default=20_000, help="largest number of held-out events")
    parser.add_argument("--parameters", nargs="*", default=["kappa_tilde_t", "c_tG"])
    parser.add_argument("--members", type=int)
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(1)
    held_out = HeldOut(options)
    held_out.show_known()
    for method in options.methods:
        for count in options.events:
            settings = {**METHODS[method], "shares": {"fit": 0.0, "calibration": 0.0}}
            settings["training"] = {**settings.get("training", {}), "accelerator": "cpu"}
            if options.epochs:
                settings["training"]["epochs"] = options.epochs
            if options.members:
                settings["network"] = {**settings.get("network", {}), "members": options.members}
            learned(SbiConfig.model_validate(settings), method, count, held_out, options.seed)


class HeldOut:
    """The events that all are compared on.

    Attributes:
        store: of all events.
        event_id: numbers of the held-out events, `(N,)`.
        weights: true weights c_a of these, pb, `(N, A)`.
    """

    def __init__(self, options: argparse.Namespace) -> None:
        self.path, self.store = options.store, EventStore.open(options.store)
        self.parameters = tuple(options.parameters)
        numbers = self.store.read(("event_id",), accepted_only=True).column("event_id").astype(np.int64)
        numbers = numbers[: len(numbers) // 3]
        self.other: EventCoefficients | None = None
        if options.coefficients is not None:
            found = read_coefficients(options.coefficients)[0]
            self.other = found.select(found.usable() & np.isin(found.event_id, numbers))
            numbers = self.other.event_id
        self.event_id = numbers[: options.test]
        if self.other is not None:
            self.other = self.other.select(np.arange(len(numbers)) < options.test)
        self.weights = weights_of(self.store, self.event_id)
        keep = self.weights[:, 0] > 0
        self.event_id, self.weights = self.event_id[keep], self.weights[keep]
        self.other = self.other.select(keep) if self.other is not None else None
        total = self.store.read(("coefficients",), accepted_only=True).column("coefficients")[:, 0].sum()
        self.weights *= total / self.weights[:, 0].sum()
        self.monomials = self.store.metadata.monomials

    def show_known(self) -> None:
        """Print parton truth, the rate, and the other estimator if there is one."""
        size, count = len(self.monomials), len(self.weights)
        truth = EventCoefficients(
            self.monomials, self.event_id, self.weights / self.weights[:, :1], np.log(self.weights[:, 0]),
            np.zeros((count, size, size)), (OK,) * count, np.zeros(count), "truth",
        )  # fmt: skip
        self.show(PARTON_TRUTH, truth)
        self.show(RATE_ONLY, None)
        if self.other is not None:
            self.show(self.other.source, self.other)

    def show(self, name: str, found: EventCoefficients | None, **facts: Any) -> None:
        """Print R² and the expected intervals of an estimator, or the intervals of the rate."""
        estimates = {} if found is None else {name: found}
        events = ComparedEvents(self.monomials, self.weights, estimates, {})
        intervals = compare_methods(events, LUMINOSITY, self.parameters, mean_ratios=True).intervals
        row = intervals[RATE_ONLY if found is None else f"{name}, unbinned"]
        limits = {each: None if row[each] is None else rounded(row[each][-1].length / 2) for each in self.parameters}
        explained = {} if found is None else self.r_squared(found.ratios)
        line = {"estimator": name, "held_out": len(self.weights), "half_95": limits, "r_squared": explained}
        print(json.dumps({**line, **{key: rounded(value) for key, value in facts.items()}}), flush=True)

    def r_squared(self, ratios: Array) -> dict[str, float]:
        """Return which part of the variance of each true ratio is explained, by monomial."""
        weight, truth = self.weights[:, 0], self.weights / self.weights[:, :1]
        total = (weight[:, None] * np.square(truth - np.average(truth, axis=0, weights=weight))).sum(axis=0)
        left = (weight[:, None] * np.square(truth - ratios)).sum(axis=0)
        names = self.monomials.names
        return {
            name: rounded(1 - left[a] / total[a]) for a, name in enumerate(names) if total[a] > 1e-12 * weight.sum()
        }


def learned(config: SbiConfig, name: str, count: int, held_out: HeldOut, seed: int) -> None:
    """Train on `count` events of the last two thirds, a twentieth of them validation, and print its line."""
    jets = config.network.max_jets if config.network.sees_objects else None
    events, metadata = read_events([held_out.path], config.features, config.group, max_jets=jets)
    number = np.full(len(events.group), 3)
    begin = len(number) // 3
    if count > len(number) - begin:
        raise SystemExit(f"{held_out.path} has {len(number) - begin} events to train on, {count} are asked for")
    number[begin : begin + count] = np.where(np.arange(count) % 20 == 0, 1, 0)
    sums = events.coefficients.sum(axis=0), events.coefficients.T @ events.coefficients
    rate = FiducialRate.of_sums(metadata.monomials, *sums, None)
    known = TrainingEvents(events, metadata, Parts(number), rate.record())
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        model = train_on_events(known, config, seed, Path(folder)).model
    seconds = time.perf_counter() - began
    estimator = SbiEstimator(model, NamedFeatures(model.record.features, metadata))
    began = time.perf_counter()
    batch = held_out.store.read((*estimator.columns, "event_id"), accepted_only=True)
    ids = batch.column("event_id").astype(np.int64)
    batch = batch.filter(np.isin(ids, held_out.event_id))
    found = estimator.estimate(batch)
    each = (time.perf_counter() - began) / len(found)
    held_out.show(name, replace(found), events=count, seconds=seconds, seconds_per_event=each)


def rounded(value: float) -> float:
    """Return four significant digits."""
    return float(f"{value:.4g}")


if __name__ == "__main__":
    main()
