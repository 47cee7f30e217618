r"""Matrix element method and network together: ``python benchmarks/sbi_stacking.py --store S --mem M --sbi FOLDER``.

Both know some of the same. Each true ratio c_a/c_0 is regressed linearly on the ratio of the matrix element method,
on that of a learned estimator, and on both, with the weights at θ = 0, on one half of the events for the other; R² of
each, and half of the expected 95% intervals at 300 fb⁻¹ of the ratios so predicted; one JSON line. The events are
those that the estimator neither trained on nor validated with, and that both have coefficients of.

S: the event store; M: coefficients from `partonic mem --store S`; FOLDER: output of an analysis that was trained on S
(`examples/tth_sbi_training.yaml`).
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from partonic.events.store import EventStore
from partonic.inference.coefficients.coefficients_file import read_coefficients
from partonic.inference.coefficients.event_weights import weights_of
from partonic.inference.experiments.comparison import ComparedEvents, compare_methods
from partonic.sbi.model import SbiModel
from partonic.sbi.split import parts_of

Array = NDArray[np.float64]
LUMINOSITY = 300.0


def main() -> None:
    """Compare and print one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--store", type=Path, required=True)
    parser.add_argument("--mem", type=Path, required=True)
    parser.add_argument("--sbi", type=Path, required=True)
    parser.add_argument("--parameters", nargs="*", default=["kappa_tilde_t", "c_tG"])
    options = parser.parse_args()
    record = SbiModel.load(options.sbi / "train_sbi").record
    mem = read_coefficients(options.mem)[0]
    learned = read_coefficients(next((options.sbi / "sbi" / "all").glob("*.parquet")))[0]
    learned = learned.select(learned.usable())
    parts = parts_of(mem.event_id, record.config.parts(), record.seed)
    unseen = (parts.of("calibration") | parts.of("fit")) & mem.usable() & np.isin(mem.event_id, learned.event_id)
    mem = mem.select(unseen)
    store = EventStore.open(options.store)
    weights = weights_of(store, mem.event_id)
    good = weights[:, 0] > 0
    rows = np.searchsorted(learned.event_id, mem.event_id[good])
    sources = {"mem": [mem.ratios[good]], "sbi": [learned.ratios[rows]]}
    sources["both"] = [*sources["mem"], *sources["sbi"]]
    weights, mem = weights[good], mem.select(good)
    total = store.read(("coefficients",), accepted_only=True).column("coefficients")[:, 0].sum()
    weights *= total / weights[:, 0].sum()  # pb, of all events
    estimates, explained = {}, {}
    for source, ratios in sources.items():
        predicted = np.column_stack([
            regressed(weights, [each[:, a] for each in ratios], a) for a in range(weights.shape[1])
        ])  # fmt: skip
        predicted[:, 0] = 1.0
        estimates[source] = replace(mem, ratios=predicted, covariance=np.zeros_like(mem.covariance))
        explained[source] = r_squared(weights, predicted, mem.monomials.names)
    events = ComparedEvents(mem.monomials, weights, estimates, {})
    intervals = compare_methods(events, LUMINOSITY, mem.monomials.parameters, mean_ratios=True).intervals
    limits = {
        name: {each: None if row[each] is None else rounded(row[each][-1].length / 2) for each in options.parameters}
        for name, row in intervals.items()
        if ", binned" not in name
    }
    print(json.dumps({"events": int(good.sum()), "r_squared": explained, "half_95": limits}))


def regressed(weights: Array, ratios: list[Array], column: int) -> Array:
    """Return a true ratio as a linear regression on estimated ones predicts it, each half from the other."""
    w, truth = weights[:, 0], weights[:, column] / weights[:, 0]
    design, root = np.column_stack([np.ones_like(w), *ratios]), np.sqrt(w)
    predicted, half = np.zeros_like(truth), np.arange(len(w)) % 2 == 0
    for rows in (half, ~half):
        fit = np.linalg.lstsq(design[~rows] * root[~rows, None], truth[~rows] * root[~rows], rcond=None)[0]
        predicted[rows] = design[rows] @ fit
    return predicted


def r_squared(weights: Array, predicted: Array, names: Sequence[str]) -> dict[str, float]:
    """Return R² of the true ratios that vary."""
    w, truth = weights[:, 0], weights / weights[:, :1]
    spread = w @ np.square(truth - np.average(truth, axis=0, weights=w))
    left = w @ np.square(truth - predicted)
    return {name: rounded(1.0 - left[a] / spread[a]) for a, name in enumerate(names) if spread[a] > 1e-12 * w.sum()}


def rounded(value: float) -> float:
    """Return four significant digits."""
    return float(f"{value:.4g}")


if __name__ == "__main__":
    main()
